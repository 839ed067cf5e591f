/**
 * Which lines belong together, across all panes. Data in, data out: no DOM.
 *
 * Pane 0 is the source (all sources below each other, one node per row), pane p the stage p - 1 (one node per item).
 * Edges lead from a node to what it became: from source rows by the frames, between stages by the links. A line lights
 * what it came from and what it became, but never a sibling: the search goes upwards only, then downwards only.
 */
import { CALL, DIRECT, type LinkIndex, type PaneItems } from './linkIndex';
import { LINK_KINDS, type LinkKind } from './protocol';

/** How a lit line belongs to the chosen one; `here` is the chosen line itself, `call` a line that called the code. */
export type Relation = LinkKind | 'here' | 'direct' | 'call';

/** The relations in the order in which one wins over another on the same line. */
const STRENGTH: readonly Relation[] = ['call', 'direct', 'same', 'expanded', 'fused', 'duplicated', 'added', 'removed', 'here'];
const CODES: readonly Relation[] = [...LINK_KINDS, 'direct', 'call'];

/** An item that spans more lines than this is lit at its head alone. */
const MOST_LINES = 5000;

/** The lit lines of each pane (0-based), and how many items they stand for. */
export interface Lit {
  readonly lines: readonly ReadonlyMap<number, Relation>[];
  readonly items: readonly number[];
  /** Items among the lit ones that the compiler removed. */
  readonly removed: number;
  readonly kinds: ReadonlySet<Relation>;
}

/** What lights up when a line (0-based) of a pane is pointed at. */
export function follow(index: LinkIndex, pane: number, line: number): Lit {
  const lines: Map<number, Relation>[] = index.panes.map(() => new Map<number, Relation>());
  const items = index.panes.map(() => 0);
  const kinds = new Set<Relation>();
  let removed = 0;
  lines[pane]?.set(line, 'here');
  const start = itemsAt(index, pane, line);
  for (const [node, code] of reach(index, start)) {
    const at = paneOf(index, node);
    const part = index.panes[at];
    const own = code < 0;
    const relation: Relation = own ? 'here' : (CODES[code] ?? 'same');
    if (!part) {
      continue;
    }
    items[at] = (items[at] ?? 0) + 1;
    removed += index.removed[node] ?? 0;
    if (!own) {
      kinds.add(relation);
    }
    if (index.added[node]) {
      kinds.add('added');
    }
    for (const lit of linesOf(part, node - part.offset)) {
      const known = lines[at]?.get(lit);
      if (!known || STRENGTH.indexOf(relation) > STRENGTH.indexOf(known)) {
        lines[at]?.set(lit, relation);
      }
    }
  }
  return { lines, items, removed, kinds };
}

/** The source rows that made the items of a line itself (callers left out), in order, at most `most` of them. */
export function origins(index: LinkIndex, pane: number, line: number, most = 8): number[] {
  const rows = new Set<number>();
  const seen = new Set<number>();
  const queue = itemsAt(index, pane, line);
  const size = index.panes[0]?.size ?? 0;
  for (let at = 0; at < queue.length && rows.size < most && seen.size < 2000; at++) {
    const node = queue[at] ?? 0;
    const { start, end, kind } = index.up;
    for (let i = start[node] ?? 0; i < (start[node + 1] ?? 0); i++) {
      const next = end[i] ?? 0;
      if (kind[i] === CALL || seen.has(next)) {
        continue;
      }
      seen.add(next);
      if (next < size) {
        rows.add(next);
      } else {
        queue.push(next);
      }
    }
  }
  return [...rows].sort((a, b) => a - b);
}

/** For each source row how many items of the first stage it made itself. */
export function made(index: LinkIndex): Int32Array {
  const rows = index.panes[0]?.size ?? 0;
  const first = index.panes[1];
  const counts = new Int32Array(rows);
  const { start, end, kind } = index.down;
  for (let row = 0; first && row < rows; row++) {
    for (let i = start[row] ?? 0; i < (start[row + 1] ?? 0); i++) {
      const node = end[i] ?? 0;
      if (kind[i] === DIRECT && node >= first.offset && node < first.offset + first.size) {
        counts[row] = (counts[row] ?? 0) + 1;
      }
    }
  }
  return counts;
}

/** Whether the items of a line were all removed by the compiler, or some added by it. */
export function fate(index: LinkIndex, pane: number, line: number): 'removed' | 'added' | null {
  const nodes = itemsAt(index, pane, line);
  if (nodes.some(node => index.added[node])) {
    return 'added';
  }
  return nodes.length > 0 && nodes.every(node => isGone(index, node)) ? 'removed' : null;
}

/** The source row of a frame's line, or -1. */
export function rowOf(index: LinkIndex, source: number, line: number): number {
  return index.rows.findIndex(row => row.source === source && row.line === line);
}

function isGone(index: LinkIndex, node: number, depth = 0): boolean {
  if (index.removed[node]) {
    return true;
  }
  const { start, end } = index.down;
  const from = start[node] ?? 0;
  const to = start[node + 1] ?? 0;
  if (from === to || depth > index.panes.length) {
    return false;
  }
  for (let i = from; i < to; i++) {
    if (!isGone(index, end[i] ?? 0, depth + 1)) {
      return false;
    }
  }
  return true;
}

/** The nodes that begin and end deepest at a line: mostly one. */
function itemsAt(index: LinkIndex, pane: number, line: number): number[] {
  const part = index.panes[pane];
  const top = part?.deepest[line] ?? -1;
  if (!part || top < 0) {
    return [];
  }
  const nodes: number[] = [];
  const item = part.order[top] ?? 0;
  for (let place = top; place >= 0; place--) {
    const other = part.order[place] ?? 0;
    if (part.first[other] !== part.first[item] || part.last[other] !== part.last[item]) {
      break;
    }
    nodes.push(part.offset + other);
  }
  return nodes;
}

/** Every node that the given ones came from or became, with the code of the edge that led there (-1: given). */
function reach(index: LinkIndex, given: readonly number[]): Map<number, number> {
  const reached = new Map<number, number>();
  for (const { start, end, kind } of [index.up, index.down]) {
    const queue = [...given];
    for (const node of queue) {
      for (let i = start[node] ?? 0; i < (start[node + 1] ?? 0); i++) {
        const next = end[i] ?? 0;
        const code = kind[i] ?? 0;
        const known = reached.get(next);
        if (known === undefined) {
          queue.push(next);
        }
        if (known === undefined || rank(code) > rank(known)) {
          reached.set(next, code);
        }
      }
    }
  }
  for (const node of given) {
    reached.set(node, -1);
  }
  return reached;
}

function rank(code: number): number {
  return STRENGTH.indexOf(CODES[code] ?? 'call');
}

/** The lines (0-based) that an item has to itself: those of items inside it belong to these. */
function linesOf(part: PaneItems, item: number): number[] {
  const first = (part.first[item] ?? 1) - 1;
  const last = Math.min((part.last[item] ?? 1) - 1, part.lines - 1, first + MOST_LINES);
  const found: number[] = [];
  for (let line = first; line <= last; line++) {
    const top = part.order[part.deepest[line] ?? -1] ?? -1;
    if (line === first || (part.first[top] === first + 1 && part.last[top] === last + 1)) {
      found.push(line);
    }
  }
  return found;
}

function paneOf(index: LinkIndex, node: number): number {
  let pane = index.panes.length - 1;
  while (pane > 0 && (index.panes[pane]?.offset ?? 0) > node) {
    pane--;
  }
  return pane;
}

/**
 * Which lines belong together, across all panes. Data in, data out: no DOM.
 *
 * Pane 0 is the source (all sources below each other, one node per row), pane p the stage p - 1 (one node per item).
 * Edges lead from a node to what it became: from source rows by the frames, between stages by the links. A line lights
 * what it came from and what it became, but never a sibling: the search goes upwards only, then downwards only.
 */
import { LINK_KINDS, type LinkKind, type Program } from './protocol';

/** How a lit line belongs to the chosen one; `here` is the chosen line itself, `call` a line that called the code. */
export type Relation = LinkKind | 'here' | 'direct' | 'call';

/** The relations in the order in which one wins over another on the same line. */
const STRENGTH: readonly Relation[] = ['call', 'direct', 'same', 'expanded', 'fused', 'duplicated', 'added', 'removed', 'here'];
const DIRECT = LINK_KINDS.length;
const CALL = DIRECT + 1;
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

/** A row of the source pane: a line of a source, or the label above it (`line` -1). */
export interface SourceRow {
  readonly source: number;
  readonly line: number;
  readonly text: string;
}

/** Neighbours of all nodes, in one array with the start of each node's part. */
interface Edges {
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly kind: Uint8Array;
}

interface PaneItems {
  readonly offset: number;
  readonly size: number;
  readonly lines: number;
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** Items ordered by their first line, longer ones first; the deepest item of each line as a place in it, or -1. */
  readonly order: Int32Array;
  readonly deepest: Int32Array;
}

/** The index of a program's links. */
export interface LinkIndex {
  readonly panes: readonly PaneItems[];
  readonly rows: readonly SourceRow[];
  readonly down: Edges;
  readonly up: Edges;
  readonly removed: Uint8Array;
  readonly added: Uint8Array;
}

/** The rows of the source pane. A label stands above each source where there are several. */
export function sourceRows(program: Program): SourceRow[] {
  const rows: SourceRow[] = [];
  program.sources.forEach((source, place) => {
    if (program.sources.length > 1) {
      rows.push({ source: place, line: -1, text: source.label });
    }
    source.lines.forEach((text, line) => rows.push({ source: place, line: source.first_line + line, text }));
  });
  return rows;
}

/** Build the index; indices of a damaged record that point nowhere are left out. */
export function buildIndex(program: Program): LinkIndex {
  const rows = sourceRows(program);
  const rowNumbers = Int32Array.from(rows, (_, row) => row + 1);
  const panes: PaneItems[] = [paneItems(0, rows.length, rowNumbers, rowNumbers)];
  for (const { lines, items } of program.stages) {
    const previous = panes[panes.length - 1];
    const offset = previous ? previous.offset + previous.size : 0;
    panes.push(paneItems(offset, lines.length, items.first, items.last));
  }
  const last = panes[panes.length - 1];
  const nodes = last ? last.offset + last.size : 0;

  const from: number[] = [];
  const to: number[] = [];
  const kinds: number[] = [];
  const connect = (before: number, after: number, kind: number) => {
    from.push(before);
    to.push(after);
    kinds.push(kind);
  };
  connectFrames(program, rows, panes, connect);
  const removed = new Uint8Array(nodes);
  const added = new Uint8Array(nodes);
  for (const links of program.links) {
    const beforeAt = program.stages.findIndex(stage => stage.id === links.before) + 1;
    const afterAt = program.stages.findIndex(stage => stage.id === links.after) + 1;
    const before = panes[beforeAt];
    const after = panes[afterAt];
    if (!before || !after || beforeAt === 0 || beforeAt >= afterAt) {
      continue;
    }
    links.from.forEach((a, i) => {
      const b = links.to[i] ?? -1;
      const kind = links.kind[i] ?? 0;
      const hasA = a >= 0 && a < before.size;
      const hasB = b >= 0 && b < after.size;
      if (hasA && hasB && kind < DIRECT) {
        connect(before.offset + a, after.offset + b, kind);
      } else if (hasA && LINK_KINDS[kind] === 'removed') {
        removed[before.offset + a] = 1;
      } else if (hasB && LINK_KINDS[kind] === 'added') {
        added[after.offset + b] = 1;
      }
    });
  }
  return { panes, rows, down: edges(nodes, from, to, kinds), up: edges(nodes, to, from, kinds), removed, added };
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

function paneItems(offset: number, lines: number, first: Int32Array, last: Int32Array): PaneItems {
  const size = first.length;
  const order = Int32Array.from(first, (_, item) => item).sort(
    (a, b) => (first[a] ?? 0) - (first[b] ?? 0) || (last[b] ?? 0) - (last[a] ?? 0)
  );
  const deepest = new Int32Array(lines).fill(-1);
  const open: number[] = [];
  let next = 0;
  for (let line = 0; line < lines; line++) {
    while (open.length > 0 && (last[order[open[open.length - 1] ?? 0] ?? 0] ?? 0) < line + 1) {
      open.pop();
    }
    while (next < size && (first[order[next] ?? 0] ?? 0) <= line + 1) {
      if ((last[order[next] ?? 0] ?? 0) >= line + 1) {
        open.push(next);
      }
      next++;
    }
    deepest[line] = open[open.length - 1] ?? -1;
  }
  return { offset, size, lines, first, last, order, deepest };
}

function connectFrames(
  program: Program,
  rows: readonly SourceRow[],
  panes: readonly PaneItems[],
  connect: (before: number, after: number, kind: number) => void
): void {
  const starts = program.sources.map((_, source) => rows.findIndex(row => row.source === source && row.line >= 0));
  const { frames, stacks } = program;
  const rowOfFrame = Int32Array.from(frames.source, (source, frame) => {
    const text = program.sources[source];
    const line = (frames.line[frame] ?? 0) - (text?.first_line ?? 1);
    return text && line >= 0 && line < text.lines.length ? (starts[source] ?? 0) + line : -1;
  });
  const rowsOfStack = (stack: number): number[] => {
    const found: number[] = [];
    let at = stack;
    while (at >= 0 && at < stacks.frame.length && found.length < 1000) {
      found.push(rowOfFrame[stacks.frame[at] ?? -1] ?? -1);
      const caller = stacks.caller[at] ?? -1;
      at = caller < at ? caller : -1;
    }
    return found;
  };
  const known = new Map<number, number[]>();
  program.stages.forEach((stage, place) => {
    const part = panes[place + 1];
    stage.items.stack.forEach((stack, item) => {
      if (stack < 0 || !part || item >= part.size) {
        return;
      }
      let found = known.get(stack);
      if (!found) {
        found = rowsOfStack(stack);
        known.set(stack, found);
      }
      const seen = new Set<number>();
      found.forEach((row, depth) => {
        if (row >= 0 && !seen.has(row)) {
          seen.add(row);
          connect(row, part.offset + item, depth === 0 ? DIRECT : CALL);
        }
      });
    });
  });
}

function edges(nodes: number, from: readonly number[], to: readonly number[], kinds: readonly number[]): Edges {
  const start = new Int32Array(nodes + 1);
  for (const node of from) {
    start[node + 1] = (start[node + 1] ?? 0) + 1;
  }
  for (let node = 0; node < nodes; node++) {
    start[node + 1] = (start[node + 1] ?? 0) + (start[node] ?? 0);
  }
  const next = start.slice();
  const end = new Int32Array(from.length);
  const kind = new Uint8Array(from.length);
  from.forEach((node, i) => {
    const at = next[node] ?? 0;
    next[node] = at + 1;
    end[at] = to[i] ?? 0;
    kind[at] = kinds[i] ?? 0;
  });
  return { start, end, kind };
}

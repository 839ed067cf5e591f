/** The index of a program's links: what each line of each pane holds, and what each item came from and became. Data alone. */
import { LINK_KINDS, type Program } from './protocol';

/** The codes of the edges that frames make, after those of the links. */
export const DIRECT = LINK_KINDS.length;
export const CALL = DIRECT + 1;

/** A row of the source pane: a line of a source, or the label above it (`line` -1). */
export interface SourceRow {
  readonly source: number;
  readonly line: number;
  readonly text: string;
}

/** Neighbours of all nodes, in one array with the start of each node's part. */
export interface Edges {
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly kind: Uint8Array;
}

export interface PaneItems {
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

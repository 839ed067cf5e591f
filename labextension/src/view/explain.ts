/** The sentence under the panes that says what a lit line is and became. */
import { oneLine } from '../record/figures';
import type { LinkIndex } from '../record/linkIndex';
import { fate, type Lit } from '../record/links';
import type { Program } from '../record/protocol';

const NOUNS: Readonly<Record<string, readonly [string, string]>> = {
  jaxpr: ['equation', 'equations'],
  stablehlo: ['operation', 'operations'],
  hlo: ['instruction', 'instructions']
};

/** Say where a line is, how many items of each stage belong to it, and what the compiler did to them. */
export function explain(program: Program, index: LinkIndex, lit: Lit, pane: number, line: number): string {
  const chain = [place(program, index, pane, line)];
  const rows = [...(lit.lines[0] ?? [])].filter(([, relation]) => relation === 'direct').map(([row]) => row);
  if (pane > 0 && rows.length > 0) {
    chain.push(`made by ${rows.slice(0, 4).map(row => place(program, index, 0, row)).join('; ')}${rows.length > 4 ? '; …' : ''}`);
  }
  const parts = program.stages.flatMap((stage, at) => {
    const count = lit.items[at + 1] ?? 0;
    const [one, many] = NOUNS[stage.id] ?? ['item', 'items'];
    return at + 1 === pane || count === 0 ? [] : [`${count.toLocaleString('en')} ${count === 1 ? one : many}`];
  });
  if (parts.length > 0) {
    chain.push(parts.join(' → '));
  } else if (pane === 0) {
    chain.push('nothing was traced here');
  }
  const notes = [
    lit.kinds.has('fused') && 'fused with others',
    lit.kinds.has('duplicated') && 'duplicated by the compiler',
    lit.removed > 0 && (fate(index, pane, line) === 'removed' ? 'optimised away' : `${lit.removed} optimised away`),
    lit.kinds.has('added') && 'added by the compiler'
  ].filter(note => note !== false);
  return chain.join(' · ') + (notes.length > 0 ? ` · ${notes.join(', ')}` : '');
}

function place(program: Program, index: LinkIndex, pane: number, line: number): string {
  const row = pane === 0 ? index.rows[line] : undefined;
  if (row) {
    const label = oneLine(program.sources[row.source]?.label ?? 'source', 60);
    return row.line < 0 ? label : `${label}, line ${row.line}`;
  }
  return `${oneLine(program.stages[pane - 1]?.title ?? '', 60)}, line ${line + 1}`;
}

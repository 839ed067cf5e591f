/** Colours by source line, subtle and safe for colour-blind readers: the hues of Okabe and Ito. */
import { oneLine } from '../record/figures';
import type { LinkIndex } from '../record/linkIndex';
import { made, origins } from '../record/links';
import type { Program } from '../record/protocol';
import type { Mark } from './pane';

export const HUES = ['#e69f00', '#56b4e9', '#009e73', '#cc79a7', '#0072b2', '#d55e00', '#b8a900'] as const;

/** The hue of each source row (null where it made nothing), and the number of equations that it made. */
export interface Colouring {
  readonly hues: readonly (number | null)[];
  readonly counts: Int32Array;
}

/** Neighbouring lines that made something take different hues. */
export function colouring(index: LinkIndex): Colouring {
  const counts = made(index);
  let next = 0;
  return { counts, hues: Array.from(counts, count => (count > 0 ? next++ % HUES.length : null)) };
}

/** The mark of a source row: how many equations it made. */
export function sourceMark({ hues, counts }: Colouring, row: number): Mark {
  const count = counts[row] ?? 0;
  const title = count > 0 ? `${count} ${count === 1 ? 'equation' : 'equations'} made by this line` : '';
  return { text: count > 0 ? `×${count}` : '', hue: hues[row] ?? null, title };
}

/** The mark of a stage's line: the numbers of the source lines that it comes from, with a prime (′) for another cell or file. */
export function stageMark(program: Program, index: LinkIndex, { hues }: Colouring, pane: number, line: number): Mark {
  const rows = origins(index, pane, line).flatMap(at => index.rows[at] ?? []);
  const numbers = rows.map(row => `${row.line}${row.source > 0 ? '′' : ''}`);
  const places = rows.map(row => `${oneLine(program.sources[row.source]?.label ?? '', 40)}, line ${row.line}`);
  const [first = '', second] = numbers;
  const text = second === undefined ? first : `${first}${numbers.length > 2 ? '…' : ','}${numbers[numbers.length - 1] ?? ''}`;
  const at = rows[0] ? index.rows.indexOf(rows[0]) : -1;
  return { text, hue: hues[at] ?? null, title: places.length > 0 ? `from ${places.join('; ')}` : '' };
}

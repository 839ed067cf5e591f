/** The tables below the panes: what went in and came out, how long it took, what it costs, and why it was compiled. */
import { count, duration, oneLine } from '../record/figures';
import type { Summary } from '../record/protocol';
import { element } from './dom';

const MOST_ROWS = 200;
const LONGEST = 160;

type Row = readonly string[];

/** All tables that have something to show. */
export function tables(summary: Summary): HTMLElement {
  const { timings, caching, cost } = summary;
  const time = (name: string, seconds: number | null): Row[] => (seconds === null ? [] : [[name, duration(seconds)]]);
  const amount = (name: string, value: number | null, unit: string): Row[] =>
    value === null ? [] : [[name, count(value, unit).trim()]];
  const text = (name: string, value: string): Row[] => (value ? [[name, value]] : []);
  const program = { compiled: 'compiled now', disk: 'loaded from the disk cache', reused: 'reused' };
  return element(
    'div',
    { class: 'jl-tables' },
    table('Inputs', ['name', 'type', '', 'why'], summary.inputs.map(({ name, type, role, why }) => [name, type, role, why])),
    table('Outputs', ['name', 'type'], summary.outputs.map(({ name, type }) => [name || '(shown)', type])),
    table('Time', [], [
      ...time('trace', timings.trace),
      ...time('lower', timings.lower),
      ...time(caching.outcome === 'disk' ? 'load from disk' : 'compile', timings.compile),
      ...time('run', timings.run)
    ]),
    table('Program', [], [
      ...text('origin', caching.outcome ? program[caching.outcome] : ''),
      ...text(caching.outcome ? 'new because' : 'note', caching.reason),
      ...text('traced at', caching.traced_at),
      ...text('reused', caching.hits > 0 ? `${caching.hits} times` : ''),
      ...summary.transformations.flatMap(({ name, options }) => text(name, options)),
      ...text('file', summary.file)
    ], summary.producer && `made by ${summary.producer}`),
    table('Cost', [], [
      ...amount('operations', cost.flops, 'flop'),
      ...amount('transcendentals', cost.transcendentals, ''),
      ...amount('memory traffic', cost.bytes_accessed, 'B'),
      ...amount('peak memory', cost.peak_bytes, 'B'),
      ...amount('arguments', cost.argument_bytes, 'B'),
      ...amount('outputs', cost.output_bytes, 'B')
    ])
  );
}

function table(title: string, head: Row, rows: readonly Row[], hint = ''): HTMLElement | null {
  if (rows.length === 0) {
    return null;
  }
  const filled = (_: string, column: number) => rows.some(row => row[column]);
  const cells = (row: Row) => row.filter(filled).map(text => element('td', { title: text.length > LONGEST && oneLine(text, 1000) }, oneLine(text, LONGEST)));
  return element(
    'table',
    { class: 'jl-table' },
    element('caption', { title: hint !== '' && hint }, title),
    head.length > 0 && element('thead', {}, element('tr', {}, ...head.filter(filled).map(text => element('th', { scope: 'col' }, text)))),
    element(
      'tbody',
      {},
      ...rows.slice(0, MOST_ROWS).map(row => element('tr', {}, ...cells(row))),
      rows.length > MOST_ROWS && element('tr', {}, element('td', { colspan: 4 }, `… ${rows.length - MOST_ROWS} more`))
    )
  );
}

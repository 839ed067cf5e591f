import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { count, duration, figures, oneLine } from '../src/record/figures';
import { buildIndex } from '../src/record/linkIndex';
import { fate, follow, made, origins } from '../src/record/links';
import { unpackInts, unpackText } from '../src/record/packing';
import { readProgram, readSummary, RecordFormatError } from '../src/record/protocol';
import { search } from '../src/record/search';
import { tokens } from '../src/record/tokens';

interface Fixture {
  readonly record: Record<string, unknown>;
  readonly figures: string;
  readonly sizes: readonly number[];
  readonly lit: readonly { readonly pane: number; readonly line: number; readonly lines: readonly number[][] }[];
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8')) as Fixture;

describe.each(['digits', 'failed'])('the record of %s that Python wrote', name => {
  const { record, figures: line, sizes, lit } = fixture(name);

  it('has the same line of figures', () => {
    expect(figures(readSummary(record)).map(figure => figure.text).join(' · ')).toBe(line);
  });

  it('has texts of the same length', async () => {
    const program = await readProgram(record);
    expect(buildIndex(program).panes.map(pane => pane.lines)).toEqual(sizes);
  });

  it('lights the same lines from every line of every pane', async () => {
    const index = buildIndex(await readProgram(record));
    for (const { pane, line: at, lines } of lit) {
      const found = follow(index, pane, at).lines.map(part => [...part.keys()].sort((a, b) => a - b));
      expect(found, `pane ${pane}, line ${at}`).toEqual(lines);
    }
  });
});

describe('links', () => {
  it('say how: fused, duplicated, optimised away, added, called', async () => {
    const index = buildIndex(await readProgram(fixture('digits').record));
    const equations = await readProgram(fixture('digits').record).then(program => program.stages[0]?.lines ?? []);
    const tanh = equations.findIndex(line => line.includes('= tanh'));
    expect([...(follow(index, 1, tanh).lines[3]?.values() ?? [])]).toContain('duplicated');
    expect(follow(index, 1, tanh).lines[0]?.get(2)).toBe('call'); // the line that called the helper
    const abs = equations.findIndex(line => line.includes('= abs'));
    expect(fate(index, 1, abs)).toBe('removed');
    expect(follow(index, 1, abs).removed).toBeGreaterThan(0);
    expect(fate(index, 3, (index.panes[3]?.lines ?? 0) - 2)).toBe('added');
    expect(fate(index, 1, tanh)).toBeNull();
  });

  it('count the equations of each source line and name the lines of each equation', async () => {
    const index = buildIndex(await readProgram(fixture('digits').record));
    expect(made(index)[3]).toBe(6);
    expect(origins(index, 1, 7).map(row => index.rows[row]?.line)).toEqual([3]);
    expect(origins(index, 1, 0)).toEqual([]);
  });

  it('light the head of an equation with a body, and the body apart from it', async () => {
    const items = { first: [1, 2, 5], last: [4, 2, 5], name: [0, 0, 0], stack: [-1, -1, -1] };
    const stage = { id: 'jaxpr', title: '', language: '', text: 'scan\nadd\n\n]\nmul', note: '', items };
    const index = buildIndex(await readProgram({ ...fixture('digits').record, stages: [stage], links: [] }));
    const from = (line: number) => [...(follow(index, 1, line).lines[1]?.keys() ?? [])].sort();
    expect(from(0)).toEqual([0, 2, 3]);
    expect(from(1)).toEqual([1]);
    expect(from(4)).toEqual([4]);
  });

  it('that point nowhere are left out', async () => {
    const { record } = fixture('digits');
    const links = [
      { before: 'jaxpr', after: 'hlo', from: [-5, 99999, 0, 0], to: [0, 0, 99999, 0], kind: [0, 0, 0, 88] },
      { before: 'hlo', after: 'jaxpr', from: [0], to: [0], kind: [0] },
      { before: 'nothing', after: 'hlo', from: [0], to: [0], kind: [0] }
    ];
    const stacks = { frame: [99, 0], caller: [1, 0] };
    const index = buildIndex(await readProgram({ ...record, links, stacks }));
    expect(follow(index, 1, 1).lines[3]?.size).toBe(0);
  });
});

describe('what is not a record', () => {
  it.each([[null], [[]], [{ format: 'else' }], ['text']])('%j is said so', value => {
    expect(() => readSummary(value)).toThrow(RecordFormatError);
  });

  it('names the version of a later one', () => {
    const later = { ...fixture('digits').record, version: 2, producer: 'jaxlab 9' };
    expect(() => readSummary(later)).toThrow('version 2, but this front end reads version 1: install the jaxlab that wrote it (jaxlab 9)');
  });

  it('of the right format but without fields is empty', () => {
    expect(figures(readSummary({ format: 'jaxlab.record', version: 1 }))).toHaveLength(1);
  });

  it.each([[{ zlib: 'AAAA' }], [{ zlib: '!' }], [{}], [null], [7]])('the packed value %j is an error', async value => {
    await expect(unpackText(value)).rejects.toThrow();
    await expect(unpackInts(value)).rejects.toThrow();
  });
});

describe('units', () => {
  it.each([[0, '0.0 ns'], [9.96e-9, '10 ns'], [12.5e-6, '13 µs'], [0.9996, '1.0 s'], [59.9, '60 s'], [60, '1 min 0 s']])(
    '%d s',
    (seconds, text) => { expect(duration(seconds)).toBe(text); }
  );
  it.each([[999, '999 B'], [1000, '1.0 kB'], [9.96e3, '10 kB'], [1e21, '1000 EB']])('%d bytes', (value, text) => {
    expect(count(value, 'B')).toBe(text);
  });
  it('makes controls and direction marks visible', () => {
    expect(oneLine('a\u001b[31m\u202eb\n c', 80)).toBe('a\\x1b[31m\\u202eb c');
  });
});

describe('tokens', () => {
  const kinds = (line: string, language: string) =>
    Object.fromEntries(tokens(line, language).map(({ kind, text }) => [text.trim(), kind]));

  it.each(['python', 'jaxpr', 'mlir', 'hlo', 'else'])('of %s are the whole line', language => {
    for (const line of ['a:f32[2] = add b 1.5e3 # "x', '  %0 = stablehlo.add %1, %2 : tensor<2xf32>', "'''", '', '"\\']) {
      expect(tokens(line, language).map(token => token.text).join('')).toBe(line);
    }
  });

  it('are told apart', () => {
    expect(kinds('return jnp.sum(x) # why', 'python')).toMatchObject({ return: 'keyword', sum: 'name', '# why': 'comment' });
    expect(kinds('b:f32[3] = reduce_sum[axes=(0,)] a', 'jaxpr')).toMatchObject({ ':f32[3]': 'type', reduce_sum: 'operation', axes: 'name' });
    expect(kinds('%0 = stablehlo.sine %arg0 : tensor<3xf32>', 'mlir')).toMatchObject({ '%0': 'name', 'stablehlo.sine': 'operation', 'tensor<3xf32>': 'type' });
    expect(kinds('ROOT %a.1 = f32[3]{0} fusion(%b), kind=kLoop', 'hlo')).toMatchObject({ ROOT: 'keyword', 'f32[3]{0}': 'type', fusion: 'operation' });
  });

  it('of a line of 100,000 characters come at once', () => {
    const start = performance.now();
    for (const language of ['python', 'jaxpr', 'mlir', 'hlo']) {
      tokens('"'.repeat(1200), language);
      tokens('tensor<'.repeat(170), language);
      tokens('f32['.repeat(300), language);
    }
    expect(performance.now() - start).toBeLessThan(300);
  });
});

describe('search', () => {
  it('ignores case unless a capital is asked for', () => {
    expect(search(['Add add', 'x', 'ADD'], 'add')).toHaveLength(3);
    expect(search(['Add add', 'x', 'ADD'], 'Add')).toEqual([{ line: 0, column: 0 }]);
    expect(search(['a'], '')).toEqual([]);
    expect(search(['aaaa'], 'aa')).toHaveLength(2);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { lineNodes } from '../src/view/row';
import { mount } from '../src/view/view';
import widget from '../src/widget';

const record = (name: string) =>
  (JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8')) as { record: Record<string, unknown> }).record;

const opened = async (value: unknown) => {
  const node = document.createElement('div');
  document.body.append(node);
  const unmount = mount(node, value);
  node.querySelector<HTMLElement>('.jl-line')!.click();
  await vi.waitUntil(() => node.querySelector('.jl-program, [role=alert]'));
  return { node, unmount };
};

afterEach(() => { document.body.replaceChildren(); });

describe('the view', () => {
  it('is folded to the line of figures, and opens no text before it is asked to', () => {
    const node = document.createElement('div');
    mount(node, record('digits'));
    const line = node.querySelector('.jl-line')!;
    expect(line.textContent).toContain('jit(grad(cell)) · cpu:0 · traced 3.1 ms');
    expect(line.getAttribute('aria-expanded')).toBe('false');
    expect(node.querySelector('.jl-body')!.children).toHaveLength(0);
  });

  it('unfolds to panes and tables, and folds again', async () => {
    const { node } = await opened(record('digits'));
    expect([...node.querySelectorAll('.jl-pane-title')].map(title => title.textContent)).toEqual(['Source', 'jaxpr', 'StableHLO', 'Optimised HLO']);
    expect([...node.querySelectorAll('caption')].map(title => title.textContent)).toEqual(['Inputs', 'Outputs', 'Time', 'Program', 'Cost']);
    const line = node.querySelector<HTMLElement>('.jl-line')!;
    expect(line.getAttribute('aria-expanded')).toBe('true');
    line.click();
    expect(node.querySelector<HTMLElement>('.jl-body')!.hidden).toBe(true);
  });

  it('shows the problems of a partial record, and why stages are missing', async () => {
    const { node } = await opened(record('failed'));
    expect(node.querySelector('.jl-problem-error')!.textContent).toContain('picked[picked < 0]');
    expect(node.textContent).toContain('not reached: tracing stopped at an error');
    expect(node.querySelector('.jl-line')!.textContent).toContain('1 warning');
  });

  it('switches panes off and on, and keeps the last one', async () => {
    const { node } = await opened(record('digits'));
    const toggles = [...node.querySelectorAll<HTMLElement>('.jl-toggles .jl-toggle')];
    toggles[1]!.click();
    expect(toggles.map(toggle => toggle.getAttribute('aria-pressed'))).toEqual(['true', 'false', 'true', 'true']);
    expect(node.querySelectorAll('.jl-pane')).toHaveLength(3);
    toggles.filter((_, at) => at !== 1).forEach(toggle => { toggle.click(); });
    expect(node.querySelectorAll('.jl-pane')).toHaveLength(1);
  });

  it('says what is wrong with what it cannot read', async () => {
    const node = document.createElement('div');
    mount(node, { format: 'jaxlab.record', version: 99 });
    expect(node.querySelector('[role=alert]')!.textContent).toContain('version 99');
    const { node: other } = await opened({ ...record('digits'), stages: [{ id: 'hlo', text: { zlib: 'AAAA' } }] });
    expect(other.querySelector('[role=alert]')!.textContent).toContain('damaged');
    expect(other.querySelectorAll('caption').length).toBeGreaterThan(0);
  });

  it('takes itself down', async () => {
    const { node, unmount } = await opened(record('digits'));
    unmount();
    expect(node.children).toHaveLength(0);
  });
});

describe('a row', () => {
  const html = (nodes: Node[]) => {
    const node = document.createElement('div');
    node.append(...nodes);
    return node;
  };

  it('shows markup, controls and direction marks as text', () => {
    const node = html(lineNodes('<img src=x onerror=alert(1)>\u001b[1m\u202e', 'python', [], 0));
    expect(node.querySelector('img')).toBeNull();
    expect(node.textContent).toBe('<img src=x onerror=alert(1)>\\x1b[1m\\u202e');
  });

  it('marks matches across tokens', () => {
    const node = html(lineNodes('b:f32[3] = sin a', 'jaxpr', [8], 6));
    expect([...node.querySelectorAll('.jl-match')].map(match => match.textContent).join('')).toBe(' = sin');
    expect(node.textContent).toBe('b:f32[3] = sin a');
  });

  it('is cut where it is very long', () => {
    expect(html(lineNodes('x'.repeat(100_000), 'hlo', [], 0)).textContent).toMatch(/^x{1200}… 98,800 more characters$/);
  });
});

describe('the widget', () => {
  it('draws the record, draws another one, and cleans up', () => {
    const listeners = new Set<() => void>();
    let value: unknown = record('digits');
    const model = {
      get: () => value,
      on: (_: string, listener: () => void) => listeners.add(listener),
      off: (_: string, listener: () => void) => listeners.delete(listener)
    };
    const el = document.createElement('div');
    const { render } = widget as unknown as { render: (context: unknown) => () => void };
    const cleanup = render({ model, el });
    expect(el.textContent).toContain('jit(grad(cell))');
    value = { format: 'jaxlab.record', version: 1, name: 'other' };
    listeners.forEach(listener => { listener(); });
    expect(el.textContent).toContain('other');
    cleanup();
    expect(el.children).toHaveLength(0);
    expect(listeners.size).toBe(0);
  });
});

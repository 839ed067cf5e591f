/** The view of a record: a folded line of figures, and unfolded the panes, the problems and the tables. */
import { figures, oneLine } from '../record/figures';
import { readProgram, readSummary, RecordFormatError, type Problem, type Summary } from '../record/protocol';
import { element, uniqueId } from './dom';
import { Panes } from './panes';
import { STYLE } from './style';
import { tables } from './tables';

/** Draw a record (its JSON, from anyone) into a node; the returned function takes it down. */
export function mount(node: HTMLElement, value: unknown): () => void {
  let summary: Summary;
  try {
    summary = readSummary(value);
  } catch (error) {
    node.replaceChildren(root(message(error)));
    return () => { node.replaceChildren(); };
  }
  let panes: Panes | null = null;
  let gone = false;
  const body = element('div', { class: 'jl-body', id: uniqueId('body'), hidden: true });
  const unfold = async () => {
    body.replaceChildren(element('p', { class: 'jl-note' }, 'opening…'));
    try {
      const program = await readProgram(value);
      if (gone) {
        return;
      }
      panes = new Panes(program, summary.problems);
      body.replaceChildren(...summary.problems.slice(0, 50).map(problem), panes.node, tables(summary));
    } catch (error) {
      body.replaceChildren(message(error), tables(summary));
    }
  };
  const line = element(
    'button',
    {
      type: 'button',
      class: 'jl-line',
      'aria-expanded': false,
      'aria-controls': body.id,
      click: () => {
        const open = line.getAttribute('aria-expanded') !== 'true';
        line.setAttribute('aria-expanded', String(open));
        body.hidden = !open;
        if (open && !panes) {
          void unfold();
        }
      }
    },
    element('span', { class: 'jl-chevron', 'aria-hidden': true }),
    element('span', { class: 'jl-figures' }, ...lineParts(summary))
  );
  node.replaceChildren(root(line, body));
  return () => {
    gone = true;
    panes?.dispose();
    node.replaceChildren();
  };
}

/**
 * The root keeps keys pressed inside from the notebook, where `d d` deletes the cell. Shortcuts with Ctrl, such as the
 * one that saves, still reach it. (Lumino's `data-lm-suppress-shortcuts` would not do: it is looked for above the
 * element that has the focus, and the notebook's selectors match that one first.)
 */
function root(...children: Node[]): HTMLElement {
  const style = element('style');
  style.textContent = STYLE;
  const keydown = (event: KeyboardEvent) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) {
      event.stopPropagation();
    }
  };
  return element('div', { class: 'jaxlab-Record', keydown }, style, ...children);
}

function lineParts(summary: Summary): (Node | string)[] {
  const parts: (Node | string)[] = [];
  for (const { text, tone } of figures(summary)) {
    if (parts.length > 0) {
      parts.push(' · ');
    }
    parts.push(element('span', { class: `jl-figure jl-tone-${tone}` }, text));
  }
  const warnings = summary.problems.filter(entry => entry.severity === 'warning').length;
  if (warnings > 0) {
    parts.push(' · ', element('span', { class: 'jl-figure jl-tone-warning' }, `⚠ ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`));
  }
  return parts;
}

function problem({ severity, text }: Problem): HTMLElement {
  const mark = severity === 'error' ? '✗ error: ' : '⚠ warning: ';
  return element('p', { class: `jl-problem jl-problem-${severity}` }, element('b', {}, mark), oneLine(text, 600));
}

function message(error: unknown): HTMLElement {
  const known = error instanceof RecordFormatError;
  const text = known ? error.message : `This record is damaged: ${error instanceof Error ? error.message : String(error)}`;
  return element('p', { class: 'jl-problem jl-problem-error', role: 'alert' }, oneLine(text, 500));
}

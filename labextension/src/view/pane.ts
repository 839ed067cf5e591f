/** One pane: a title, the lines of a text with their marks, a search, a copy button and an overview at its edge. */
import type { Relation } from '../record/links';
import { oneLine, visible } from '../record/figures';
import { search, type Match } from '../record/search';
import { element, icon, uniqueId } from './dom';
import { VirtualList } from './list';
import { Overview } from './overview';
import { lineNodes } from './row';

/** The mark left of a line: a short text, the hue of the source line it belongs to, and the explanation on pointing. */
export interface Mark {
  readonly text: string;
  readonly hue: number | null;
  readonly title: string;
}

export interface PaneOptions {
  readonly title: string;
  readonly language: string;
  readonly lines: readonly string[];
  /** Why there are no lines. */
  readonly note: string;
  /** The number of a line, "" for a label between texts. */
  readonly number: (line: number) => string;
  readonly mark: (line: number) => Mark;
  /** Lines that an error or a warning points to. */
  readonly problems: ReadonlyMap<number, 'error' | 'warning'>;
  readonly onPoint: (line: number | null) => void;
  readonly onMove: (line: number) => void;
  readonly onChoose: (line: number) => void;
}

/** How a lit line is marked for those who do not see the colour. */
const GLYPHS: Readonly<Record<Relation, string>> = {
  here: '▶',
  direct: '●',
  call: '○',
  same: '●',
  expanded: '◆',
  fused: '⊕',
  duplicated: '⇉',
  removed: '∅',
  added: '+'
};
const WORDS: Readonly<Record<Relation, string>> = {
  here: 'this line',
  direct: 'made here',
  call: 'called from here',
  same: 'one to one',
  expanded: 'one of several that it became',
  fused: 'fused with others',
  duplicated: 'one of several copies',
  removed: 'optimised away',
  added: 'added by the compiler'
};

const SEARCH = 'M11 6.5a4.5 4.5 0 1 1-9 0a4.5 4.5 0 0 1 9 0M10 10l4 4';
const COPY = 'M5.5 5.5h8v8h-8zM10.5 3v-.5h-8v8h.5';

export class Pane {
  readonly node: HTMLElement;
  readonly id = uniqueId('pane');
  readonly title: string;
  readonly list: VirtualList;
  private readonly overview: Overview;
  private readonly litNote = element('span', { class: 'jl-lit-note' });
  private readonly searchNote = element('span', { class: 'jl-search-note', 'aria-live': 'polite' });
  private readonly searchInput: HTMLInputElement;
  private readonly searchBar: HTMLElement;
  private lit: ReadonlyMap<number, Relation> = new Map();
  private matches: readonly Match[] = [];
  private byLine = new Map<number, number[]>();
  private current = -1;

  constructor(private readonly options: PaneOptions) {
    const { lines } = options;
    const title = oneLine(options.title, 60);
    this.title = title;
    this.list = new VirtualList({
      label: `${title}, ${lines.length} lines`,
      size: lines.length,
      width: Math.min(1250, lines.reduce((most, line) => Math.max(most, line.length), 0)),
      fill: (row, line) => { this.fill(row, line); },
      mark: (row, line) => { this.mark(row, line); },
      onPoint: options.onPoint,
      onMove: options.onMove,
      onChoose: options.onChoose,
      onScroll: () => { this.overview.draw(); },
      copied: range => this.copied(range)
    });
    this.overview = new Overview(this.list, lines.length);
    this.searchInput = element('input', {
      type: 'search',
      class: 'jl-search-input',
      placeholder: 'Search',
      'aria-label': `Search in ${title}`,
      input: () => { this.find(); },
      keydown: (event: KeyboardEvent) => { this.searchKey(event); }
    });
    this.searchBar = element('div', { class: 'jl-search', hidden: true }, this.searchInput, this.searchNote);
    this.node = element(
      'section',
      { class: lines.length > 0 ? 'jl-pane' : 'jl-pane jl-pane-empty', id: this.id, 'aria-label': title, keydown: (event: KeyboardEvent) => { this.shortcut(event); } },
      this.header(),
      this.searchBar,
      lines.length > 0
        ? element('div', { class: 'jl-pane-body' }, this.list.node, this.overview.node)
        : element('p', { class: 'jl-note' }, visible(options.note) || 'empty')
    );
  }

  dispose(): void {
    this.list.dispose();
    this.overview.dispose();
  }

  /** Light these lines and no others. */
  light(lit: ReadonlyMap<number, Relation>): void {
    this.lit = lit;
    const others = [...lit.values()].filter(relation => relation !== 'here').length;
    this.litNote.textContent = others > 0 ? `${others} lit` : '';
    this.list.refresh();
    this.overview.show([...lit.keys()], this.matches.map(match => match.line));
  }

  /** Scroll the first lit line into view, unless one is in view. */
  reveal(): void {
    const lit = [...this.lit.keys()].sort((a, b) => a - b);
    const [first] = lit;
    const [from, to] = this.list.viewport();
    const size = this.options.lines.length;
    if (first !== undefined && !lit.some(line => line >= from * size && line + 1 <= to * size)) {
      this.list.reveal(first, true);
    }
    if (first !== undefined) {
      this.list.active = first;
    }
  }

  /** Draw the marks anew, after colours were switched. */
  redraw(): void {
    this.list.redraw();
    this.overview.draw();
  }

  private header(): HTMLElement {
    const { title } = this;
    const { lines } = this.options;
    if (lines.length === 0) {
      return element('header', { class: 'jl-pane-head' }, element('span', { class: 'jl-pane-title' }, title));
    }
    return element(
      'header',
      { class: 'jl-pane-head' },
      element('span', { class: 'jl-pane-title', title }, title),
      element('span', { class: 'jl-faint' }, `${lines.length.toLocaleString('en')} lines`),
      this.litNote,
      element(
        'button',
        { type: 'button', class: 'jl-tool', title: 'Search (Ctrl+F)', 'aria-label': `Search in ${title}`, click: () => { this.openSearch(); } },
        icon(SEARCH)
      ),
      element(
        'button',
        { type: 'button', class: 'jl-tool', title: 'Copy the whole text', 'aria-label': `Copy ${title}`, click: (event: MouseEvent) => { void this.copyAll(event); } },
        icon(COPY)
      )
    );
  }

  private fill(row: HTMLElement, line: number): void {
    const { options } = this;
    const number = options.number(line);
    if (!number) {
      row.classList.add('jl-label');
    }
    const { text, hue, title } = options.mark(line);
    row.append(
      element(
        'span',
        { class: 'jl-gutter' },
        element('span', { class: 'jl-number' }, number),
        element('span', { class: 'jl-glyph', 'aria-hidden': true }),
        element('span', { class: 'jl-mark', title }, text)
      ),
      element('span', { class: 'jl-text' }, ...lineNodes(options.lines[line] ?? '', number ? options.language : '', this.byLine.get(line) ?? [], this.searchInput.value.length))
    );
    if (hue !== null) {
      row.classList.add('jl-tinted', `jl-hue-${hue}`);
    }
    const problem = options.problems.get(line);
    if (problem) {
      row.classList.add(`jl-${problem}`);
    }
  }

  private mark(row: HTMLElement, line: number): void {
    const relation = this.lit.get(line);
    row.classList.toggle('jl-lit', relation !== undefined);
    row.classList.toggle('jl-lit-weak', relation === 'call');
    row.setAttribute('aria-selected', String(relation !== undefined));
    const glyph = row.querySelector('.jl-glyph');
    const problem = this.options.problems.get(line);
    if (glyph instanceof HTMLElement) {
      glyph.textContent = relation ? GLYPHS[relation] : problem === 'error' ? '✗' : problem === 'warning' ? '!' : '';
      glyph.title = relation ? WORDS[relation] : (problem ?? '');
    }
  }

  private shortcut(event: KeyboardEvent): void {
    if ((event.ctrlKey || event.metaKey) && event.key === 'f' && this.options.lines.length > 0) {
      event.preventDefault();
      event.stopPropagation();
      this.openSearch();
    }
  }

  private openSearch(): void {
    this.searchBar.hidden = false;
    this.searchInput.focus();
    this.searchInput.select();
  }

  private searchKey(event: KeyboardEvent): void {
    if (event.key === 'Enter') {
      this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === 'Escape') {
      this.searchInput.value = '';
      this.find();
      this.searchBar.hidden = true;
      this.list.node.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private find(): void {
    this.matches = search(this.options.lines, this.searchInput.value);
    this.byLine = new Map();
    for (const { line, column } of this.matches) {
      this.byLine.set(line, [...(this.byLine.get(line) ?? []), column]);
    }
    const from = this.list.viewport()[0] * this.options.lines.length;
    this.current = Math.max(0, this.matches.findIndex(match => match.line >= from)) - 1;
    this.list.redraw();
    this.step(1);
  }

  private step(by: number): void {
    const size = this.matches.length;
    this.overview.show([...this.lit.keys()], this.matches.map(match => match.line));
    if (size === 0) {
      this.searchNote.textContent = this.searchInput.value ? 'none' : '';
      return;
    }
    this.current = (this.current + by + size) % size;
    this.searchNote.textContent = `${this.current + 1} of ${size}`;
    const match = this.matches[this.current];
    if (match) {
      this.list.reveal(match.line, true);
      this.list.active = match.line;
      this.options.onMove(match.line);
    }
  }

  private copied(range: readonly [number, number] | null): string {
    const { lines } = this.options;
    if (range) {
      return lines.slice(range[0], range[1] + 1).join('\n');
    }
    const lit = [...this.lit.keys()].sort((a, b) => a - b);
    return (lit.length > 0 ? lit : [this.list.active]).map(line => lines[line] ?? '').join('\n');
  }

  private async copyAll(event: MouseEvent): Promise<void> {
    const button = event.currentTarget;
    const done = await copyText(this.options.lines.join('\n'));
    if (button instanceof HTMLElement) {
      button.replaceChildren(done ? '✓' : '✗');
      setTimeout(() => { button.replaceChildren(icon(COPY)); }, 1200);
    }
  }
}

async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no permission, or a page without https
  }
}

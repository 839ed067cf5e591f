/**
 * A list of text lines of one height, of which only the visible ones are in the page: 10,000 lines open in
 * milliseconds and scroll smoothly. A listbox to a screen reader, one stop of the Tab key.
 */
import { element, uniqueId } from './dom';

export const ROW_HEIGHT = 18;
const OVERSCAN = 6;

export interface ListOptions {
  readonly label: string;
  readonly size: number;
  /** The widest row in characters, for the horizontal scroll bar. */
  readonly width: number;
  /** Fill a new row. */
  readonly fill: (row: HTMLElement, index: number) => void;
  /** Set what changes while a row stays: its classes, its mark. */
  readonly mark: (row: HTMLElement, index: number) => void;
  readonly onPoint: (index: number | null) => void;
  readonly onMove: (index: number) => void;
  readonly onChoose: (index: number) => void;
  readonly onScroll: () => void;
  /** The text of the lines that are copied, given the selected ones, or null for those that the pane deems chosen. */
  readonly copied: (range: readonly [number, number] | null) => string;
}

export class VirtualList {
  readonly node: HTMLElement;
  /** The line that the keyboard is at. */
  active = 0;
  /** The other end of the lines selected by the keyboard, null for none. */
  private anchor: number | null = null;
  private readonly content: HTMLElement;
  private readonly rows = new Map<number, HTMLElement>();
  private readonly id = uniqueId('row');
  private readonly observer: ResizeObserver;
  private pointed: number | null = null;

  constructor(private readonly options: ListOptions) {
    const { label, size, width } = options;
    this.content = element('div', {
      class: 'jl-rows',
      role: 'presentation',
      style: `height:${size * ROW_HEIGHT}px;min-width:calc(${width}ch + 110px)`
    });
    this.node = element(
      'div',
      {
        class: 'jl-list',
        role: 'listbox',
        tabindex: 0,
        'aria-label': label,
        'aria-multiselectable': true,
        copy: (event: ClipboardEvent) => { this.copy(event); },
        keydown: (event: KeyboardEvent) => { this.keydown(event); },
        pointermove: (event: PointerEvent) => { this.point(this.indexAt(event.target)); },
        pointerleave: () => { this.point(null); },
        click: (event: MouseEvent) => { this.click(event); },
        scroll: () => { this.render(); options.onScroll(); },
        focus: () => { this.refresh(); },
        blur: () => { this.refresh(); }
      },
      this.content
    );
    this.observer = new ResizeObserver(() => { this.render(); });
    this.observer.observe(this.node);
  }

  dispose(): void {
    this.observer.disconnect();
  }

  /** Bring the marks of the visible rows up to date. */
  refresh(): void {
    this.rows.forEach((row, index) => { this.mark(row, index); });
    const active = this.rows.get(this.active);
    if (active) {
      this.node.setAttribute('aria-activedescendant', active.id);
    } else {
      this.node.removeAttribute('aria-activedescendant');
    }
  }

  /** Fill the visible rows anew. */
  redraw(): void {
    this.rows.forEach(row => { row.remove(); });
    this.rows.clear();
    this.render();
  }

  /** Scroll a line into view: just so far as needed, or to the middle. */
  reveal(index: number, middle: boolean): void {
    const { node } = this;
    const top = index * ROW_HEIGHT;
    const inside = top >= node.scrollTop && top + ROW_HEIGHT <= node.scrollTop + node.clientHeight;
    if (inside) {
      return;
    }
    if (middle) {
      node.scrollTop = top - (node.clientHeight - ROW_HEIGHT) / 2;
    } else {
      node.scrollTop = top < node.scrollTop ? top : top + ROW_HEIGHT - node.clientHeight;
    }
    this.render();
  }

  /** Move the keyboard's line there and show it. */
  activate(index: number): void {
    this.active = Math.max(0, Math.min(this.options.size - 1, index));
    this.reveal(this.active, false);
    this.refresh();
  }

  /** The visible part, as fractions of the whole. */
  viewport(): readonly [number, number] {
    const { scrollTop, clientHeight, scrollHeight } = this.node;
    return [scrollTop / scrollHeight, (scrollTop + clientHeight) / scrollHeight];
  }

  /** The lines selected by the keyboard, both ends included. */
  range(): readonly [number, number] | null {
    return this.anchor === null
      ? null
      : [Math.min(this.anchor, this.active), Math.max(this.anchor, this.active)];
  }

  render(): void {
    const { scrollTop, clientHeight } = this.node;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - OVERSCAN);
    const last = Math.min(this.options.size, Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + OVERSCAN);
    this.rows.forEach((row, index) => {
      if (index < first || index >= last) {
        row.remove();
        this.rows.delete(index);
      }
    });
    // In the order of the lines, so that a selection with the mouse reads in it.
    const before = document.createDocumentFragment();
    const after = document.createDocumentFragment();
    const [lowest = Infinity] = [...this.rows.keys()].sort((a, b) => a - b);
    for (let index = first; index < last; index++) {
      if (!this.rows.has(index)) {
        const row = element('div', {
          class: 'jl-row',
          role: 'option',
          id: `${this.id}-${index}`,
          'aria-posinset': index + 1,
          'aria-setsize': this.options.size,
          'data-index': index,
          style: `top:${index * ROW_HEIGHT}px`
        });
        this.options.fill(row, index);
        this.mark(row, index);
        this.rows.set(index, row);
        (index < lowest ? before : after).append(row);
      }
    }
    this.content.prepend(before);
    this.content.append(after);
  }

  private mark(row: HTMLElement, index: number): void {
    const range = this.range();
    row.classList.toggle('jl-active', index === this.active && this.node.matches(':focus'));
    row.classList.toggle('jl-selected', range !== null && range[0] <= index && index <= range[1]);
    this.options.mark(row, index);
  }

  private point(index: number | null): void {
    if (index !== this.pointed) {
      this.pointed = index;
      this.options.onPoint(index);
    }
  }

  private click(event: MouseEvent): void {
    const index = this.indexAt(event.target);
    // The end of selecting text with the mouse is a click too; it chooses nothing.
    if (index !== null && (document.getSelection()?.isCollapsed ?? true)) {
      this.anchor = event.shiftKey ? (this.anchor ?? this.active) : null;
      this.active = index;
      this.refresh();
      this.options.onChoose(index);
    }
  }

  private copy(event: ClipboardEvent): void {
    if (document.getSelection()?.isCollapsed ?? true) {
      event.clipboardData?.setData('text/plain', this.options.copied(this.range()));
      event.preventDefault();
    }
  }

  private indexAt(target: EventTarget | null): number | null {
    const row = target instanceof Element ? target.closest('.jl-row') : null;
    return row instanceof HTMLElement ? Number(row.dataset.index) : null;
  }

  private keydown(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.node.clientHeight / ROW_HEIGHT) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -this.options.size,
      End: this.options.size
    };
    const step = steps[event.key];
    const command = event.ctrlKey || event.metaKey;
    if (event.altKey || this.options.size === 0 || (command && event.key !== 'a')) {
      return;
    }
    if (command) {
      this.anchor = 0;
      this.active = this.options.size - 1;
      this.refresh();
    } else if (step !== undefined) {
      this.anchor = event.shiftKey ? (this.anchor ?? this.active) : null;
      this.activate(this.active + step);
      this.options.onMove(this.active);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.options.onChoose(this.active);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}

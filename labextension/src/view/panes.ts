/** All panes of a program side by side, or as tabs where there is no room, with linked highlighting. */
import { buildIndex, type LinkIndex } from '../record/linkIndex';
import { fate, follow, rowOf } from '../record/links';
import type { Problem, Program } from '../record/protocol';
import { element } from './dom';
import { explain } from './explain';
import { colouring, sourceMark, stageMark, type Colouring } from './hues';
import { ROW_HEIGHT } from './list';
import { Pane } from './pane';
import { splitter } from './splitter';

/** Below this width the panes become tabs; each open pane wants as much. */
const TABS_BELOW = 520;
const PANE_WIDTH = 270;
const MOST_HEIGHT = 440;
const HEAD_HEIGHT = 52;
const HINT = 'Point at a line to see what it came from and became; click or press Enter to hold it, Escape to let go.';

interface Place {
  readonly pane: number;
  readonly line: number;
}

export class Panes {
  readonly node: HTMLElement;
  private readonly index: LinkIndex;
  private readonly colours: Colouring;
  private readonly panes: readonly Pane[];
  private readonly buttons: readonly HTMLButtonElement[];
  private readonly bar: HTMLElement;
  private readonly row: HTMLElement;
  private readonly status = element('div', { class: 'jl-status', role: 'status' }, HINT);
  private readonly observer: ResizeObserver;
  private open: Set<number>;
  private tabbed = false;
  private arranged = false;
  private readonly failed: boolean;
  private held: Place | null = null;

  constructor(
    private readonly program: Program,
    problems: readonly Problem[]
  ) {
    this.failed = problems.some(({ severity }) => severity === 'error');
    this.index = buildIndex(program);
    this.colours = colouring(this.index);
    this.panes = [this.sourcePane(problems), ...program.stages.map((_, place) => this.stagePane(place))];
    this.open = new Set(this.panes.keys());
    this.buttons = this.panes.map(({ title }, pane) => element('button', { type: 'button', class: 'jl-toggle', click: () => { this.toggle(pane); } }, title));
    this.bar = element('div', { class: 'jl-toggles', keydown: (event: KeyboardEvent) => { this.tabKey(event); } }, ...this.buttons);
    this.row = element('div', { class: 'jl-panes', style: `height:${this.height()}px` });
    this.node = element(
      'div',
      { class: 'jl-program jl-tints', keydown: (event: KeyboardEvent) => { this.keydown(event); } },
      element('div', { class: 'jl-toolbar' }, this.bar, this.tintSwitch()),
      this.row,
      this.status
    );
    this.observer = new ResizeObserver(([entry]) => { this.fit(entry?.contentRect.width ?? 0); });
    this.observer.observe(this.node);
    this.arrange();
  }

  dispose(): void {
    this.observer.disconnect();
    this.panes.forEach(pane => { pane.dispose(); });
  }

  private sourcePane(problems: readonly Problem[]): Pane {
    const { rows } = this.index;
    const label = this.program.sources.length === 1 ? (this.program.sources[0]?.label ?? '') : '';
    const marked = new Map<number, 'error' | 'warning'>();
    for (const { stack, severity } of problems) {
      const frame = this.program.stacks.frame[stack] ?? -1;
      const row = rowOf(this.index, this.program.frames.source[frame] ?? -1, this.program.frames.line[frame] ?? 0);
      if (row >= 0 && marked.get(row) !== 'error') {
        marked.set(row, severity);
      }
    }
    return new Pane({
      title: label === '' ? 'Source' : label,
      language: 'python',
      lines: rows.map(row => row.text),
      note: 'no source was recorded',
      number: row => ((rows[row]?.line ?? -1) < 0 ? '' : String(rows[row]?.line)),
      mark: row => sourceMark(this.colours, row),
      problems: marked,
      ...this.actions(0)
    });
  }

  private stagePane(place: number): Pane {
    const stage = this.program.stages[place];
    const pane = place + 1;
    return new Pane({
      title: stage?.title ?? '',
      language: stage?.language ?? '',
      lines: stage?.lines ?? [],
      note: stage?.note ?? '',
      number: line => String(line + 1),
      mark: line => {
        const end = fate(this.index, pane, line);
        const mark = stageMark(this.program, this.index, this.colours, pane, line);
        return end === 'removed' ? { ...mark, text: `${mark.text}∅`, title: `${mark.title}; optimised away` } : mark;
      },
      problems: new Map(),
      ...this.actions(pane)
    });
  }

  private actions(pane: number): Pick<ConstructorParameters<typeof Pane>[0], 'onPoint' | 'onMove' | 'onChoose'> {
    return {
      onPoint: line => { this.show(line === null ? this.held : { pane, line }); },
      onMove: line => { this.hold({ pane, line }); },
      onChoose: line => { this.hold({ pane, line }); }
    };
  }

  /** Light what belongs to a place, without scrolling: the text must not move under the pointer. */
  private show(place: Place | null): void {
    if (!place) {
      this.panes.forEach(pane => { pane.light(new Map()); });
      this.status.textContent = HINT;
      return;
    }
    const lit = follow(this.index, place.pane, place.line);
    this.panes.forEach((pane, at) => { pane.light(lit.lines[at] ?? new Map()); });
    this.status.textContent = explain(this.program, this.index, lit, place.pane, place.line);
  }

  /** Keep a place lit, and scroll the other panes to what belongs to it. */
  private hold(place: Place | null): void {
    this.held = place;
    this.show(place);
    if (place) {
      this.panes.forEach((pane, at) => {
        if (at !== place.pane) {
          pane.reveal();
        }
      });
    }
  }

  private keydown(event: KeyboardEvent): void {
    if (event.key === 'Escape' && this.held) {
      this.hold(null);
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private tintSwitch(): HTMLElement {
    const button = element(
      'button',
      {
        type: 'button',
        class: 'jl-toggle',
        'aria-pressed': true,
        title: 'Tint each line by the source line that it comes from',
        click: () => {
          const on = this.node.classList.toggle('jl-tints');
          button.setAttribute('aria-pressed', String(on));
        }
      },
      'Colours'
    );
    return button;
  }

  private toggle(pane: number): void {
    this.arranged = true;
    if (this.tabbed) {
      this.open = new Set([pane]);
    } else if (!this.open.delete(pane)) {
      this.open.add(pane);
    } else if (this.open.size === 0) {
      this.open.add(pane); // the last pane stays
    }
    this.arrange();
  }

  /** Choose tabs or panes for a width, and until the reader chose, as many panes as fit. */
  private fit(width: number): void {
    const tabbed = width < TABS_BELOW;
    if (width === 0 || (tabbed === this.tabbed && this.arranged)) {
      return;
    }
    const fitting = tabbed ? 1 : Math.max(2, Math.floor(width / PANE_WIDTH));
    if (tabbed !== this.tabbed || !this.arranged) {
      this.open = new Set(this.preferred().filter(pane => this.failed || this.full(pane)).slice(0, fitting));
      this.arranged = false;
    }
    this.tabbed = tabbed;
    this.arrange();
  }

  /** Panes with a text before those without, and the last stage before those in the middle. */
  private preferred(): number[] {
    const all = [...this.panes.keys()];
    const full = all.filter(pane => this.full(pane));
    const order = [0, 1, full[full.length - 1] ?? 0, ...full, ...all];
    return [...new Set(order)].filter(pane => pane < this.panes.length);
  }

  /** Whether a pane has a text; one without says why, which is news only where something failed. */
  private full(pane: number): boolean {
    return pane === 0 || (this.program.stages[pane - 1]?.lines.length ?? 0) > 0;
  }

  private arrange(): void {
    const shown = this.panes.filter((_, pane) => this.open.has(pane));
    this.row.replaceChildren(
      ...shown.flatMap((pane, at) => {
        const left = shown[at - 1];
        return left ? [splitter(left.node, pane.node), pane.node] : [pane.node];
      })
    );
    this.node.classList.toggle('jl-tabbed', this.tabbed);
    this.bar.setAttribute('role', this.tabbed ? 'tablist' : 'group');
    this.bar.setAttribute('aria-label', 'Stages');
    this.buttons.forEach((button, pane) => {
      const open = this.open.has(pane);
      const set = (name: string, value: string | null) => {
        if (value === null) {
          button.removeAttribute(name);
        } else {
          button.setAttribute(name, value);
        }
      };
      set('role', this.tabbed ? 'tab' : null);
      set('aria-selected', this.tabbed ? String(open) : null);
      set('aria-pressed', this.tabbed ? null : String(open));
      set('aria-controls', open ? (this.panes[pane]?.id ?? null) : null);
      set('tabindex', this.tabbed && !open ? '-1' : '0');
      const part = this.panes[pane]?.node;
      if (part) {
        part.setAttribute('role', this.tabbed ? 'tabpanel' : 'region');
      }
    });
    shown.forEach(pane => { pane.list.render(); });
    this.hold(this.held);
  }

  private tabKey(event: KeyboardEvent): void {
    const at = this.buttons.findIndex(button => button === document.activeElement);
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (at < 0 || step === 0) {
      return;
    }
    const next = (at + step + this.buttons.length) % this.buttons.length;
    this.buttons[next]?.focus();
    if (this.tabbed) {
      this.toggle(next);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private height(): number {
    const most = Math.max(this.index.rows.length, ...this.program.stages.map(stage => stage.lines.length));
    return Math.min(MOST_HEIGHT, Math.max(6, most) * ROW_HEIGHT + HEAD_HEIGHT);
  }
}

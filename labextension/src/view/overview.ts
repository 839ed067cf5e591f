/** The strip at a pane's right edge: where in the whole text the lit lines and the matches are. */
import { element } from './dom';
import type { VirtualList } from './list';

const WIDTH = 10;

export class Overview {
  readonly node: HTMLCanvasElement;
  private readonly observer: ResizeObserver;
  private lit: readonly number[] = [];
  private matches: readonly number[] = [];

  constructor(
    private readonly list: VirtualList,
    private readonly size: number
  ) {
    this.node = element('canvas', {
      class: 'jl-overview',
      width: WIDTH,
      'aria-hidden': true,
      title: 'Where the lit lines are',
      click: (event: MouseEvent) => {
        list.reveal(Math.floor((event.offsetY / this.node.clientHeight) * size), true);
      }
    });
    this.observer = new ResizeObserver(() => { this.draw(); });
    this.observer.observe(this.node);
  }

  dispose(): void {
    this.observer.disconnect();
  }

  show(lit: readonly number[], matches: readonly number[]): void {
    this.lit = lit;
    this.matches = matches;
    this.draw();
  }

  draw(): void {
    const context = this.node.getContext('2d');
    const height = this.node.clientHeight;
    if (!context || height === 0) {
      return;
    }
    if (this.node.height !== height) {
      this.node.height = height;
    }
    const style = getComputedStyle(this.node);
    context.clearRect(0, 0, WIDTH, height);
    const [from, to] = this.list.viewport();
    if (from > 0 || to < 1) {
      context.globalAlpha = 0.15;
      context.fillStyle = style.color;
      context.fillRect(0, from * height, WIDTH, Math.max(4, (to - from) * height));
      context.globalAlpha = 1;
    }
    const bar = Math.max(2, Math.min(6, height / this.size));
    const draw = (lines: readonly number[], colour: string, left: number) => {
      context.fillStyle = colour;
      for (const line of lines) {
        context.fillRect(left, Math.min(height - bar, (line / this.size) * height), WIDTH / 2, bar);
      }
    };
    draw(this.matches, style.borderRightColor, WIDTH / 2);
    draw(this.lit, style.borderLeftColor, 0);
  }
}

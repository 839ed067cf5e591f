/** The bar between two panes: drag it, or move it with the arrow keys. */
import { element } from './dom';

const LEAST = 0.15;

/** A bar that shares out the space of the nodes left and right of it. */
export function splitter(left: HTMLElement, right: HTMLElement): HTMLElement {
  const share = (by: number) => {
    const [a, b] = [weight(left), weight(right)];
    const moved = Math.max(LEAST, Math.min(a + b - LEAST, a + by));
    left.style.flexGrow = String(moved);
    right.style.flexGrow = String(a + b - moved);
  };
  const bar = element('div', {
    class: 'jl-splitter',
    role: 'separator',
    tabindex: 0,
    'aria-orientation': 'vertical',
    'aria-label': 'Width of the panes',
    keydown: (event: KeyboardEvent) => {
      if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
        share(event.key === 'ArrowLeft' ? -0.1 : 0.1);
        event.preventDefault();
        event.stopPropagation();
      }
    },
    pointerdown: (event: PointerEvent) => {
      bar.setPointerCapture(event.pointerId);
      event.preventDefault();
    },
    pointermove: (event: PointerEvent) => {
      if (bar.hasPointerCapture(event.pointerId)) {
        const total = left.offsetWidth + right.offsetWidth;
        share(((weight(left) + weight(right)) * event.movementX) / Math.max(1, total));
      }
    }
  });
  return bar;
}

function weight(node: HTMLElement): number {
  return Number(node.style.flexGrow) || 1;
}

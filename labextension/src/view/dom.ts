/** Making elements. Text goes in as text nodes alone, so that a program's text can never act. */

export type Child = Node | string | null | false;

export type Attributes = Readonly<Record<string, string | number | boolean | ((event: never) => void) | undefined>>;

let serial = 0;

/** An id that no other view of the page has. */
export function uniqueId(prefix: string): string {
  serial += 1;
  return `jaxlab-${prefix}-${serial}`;
}

/** A line drawing of 16 by 16, in the colour of the text around it. */
export function icon(path: string): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  const line = document.createElementNS(namespace, 'path');
  const attributes = { viewBox: '0 0 16 16', width: '13', height: '13', fill: 'none', stroke: 'currentColor', 'stroke-width': '1.5' };
  Object.entries(attributes).forEach(([name, value]) => { svg.setAttribute(name, value); });
  svg.setAttribute('aria-hidden', 'true');
  line.setAttribute('d', path);
  svg.append(line);
  return svg;
}

/** An element with attributes (functions become listeners, false and undefined leave one out) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      made.addEventListener(name, value as EventListener);
    } else if (name.startsWith('aria-')) {
      made.setAttribute(name, String(value)); // "false" says something else than no attribute
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : String(value));
    }
  }
  made.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return made;
}

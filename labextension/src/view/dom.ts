/** Making elements. Text goes in as text nodes alone, so that a program's text can never act. */

export type Child = Node | string | null | false;

export type Attributes = Readonly<Record<string, string | number | boolean | ((event: never) => void) | undefined>>;

let serial = 0;

/** An id that no other view of the page has. */
export function uniqueId(prefix: string): string {
  serial += 1;
  return `jaxlab-${prefix}-${serial}`;
}

/** An element with attributes (functions become listeners, false and undefined leave an attribute out) and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      made.addEventListener(name, value as EventListener);
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : String(value));
    }
  }
  made.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return made;
}

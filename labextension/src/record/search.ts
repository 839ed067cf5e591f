/** Finding a text in the lines of a pane: the browser's own search sees the visible lines alone. */

export interface Match {
  readonly line: number;
  readonly column: number;
}

const MOST = 10_000;

/** All places of a text, ignoring case unless it has a capital; at most 10,000. */
export function search(lines: readonly string[], text: string): Match[] {
  const found: Match[] = [];
  if (!text) {
    return found;
  }
  const exact = text !== text.toLowerCase();
  const wanted = exact ? text : text.toLowerCase();
  for (const [line, content] of lines.entries()) {
    const where = exact ? content : content.toLowerCase();
    for (let column = where.indexOf(wanted); column >= 0; column = where.indexOf(wanted, column + wanted.length)) {
      found.push({ line, column });
      if (found.length >= MOST) {
        return found;
      }
    }
  }
  return found;
}

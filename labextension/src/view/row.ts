/** The text of one row: coloured tokens, matches of the search, and a cut where a line is very long. */
import { tokens } from '../record/tokens';
import { visible } from '../record/figures';
import { element } from './dom';

/** Characters of a line that are drawn; the whole line is in what is copied. */
export const LONGEST = 1200;

/** The text of a line as nodes, `matches` being the starts of a found text of that length. */
export function lineNodes(text: string, language: string, matches: readonly number[], length: number): Node[] {
  const shown = text.length > LONGEST ? text.slice(0, LONGEST) : text;
  const nodes: Node[] = [];
  let at = 0;
  for (const token of tokens(shown, language)) {
    for (const [part, found] of split(token.text, at, matches, length)) {
      const inner: Node = document.createTextNode(visible(part));
      const classes = [token.kind !== 'plain' && `jl-token-${token.kind}`, found && 'jl-match'].filter(Boolean).join(' ');
      nodes.push(classes ? element('span', { class: classes }, inner) : inner);
    }
    at += token.text.length;
  }
  if (shown !== text) {
    const more = (text.length - LONGEST).toLocaleString('en');
    nodes.push(element('span', { class: 'jl-cut' }, `… ${more} more characters`));
  }
  return nodes;
}

/** Cut a token that starts at `at` where a match begins or ends. */
function split(text: string, at: number, matches: readonly number[], length: number): [string, boolean][] {
  const parts: [string, boolean][] = [];
  let from = 0;
  for (const match of matches) {
    const begin = Math.max(match - at, from);
    const end = Math.min(match + length - at, text.length);
    if (begin < end) {
      parts.push([text.slice(from, begin), false], [text.slice(begin, end), true]);
      from = end;
    }
  }
  parts.push([text.slice(from), false]);
  return parts.filter(([part]) => part !== '');
}

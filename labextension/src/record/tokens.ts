/** Light colouring of one line of text, done for visible lines alone: a span per token of 10,000 lines would freeze the page. */

export type TokenClass = 'comment' | 'keyword' | 'name' | 'number' | 'operation' | 'string' | 'type' | 'plain';

export interface Token {
  readonly kind: TokenClass;
  readonly text: string;
}

type Rule = readonly [TokenClass, string];

const STRING: Rule = ['string', `"(?:[^"\\\\]|\\\\.)*"?|'(?:[^'\\\\]|\\\\.)*'?`];
const NUMBER: Rule = ['number', String.raw`-?\b(?:0x[0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)j?\b|\b(?:nan|inf)\b`];
const DTYPE = String.raw`(?:bf16|[fiusc]\d{1,3}(?:e\dm\d\w*)?|bool|pred|token|key<\w+>)`;

const RULES: Readonly<Record<string, readonly Rule[]>> = {
  python: [
    ['comment', '#.*'],
    ['string', String.raw`[rbfuRBFU]{0,2}(?:"""(?:.*?"""|.*)|'''(?:.*?'''|.*))`],
    ['string', String.raw`\b[rbfuRBFU]{1,2}(?="|')`],
    STRING,
    ['operation', String.raw`^\s*%{1,2}\w+|@[\w.]+`],
    [
      'keyword',
      String.raw`\b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|True|False|None)\b`
    ],
    NUMBER,
    ['name', String.raw`\b[A-Za-z_]\w*(?=\()`],
    ['plain', String.raw`\w+`]
  ],
  jaxpr: [
    ['keyword', String.raw`\b(?:let|in|lambda)\b`],
    STRING,
    ['type', String.raw`:${DTYPE}\[[^\]]*\]|\b${DTYPE}\[[^\]]*\]`],
    ['operation', String.raw`(?<== )[A-Za-z_]\w*`],
    ['name', String.raw`\b\w+(?==)`],
    NUMBER,
    ['plain', String.raw`\w+`]
  ],
  mlir: [
    ['comment', '//.*'],
    STRING,
    ['type', String.raw`\b(?:tensor|tuple|vector|memref)<[^>]*>+|!\w[\w.]*`],
    ['keyword', String.raw`\b(?:module|func\.func|func|return|public|private|attributes|loc)\b|#\w+`],
    ['operation', String.raw`\b[a-z]\w*\.[\w.]+`],
    ['name', String.raw`[%@][\w.#$-]+`],
    NUMBER,
    ['plain', String.raw`\w+`]
  ],
  hlo: [
    ['comment', String.raw`//.*|/\*.*?\*/`],
    STRING,
    ['keyword', String.raw`\b(?:HloModule|ENTRY|ROOT)\b`],
    ['type', String.raw`\b${DTYPE}\[[^\]]*\](?:\{[^}]*\})?`],
    ['name', String.raw`%[\w.-]+`],
    ['operation', String.raw`\b[a-z][\w-]*(?=\()`],
    ['comment', String.raw`\b\w+=`],
    NUMBER,
    ['plain', String.raw`[\w.-]+`]
  ]
};

const PATTERNS = new Map(
  Object.entries(RULES).map(([language, rules]) => [
    language,
    { rules, pattern: new RegExp(rules.map(([, source]) => `(${source})`).join('|'), 'g') }
  ])
);

/** The tokens of a line, which joined are the line. */
export function tokens(line: string, language: string): Token[] {
  const entry = PATTERNS.get(language);
  if (!entry) {
    return [{ kind: 'plain', text: line }];
  }
  const found: Token[] = [];
  let at = 0;
  const push = (kind: TokenClass, text: string) => {
    const last = found[found.length - 1];
    if (last?.kind === kind) {
      found[found.length - 1] = { kind, text: last.text + text };
    } else if (text) {
      found.push({ kind, text });
    }
  };
  for (const match of line.matchAll(entry.pattern)) {
    const group = match.slice(1).findIndex(text => text !== undefined); // eslint-disable-line @typescript-eslint/no-unnecessary-condition
    push('plain', line.slice(at, match.index));
    push(entry.rules[group]?.[0] ?? 'plain', match[0]);
    at = match.index + match[0].length;
  }
  push('plain', line.slice(at));
  return found;
}

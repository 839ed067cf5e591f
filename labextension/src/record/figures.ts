/** The line of figures and its units: the same line as `jaxlab/inspection/line.py` writes. */
import type { Summary } from './protocol';

const TIME_UNITS: readonly (readonly [number, string])[] = [
  [1e-9, 'ns'],
  [1e-6, 'µs'],
  [1e-3, 'ms']
];
const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];
const LONGEST_NAME = 80;
const LONGEST_REASON = 160;

// What turns the direction of the text around it or obeys to no font: shown, never obeyed.
const ACTIVE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g; // eslint-disable-line no-control-regex
const SPACE = /[\t\n\r\v\f \u2028\u2029]+/g;

/** One figure of the line; `tone` tells what deserves attention. */
export interface Figure {
  readonly text: string;
  readonly tone: 'name' | 'plain' | 'news' | 'error' | 'warning';
}

/** The figures, each by itself; joined by " · " they are Python's line, but for the note on warnings. */
export function figures(summary: Summary): Figure[] {
  const { timings, caching, cost } = summary;
  const found: Figure[] = [{ text: stack(summary), tone: 'name' }];
  const add = (text: string, tone: Figure['tone'] = 'plain') => found.push({ text, tone });
  if (summary.device) {
    add(oneLine(summary.device, LONGEST_NAME));
  }
  const error = summary.problems.find(problem => problem.severity === 'error');
  if (error) {
    add(`failed: ${oneLine(error.text, LONGEST_REASON)}`, 'error');
  }
  if (caching.outcome === 'reused') {
    add(caching.traced_at ? `reused, traced at ${oneLine(caching.traced_at, LONGEST_NAME)}` : 'reused');
  }
  if (timings.trace !== null) {
    add(`traced ${duration(timings.trace)}`);
  }
  if (timings.lower !== null) {
    add(`lowered ${duration(timings.lower)}`);
  }
  if (timings.compile !== null) {
    const verb = caching.outcome === 'disk' ? 'loaded from disk' : 'compiled';
    const reason = caching.reason && caching.outcome ? ` (new: ${oneLine(caching.reason, LONGEST_REASON)})` : '';
    add(`${verb} ${duration(timings.compile)}${reason}`, reason ? 'news' : 'plain');
  }
  if (timings.run !== null) {
    add(`ran ${duration(timings.run)}`);
  }
  if (cost.flops !== null) {
    add(count(cost.flops, 'flop'));
  }
  if (cost.bytes_accessed !== null) {
    add(count(cost.bytes_accessed, 'B'));
  }
  if (cost.peak_bytes !== null) {
    add(`peak ${count(cost.peak_bytes, 'B')}`);
  }
  if (caching.reason && !caching.outcome) {
    add(oneLine(caching.reason, LONGEST_REASON));
  }
  return found;
}

/** The transformations around the name, as `jit(grad(cell))`. */
export function stack(summary: Summary): string {
  const names = summary.transformations.map(entry => `${oneLine(entry.name, LONGEST_NAME)}(`);
  return names.join('') + oneLine(summary.name, LONGEST_NAME) + ')'.repeat(names.length);
}

/** Seconds with their unit: `3.1 ms`. */
export function duration(seconds: number): string {
  if (seconds >= 59.95) {
    const whole = Math.floor(seconds + 0.5);
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  for (const [size, unit] of TIME_UNITS) {
    if (seconds / size < 999.5) {
      return `${digits(seconds / size)} ${unit}`;
    }
  }
  return `${digits(seconds)} s`;
}

/** A count with a decimal prefix: `1.2 kflop`. */
export function count(value: number, unit: string): string {
  if (value < 999.5) {
    return `${Math.floor(value + 0.5)} ${unit}`;
  }
  let scaled = value;
  for (const prefix of PREFIXES) {
    if (scaled < 999.5) {
      return `${digits(scaled)} ${prefix}${unit}`;
    }
    scaled /= 1000;
  }
  return `${digits(scaled)} E${unit}`;
}

/** Text with control characters and direction marks shown instead of obeyed. */
export function visible(text: string): string {
  return text.replace(ACTIVE, character => {
    const code = character.charCodeAt(0);
    const digits = code.toString(16);
    return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`;
  });
}

/** Text on one line of at most `longest` visible characters, with an ellipsis where it was cut. */
export function oneLine(text: string, longest: number): string {
  const flat = visible(text.slice(0, 4 * longest).replace(SPACE, ' ')).trim();
  return flat.length <= longest && text.length <= 4 * longest ? flat : `${flat.slice(0, longest - 1)}…`;
}

function digits(value: number): string {
  if (value < 9.95) {
    const tenths = Math.floor(value * 10 + 0.5);
    return `${Math.floor(tenths / 10)}.${tenths % 10}`;
  }
  return String(Math.floor(value + 0.5));
}

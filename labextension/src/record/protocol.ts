/**
 * A record as the view reads it. The types are those of `jaxlab/inspection/record.py`, under the same names; a
 * fixture that the Python tests write holds the two together.
 *
 * `readSummary` reads at once what the folded line and the tables need; `readProgram` opens the texts and the
 * links, which takes a few milliseconds and is done when the view is unfolded.
 */
import { unpackInts, unpackText } from './packing';

export const MIME_TYPE = 'application/vnd.jaxlab.record.v1+json';
export const FORMAT = 'jaxlab.record';
export const VERSION = 1;

/** In the order of their codes in a record. */
export const LINK_KINDS = ['same', 'expanded', 'fused', 'duplicated', 'removed', 'added'] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

export interface Transformation {
  readonly name: string;
  readonly options: string;
}

export interface Timings {
  readonly trace: number | null;
  readonly lower: number | null;
  readonly compile: number | null;
  readonly run: number | null;
}

export interface Caching {
  readonly outcome: 'compiled' | 'disk' | 'reused' | null;
  readonly reason: string;
  readonly hits: number;
  readonly traced_at: string;
}

export interface Cost {
  readonly flops: number | null;
  readonly transcendentals: number | null;
  readonly bytes_accessed: number | null;
  readonly peak_bytes: number | null;
  readonly argument_bytes: number | null;
  readonly output_bytes: number | null;
}

export interface Input {
  readonly name: string;
  readonly type: string;
  readonly role: string;
  readonly why: string;
}

export interface Output {
  readonly name: string;
  readonly type: string;
}

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly text: string;
  /** The call stack that it points to, -1 for none. */
  readonly stack: number;
}

/** What a record says without its texts. */
export interface Summary {
  readonly name: string;
  readonly kind: string;
  readonly transformations: readonly Transformation[];
  readonly device: string;
  readonly cell: number | null;
  readonly file: string;
  readonly producer: string;
  readonly timings: Timings;
  readonly caching: Caching;
  readonly cost: Cost;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly problems: readonly Problem[];
}

export interface Source {
  readonly label: string;
  readonly lines: readonly string[];
  readonly first_line: number;
}

/** Items as columns: item i is lines `first[i]` to `last[i]`, counted from 1. */
export interface Items {
  readonly first: Int32Array;
  readonly last: Int32Array;
  readonly name: Int32Array;
  readonly stack: Int32Array;
}

export interface Stage {
  readonly id: string;
  readonly title: string;
  readonly language: string;
  readonly note: string;
  readonly lines: readonly string[];
  readonly items: Items;
}

export interface Links {
  readonly before: string;
  readonly after: string;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly kind: Int32Array;
}

/** Frames as columns; lines count from 1 in the source's own numbering. */
export interface Frames {
  readonly source: Int32Array;
  readonly line: Int32Array;
  readonly function: Int32Array;
}

/** A call stack is a frame and the stack that called it (-1 at the outside); a caller precedes its callees. */
export interface Stacks {
  readonly frame: Int32Array;
  readonly caller: Int32Array;
}

/** The texts of a record and what joins them. */
export interface Program {
  readonly sources: readonly Source[];
  readonly stages: readonly Stage[];
  readonly links: readonly Links[];
  readonly frames: Frames;
  readonly stacks: Stacks;
  readonly strings: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** A value that is not a record, or that a later jaxlab wrote; its message is for the reader. */
export class RecordFormatError extends Error {}

/** Read the summary; raises `RecordFormatError`. Fields that are missing or of another type take empty values. */
export function readSummary(value: unknown): Summary {
  const json = object(value);
  if (json.format !== FORMAT) {
    throw new RecordFormatError('This output is not a record of jaxlab.');
  }
  if (json.version !== VERSION) {
    throw new RecordFormatError(
      `This record has version ${string(String(json.version))}, but this front end reads version ${VERSION}: ` +
        `install the jaxlab that wrote it${string(json.producer) && ` (${string(json.producer)})`} here too.`
    );
  }
  const timings = object(json.timings);
  const caching = object(json.caching);
  const cost = object(json.cost);
  const outcome = string(caching.outcome);
  return {
    name: string(json.name),
    kind: string(json.kind),
    transformations: list(json.transformations).map(entry => ({
      name: string(entry.name),
      options: string(entry.options)
    })),
    device: string(json.device),
    cell: number(json.cell),
    file: string(json.file),
    producer: string(json.producer),
    timings: {
      trace: number(timings.trace),
      lower: number(timings.lower),
      compile: number(timings.compile),
      run: number(timings.run)
    },
    caching: {
      outcome: outcome === 'compiled' || outcome === 'disk' || outcome === 'reused' ? outcome : null,
      reason: string(caching.reason),
      hits: number(caching.hits) ?? 0,
      traced_at: string(caching.traced_at)
    },
    cost: {
      flops: number(cost.flops),
      transcendentals: number(cost.transcendentals),
      bytes_accessed: number(cost.bytes_accessed),
      peak_bytes: number(cost.peak_bytes),
      argument_bytes: number(cost.argument_bytes),
      output_bytes: number(cost.output_bytes)
    },
    inputs: list(json.inputs).map(entry => ({
      name: string(entry.name),
      type: string(entry.type),
      role: string(entry.role),
      why: string(entry.why)
    })),
    outputs: list(json.outputs).map(entry => ({ name: string(entry.name), type: string(entry.type) })),
    problems: list(json.problems).map(entry => ({
      severity: entry.severity === 'error' ? 'error' : 'warning',
      text: string(entry.text),
      stack: number(entry.stack) ?? -1
    }))
  };
}

/** Open the texts, items and links of a record whose summary could be read. */
export async function readProgram(value: unknown): Promise<Program> {
  const json = object(value);
  const frames = object(json.frames);
  const stacks = object(json.stacks);
  const [source, line, name, frame, caller] = await Promise.all(
    [frames.source, frames.line, frames.function, stacks.frame, stacks.caller].map(unpackInts)
  );
  const empty = new Int32Array();
  return {
    sources: await Promise.all(
      list(json.sources).map(async entry => ({
        label: string(entry.label),
        lines: lines(await unpackText(entry.text)),
        first_line: number(entry.first_line) ?? 1
      }))
    ),
    stages: await Promise.all(list(json.stages).map(readStage)),
    links: await Promise.all(list(json.links).map(readLinks)),
    frames: { source: source ?? empty, line: line ?? empty, function: name ?? empty },
    stacks: { frame: frame ?? empty, caller: caller ?? empty },
    strings: Array.isArray(json.strings) ? json.strings.map(string) : []
  };
}

async function readStage(json: Json): Promise<Stage> {
  const items = object(json.items);
  const [text, first, last, name, stack] = await Promise.all([
    unpackText(json.text),
    unpackInts(items.first),
    unpackInts(items.last),
    unpackInts(items.name),
    unpackInts(items.stack)
  ]);
  return {
    id: string(json.id),
    title: string(json.title),
    language: string(json.language),
    note: string(json.note),
    lines: text === '' ? [] : lines(text),
    items: { first, last, name, stack }
  };
}

async function readLinks(json: Json): Promise<Links> {
  const [from, to, kind] = await Promise.all([unpackInts(json.from), unpackInts(json.to), unpackInts(json.kind)]);
  return { before: string(json.before), after: string(json.after), from, to, kind };
}

function lines(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

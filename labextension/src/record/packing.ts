/** Opens what `jaxlab/inspection/packing.py` packed: texts and columns of integers. */

/** A text or a column, plain where it is short. */
export type Packed<T> = T | { readonly zlib: string };

/** Nothing larger is unpacked: a notebook of someone else's could hold a few kB that open to gigabytes. */
const LARGEST = 256 * 1024 * 1024;

/** The text that `pack_text` packed. */
export async function unpackText(value: unknown): Promise<string> {
  if (typeof value === 'string') {
    return value;
  }
  return new TextDecoder().decode(await inflate(value));
}

/** The integers that `pack_ints` packed: int32 differences, little-endian. */
export async function unpackInts(value: unknown): Promise<Int32Array> {
  if (Array.isArray(value)) {
    return Int32Array.from(value, Number);
  }
  const bytes = await inflate(value);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const column = new Int32Array(bytes.byteLength >> 2);
  let entry = 0;
  for (let i = 0; i < column.length; i++) {
    entry = (entry + view.getInt32(4 * i, true)) | 0;
    column[i] = entry;
  }
  return column;
}

async function inflate(value: unknown): Promise<Uint8Array> {
  const packed = (value as { zlib?: unknown } | null | undefined)?.zlib;
  if (typeof packed !== 'string') {
    throw new Error('a packed value is neither plain nor zlib data');
  }
  const bytes = Uint8Array.from(atob(packed), character => character.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value: chunk } = await reader.read();
    if (done) {
      break;
    }
    size += chunk.length;
    if (size > LARGEST) {
      await reader.cancel();
      throw new Error(`a packed value opens to more than ${LARGEST} bytes`);
    }
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

// hot path: the text of an array (array_out): its elements one after the other, and back. Bounds other than 1 and more than one dimension are for
// formats that have them.
import type { ByteWriter } from './byte-writer.js';

const open = 123;
const close = 125;
const comma = 44;
const quote = 34;
const backslash = 92;

export const listSteps = { open: 1, close: 2, element: 3, empty: 4, end: 5, broken: 6 } as const;

/** Walks `bytes[start .. end)`, the plain text of an array. An element's own text is in `value`. */
export class ListReader {
  /** Text of the element that `next` came to. */
  readonly value: ByteWriter;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #depth = 0;

  constructor(value: ByteWriter) {
    this.value = value;
  }

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#depth = 0;
  }

  /** One of `listSteps`; `empty` is the element NULL. */
  next(): number {
    const bytes = this.#bytes;
    if (this.#at >= this.#end) return this.#depth === 0 ? listSteps.end : listSteps.broken;
    let byte = bytes[this.#at] as number;
    if (byte === comma && this.#depth > 0) byte = bytes[++this.#at] as number;
    if (byte === open) {
      this.#depth++;
      this.#at++;
      return listSteps.open;
    }
    if (this.#depth === 0) return listSteps.broken;
    if (byte === close) {
      this.#depth--;
      this.#at++;
      return listSteps.close;
    }
    return byte === quote ? this.#quoted() : this.#bare();
  }

  /** How many elements a list of one dimension has; -1 where it is none of that kind. */
  count(bytes: Uint8Array, start: number, end: number): number {
    this.begin(bytes, start, end);
    if (this.next() !== listSteps.open) return -1;
    for (let count = 0; ; count++) {
      const step = this.next();
      if (step === listSteps.close) return this.next() === listSteps.end ? count : -1;
      if (step !== listSteps.element && step !== listSteps.empty) return -1;
    }
  }

  #quoted(): number {
    const bytes = this.#bytes;
    const { value } = this;
    value.length = 0;
    value.reserve(this.#end - this.#at);
    for (let i = this.#at + 1; i < this.#end; i++) {
      const byte = bytes[i] as number;
      if (byte === quote) {
        this.#at = i + 1;
        return listSteps.element;
      }
      if (byte === backslash) i++;
      value.bytes[value.length++] = bytes[i] as number;
    }
    return listSteps.broken;
  }

  #bare(): number {
    const bytes = this.#bytes;
    const start = this.#at;
    while (this.#at < this.#end && bytes[this.#at] !== comma && bytes[this.#at] !== close) this.#at++;
    if (isNull(bytes, start, this.#at)) return listSteps.empty;
    this.value.length = 0;
    this.value.copy(bytes, start, this.#at);
    return listSteps.element;
  }
}

/** Adds an element as array_out prints it. */
export function writeElement(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  if (!needsQuotes(bytes, start, end)) return out.copy(bytes, start, end);
  out.reserve(2 * (end - start) + 2);
  const to = out.bytes;
  let at = out.length;
  to[at++] = quote;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === quote || byte === backslash) to[at++] = backslash;
    to[at++] = byte;
  }
  to[at++] = quote;
  out.length = at;
}

function needsQuotes(bytes: Uint8Array, start: number, end: number): boolean {
  if (start === end || isNull(bytes, start, end)) return true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === quote || byte === backslash || byte === open || byte === close || byte === comma) return true;
    // What PostgreSQL's scanner counts as space.
    if (byte === 32 || (byte >= 9 && byte <= 13)) return true;
  }
  return false;
}

/** The word NULL in any case. */
function isNull(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 4) return false;
  const [n, u, l, m] = [bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]] as [number, number, number, number];
  return (n | 32) === 110 && (u | 32) === 117 && (l | 32) === 108 && (m | 32) === 108;
}

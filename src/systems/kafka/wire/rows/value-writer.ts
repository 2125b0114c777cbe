// How one format writes a value. The bytes are the plain text that the server prints of it, without the escapes of COPY.
import type { ByteWriter } from './byte-writer.js';
import type { RowType } from './row-type.js';

/** A value that a format cannot carry; whoever knows where it stands says so. */
export class Refused extends Error {
  constructor(
    /** What would carry it. */
    readonly expected: string,
  ) {
    super(expected);
    this.name = 'Refused';
  }
}

export const refusals = {
  float: 'a number that JSON has (no NaN, no infinity): set floats: text, or use avro',
  list: 'a list of one dimension that begins at 1: set arrays: text',
  nested: 'a list that begins at 1: set arrays: text',
  decimal: 'a number of the declared scale: set numeric: text',
  moment: 'a moment before the year 294247, in UTC',
  text: 'the text that a server prints of its type',
} as const;

export abstract class ValueWriter {
  abstract writeNull(out: ByteWriter): void;
  /** Before a value that could have been null. */
  abstract beginNullable(out: ByteWriter): void;
  /** MUST throw Refused for what it cannot carry without loss. `out` is other memory than `bytes`. */
  abstract write(out: ByteWriter, type: RowType, bytes: Uint8Array, start: number, end: number): void;
}

/** 64 bits of microseconds; the largest and the smallest stand for infinity, as in the server's own binary form. */
export const forever = { micros: 2n ** 63n - 1n, days: 2 ** 31 - 1, lastSecond: 9_223_372_036_853 } as const;
export const forNever = { micros: -(2n ** 63n), days: -(2 ** 31) } as const;

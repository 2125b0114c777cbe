// How one format reads a record back into the line that it was written from.
import type { ByteWriter } from './byte-writer.js';

export abstract class ValueReader {
  /** Adds the line of COPY text, its end included. False: this is not a record of the table as we write it. */
  abstract readLine(value: Buffer, line: ByteWriter): boolean;
}

// What the pool and its threads say to each other. Memory is shared and lent: the thread looks at it from request to answer only.
import type { BautaError, Where } from '../kernel/errors.js';
import type { Batch } from '../pipeline/batch.js';

export interface Request {
  readonly id: number;
  readonly batch: Omit<Batch, 'release'>;
  /** Where the masked lines go, if they fit. */
  readonly into: Uint8Array<SharedArrayBuffer>;
}

/** `bytes`: how many of `into` are written, or the lines where they do not fit. Errors travel as coordinates: a code and where, never a text. */
export type Answer =
  | {
      readonly id: number;
      readonly batch: Omit<Batch, 'release' | 'bytes'> & { readonly rows: number; readonly bytes: Uint8Array | number };
    }
  | { readonly id: number; readonly code: BautaError['code']; readonly where: Where };

/** Bytes of a batch that are not shared, as a buffer that can be transferred: copied where they are a part of one. */
export function toTransferable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const whole = buffer instanceof ArrayBuffer && bytes.byteOffset === 0 && bytes.byteLength === buffer.byteLength;
  return whole ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

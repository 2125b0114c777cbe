// What the pool and its threads say to each other. Bytes are transferred, so exactly one side holds them at any time.
import type { BautaError, Where } from '../kernel/errors.js';
import type { Batch } from '../pipeline/batch.js';

export interface Request {
  readonly id: number;
  readonly batch: Batch;
}

/** Errors travel as coordinates: a code and where, never a text. */
export type Answer =
  | { readonly id: number; readonly batch: Batch & { readonly rows: number } }
  | { readonly id: number; readonly code: BautaError['code']; readonly where: Where };

/** The batch with bytes that fill a buffer of their own: as they are where they do, else copied, since transferring takes the whole buffer. */
export function toTransferable<B extends Batch>(batch: B): { readonly batch: B; readonly buffer: ArrayBuffer } {
  const { bytes } = batch;
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && bytes.byteOffset === 0 && bytes.byteLength === buffer.byteLength) return { batch, buffer };
  const own = new Uint8Array(bytes);
  return { batch: { ...batch, bytes: own }, buffer: own.buffer };
}

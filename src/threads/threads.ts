// The worker threads that mask: as many as there are cores to spare. The same bytes come out as from the calling thread.
import type { MaskExecutor, PreparedMask } from '../pipeline/mask/mask.js';
import { MaskPool } from './pool.js';

/** Starts the threads; they end with `close()` and keep the process alive until then. */
export function createMaskPool(prepared: PreparedMask, threads: number): MaskExecutor {
  return new MaskPool(prepared, threads);
}

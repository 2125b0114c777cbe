// For processes that read a whole log: what is alive then grows with its entries, and by default V8 lets a heap grow to several times of that.
import { setFlagsFromString } from 'node:v8';

/** Of what is alive after a collection, in percent: so much more is allocated before the next one. It costs some CPU (docs/performance.md). */
const GROWTH = 20;

/** Before anything much is allocated. A limit instead (`--max-old-space-size`) would end the process at some number of entries. */
export function spareMemory(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
}

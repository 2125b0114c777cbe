// Memory of batches that is used again instead of being left to the collector: at a gigabyte a second garbage costs more than masking.
// Shared memory, so that a thread sees it without taking it away.

const smallest = 1 << 16;

export class BatchMemory {
  readonly #free = new Map<number, SharedArrayBuffer[]>();

  /** Room for so many bytes, or more; what stood in it before may still be there. */
  take(bytes: number): Uint8Array<SharedArrayBuffer> {
    const size = Math.max(smallest, 2 ** Math.ceil(Math.log2(bytes)));
    return new Uint8Array(this.#free.get(size)?.pop() ?? new SharedArrayBuffer(size), 0, bytes);
  }

  /** Takes memory back; MUST be called once, when nobody looks at it any more. Other memory than `take` gave is ignored. */
  give({ buffer }: Uint8Array): void {
    if (!(buffer instanceof SharedArrayBuffer)) return;
    const free = this.#free.get(buffer.byteLength);
    if (free) free.push(buffer);
    else this.#free.set(buffer.byteLength, [buffer]);
  }
}

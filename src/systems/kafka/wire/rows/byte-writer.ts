// hot path: bytes that are written one after the other into memory that grows; the records of a batch lie in one piece.
const firstBytes = 64 * 1024;

export class ByteWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(firstBytes);
  length = 0;

  /** Room for so many bytes more. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Of other memory than its own. */
  copy(from: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    if (end - start > 48) this.bytes.set(from.subarray(start, end), this.length);
    else for (let i = start, to = this.length; i < end; i++) this.bytes[to++] = from[i] as number;
    this.length += end - start;
  }

  byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** What was written, which is the caller's from now on; the next begin with memory of the same size. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = Buffer.allocUnsafeSlow(this.bytes.length);
    this.length = 0;
    return taken;
  }
}

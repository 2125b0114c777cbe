// The slow twin of src/pipeline/extract/kernel/assembly/copy-lines.ts, without the frames: all bytes at once, one line after the other.

export function cutSlowly(chunks: readonly Uint8Array[], batchBytes: number): { bytes: number[]; rows: number }[] {
  const all = chunks.flatMap((chunk) => [...chunk]);
  const lines: number[][] = [[]];
  for (const byte of all) {
    lines.at(-1)?.push(byte);
    if (byte === 10) lines.push([]);
  }
  lines.pop();
  const batches: { bytes: number[]; rows: number }[] = [];
  for (const line of lines) {
    const last = batches.at(-1);
    if (last && last.bytes.length + line.length <= batchBytes) {
      last.bytes.push(...line);
      last.rows += 1;
    } else {
      batches.push({ bytes: line, rows: 1 });
    }
  }
  return batches;
}

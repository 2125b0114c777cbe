// Cutting a stream of chunks into batches of whole lines, beside its ceiling: copying the same chunks into the same buffers.
import { toBatches } from '../src/pipeline/extract/extract.js';

const LINE =
  '12345\tanna@example.org\tAnna\tSmith\t+44 20 7946 0000\t2026-01-01 00:00:00\ta note of a usual length, some 145 bytes with the rest of the row\n';
const text = Buffer.from(LINE.repeat(4_500));
const CHUNK = 65_536;
const BATCH = 256 * 1024;

async function* chunks(rounds: number): AsyncGenerator<Uint8Array> {
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < text.length; at += CHUNK) yield await Promise.resolve(text.subarray(at, at + CHUNK));
  }
}

async function measure(work: (rounds: number) => Promise<number>): Promise<number> {
  await work(50);
  const begun = process.hrtime.bigint();
  const bytes = await work(600);
  return (bytes * 1000) / Number(process.hrtime.bigint() - begun);
}

const cut = await measure(async (rounds) => {
  let bytes = 0;
  for await (const lines of toBatches(chunks(rounds), BATCH)) bytes += lines.bytes.length;
  return bytes;
});
const copied = await measure(async (rounds) => {
  let bytes = 0;
  let buffer = new Uint8Array(BATCH);
  let filled = 0;
  for await (const chunk of chunks(rounds)) {
    if (filled + chunk.length > BATCH) {
      buffer = new Uint8Array(BATCH);
      filled = 0;
    }
    buffer.set(chunk, filled);
    filled += chunk.length;
    bytes += chunk.length;
  }
  return bytes;
});
process.stdout.write(`to-batches ${cut.toFixed(0)} MB/s, ceiling (copy only) ${copied.toFixed(0)} MB/s\n`);

// Speed of the line-digest kernel beside its ceiling, a copy of the same bytes into the kernel's memory. Usage: node dist/bench/line-digest.js
import { LineDigest } from '../src/pipeline/deliver/deliver.js';

const line = '123456\tada@example.com\tAda\tLovelace\t+1 555 0100\t12 Long Street\tBerlin\t10115\t2026-01-01 10:00:00+00\tsomething said\n';
const batch = Buffer.from(line.repeat(Math.floor((1 << 20) / line.length)));
const rounds = 500;

function measure(work: () => void): number {
  const speeds = Array.from({ length: 3 }, () => {
    const start = performance.now();
    for (let round = 0; round < rounds; round++) work();
    return (batch.length * rounds) / (performance.now() - start) / 1000;
  });
  return Math.max(...speeds);
}

const digest = new LineDigest(new Uint8Array(16));
const ceiling = Buffer.alloc(batch.length);
const [digestMBps, copyMBps] = [measure(() => digest.add(batch)), measure(() => ceiling.set(batch))];
process.stdout.write(`line digest ${digestMBps.toFixed(0)} MB/s, copy alone ${copyMBps.toFixed(0)} MB/s\n`);

// hot path: which partition a key goes to: 32-bit murmur2 as every Kafka client computes it (org.apache.kafka.common.utils.Utils), so that records of
// one key meet wherever they were written.
const multiplier = 0x5bd1e995;
const seed = 0x9747b28c;

/** Of `bytes[start .. end)`, from 0 to `partitions` - 1. */
export function toPartition(bytes: Uint8Array, start: number, end: number, partitions: number): number {
  return (murmur2(bytes, start, end) & 0x7fffffff) % partitions;
}

function murmur2(bytes: Uint8Array, start: number, end: number): number {
  let hash = seed ^ (end - start);
  let i = start;
  for (; i + 4 <= end; i += 4) {
    let word = (bytes[i] as number) | ((bytes[i + 1] as number) << 8) | ((bytes[i + 2] as number) << 16) | ((bytes[i + 3] as number) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  const left = end - i;
  if (left > 2) hash ^= (bytes[i + 2] as number) << 16;
  if (left > 1) hash ^= (bytes[i + 1] as number) << 8;
  if (left > 0) hash = Math.imul(hash ^ (bytes[i] as number), multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}

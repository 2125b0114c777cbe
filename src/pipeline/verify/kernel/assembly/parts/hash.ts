// hot path: keyed hashes of the verifier. AssemblyScript.

/** 64 bits over 8-byte words; the high half is folded down before each multiply, or structured text collides. */
// @ts-ignore: decorator
@inline
export function mix(word: u64): u64 {
  let h = word ^ (word >> 32);
  h *= 0xd6e8feb86659fd93;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93;
  return h ^ (h >> 32);
}

/** Up to 7 bytes after `end` are read. */
export function hash(start: usize, end: usize, seed: u64): u64 {
  let h = seed ^ ((<u64>(end - start)) * 0x9e3779b97f4a7c15);
  let p = start;
  for (; p + 8 <= end; p += 8) h = mix(h ^ load<u64>(p));
  const last: u64 = p < end ? load<u64>(p) & ((<u64>1 << (<u64>(end - p) << 3)) - 1) : 0;
  return mix(mix(h ^ last) + 0x632be59bd9b4e019);
}

import { expect, it } from '@jest/globals';

import { toPartition } from './partition.js';

// From Kafka's own UtilsTest.testMurmur2.
it.each([
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
])('puts the key %s where every Kafka client puts it', (key, hash) => {
  const bytes = Buffer.from(`before${key}after`);
  for (const partitions of [1, 3, 4, 1000, 2 ** 31 - 1])
    expect(toPartition(bytes, 6, 6 + key.length, partitions)).toBe((hash & 0x7fffffff) % partitions);
});

// Buckets fill with time, whatever asks; an address is what our own proxy saw.
import { expect, it } from '@jest/globals';

import { Buckets, toAddress } from './rate-limit.js';

it('lets two seconds’ worth through at once, and then as much as time brings', () => {
  let now = 0;
  const buckets = new Buckets(10, () => now);
  const taken = (): number => Array.from({ length: 100 }, () => buckets.take('a')).filter((wait) => wait === 0).length;
  expect(taken()).toBe(20);
  expect(buckets.take('a')).toBe(100);
  expect(buckets.take('b')).toBe(0);
  now += 1000;
  expect(taken()).toBe(10);
  now += 3_600_000;
  expect(taken()).toBe(20);
});

it('makes what costs more wait longer, and keeps no more than it can', () => {
  let now = 0;
  const buckets = new Buckets(10, () => now);
  buckets.take('a', 40);
  expect(buckets.take('a')).toBe(2100);
  for (let i = 0; i < 30_000; i++) buckets.take(`stranger ${i}`);
  expect((buckets as unknown as { levels: Map<string, unknown> }).levels.size).toBeLessThanOrEqual(10_000);
  now += 2100;
  expect(buckets.take('a')).toBe(0);
});

it.each([
  ['10.0.0.1', '203.0.113.9', 0, '10.0.0.1'],
  ['::ffff:10.0.0.1', '', 0, '10.0.0.1'],
  ['10.0.0.1', '1.1.1.1, 203.0.113.9', 1, '203.0.113.9'],
  ['10.0.0.1', '1.1.1.1, 203.0.113.9, 10.0.0.2', 2, '203.0.113.9'],
  ['10.0.0.1', '', 1, '10.0.0.1'],
  ['2001:db8:1:2:3:4:5:6', '', 0, '2001:db8:1:2'],
  ['2001:db8::6', '', 0, '2001:db8:0:0'],
  ['::1', '', 0, '0:0:0:0'],
])('%s with X-Forwarded-For %s behind %s proxies is %s', (remoteAddress, said, proxies, expected) => {
  const request = { headers: { 'x-forwarded-for': said }, socket: { remoteAddress } } as unknown as Parameters<typeof toAddress>[0];
  expect(toAddress(request, proxies)).toBe(expected);
});

import { expect, it } from '@jest/globals';

import { continueTrace, toTraceId } from './trace-context.js';

const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

it('goes on in the trace of the caller, as a span of its own', () => {
  const ours = continueTrace(given);
  expect(ours).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
  expect(ours).not.toBe(given);
  expect(toTraceId(ours)).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
});

it.each([
  undefined,
  '',
  [given, given],
  given.toUpperCase(),
  `01${given.slice(2)}`,
  given.replace(/4bf.*?-/, `${'0'.repeat(32)}-`),
  given.replace('00f067aa0ba902b7', '0'.repeat(16)),
  `${given}-more`,
  `${given}\n`,
])('begins a trace where the header is none: %j', (header) => {
  const ours = continueTrace(header);
  expect(ours).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(toTraceId(ours)).not.toBe('4bf92f3577b34da6a3ce929d0e0e4736');
});

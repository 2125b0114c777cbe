import { expect, it } from '@jest/globals';

import { signNote, toSigner } from '../kernel/signed-note.js';
import { type Breakglass, findMisfit, openBreakglass, parseBreakglassText, toBreakglassText } from './breakglass.js';

const signer = toSigner('bauta.invalid/test', new Uint8Array(32).fill(7));
const at = Date.parse('2026-11-22T04:00:00.000Z');
const scope = { gate: 'production', environment: 'prod-eu', service: 'web', commit: 'a'.repeat(40) };
const made = (change: Partial<Breakglass> = {}): Omit<Breakglass, 'claim'> => ({
  ...{ ...scope, id: '00000000-0000-4000-8000-000000000001', issuedAt: '2026-11-22T04:00:00.000Z', expiresAt: '2026-11-22T08:00:00.000Z' },
  ...{ log: { origin: 'bauta.invalid/test/2026', index: 7 }, ...change },
});
const open = (text: string, by = signer): ReturnType<typeof openBreakglass> => openBreakglass(signNote(text, by), [signer.verifier]);

it('is read again as it was signed, and by no other key', () => {
  expect(open(toBreakglassText(made()))).toEqual({ breakglass: { claim: 'one deployment past its gate, once', ...made() } });
  expect(open(toBreakglassText(made()), toSigner('bauta.invalid/other'))).toEqual({ problem: 'unsigned' });
  expect(open(toBreakglassText(made()), toSigner('bauta.invalid/test'))).toEqual({ problem: 'unsigned' });
  const note = signNote(toBreakglassText(made()), signer);
  for (const [from, to] of [
    ['"web"', '"api"'],
    ['T08:', 'T07:'],
    ['production', 'productioN'],
  ] as const)
    expect(openBreakglass(note.replace(from, to), [signer.verifier])).toEqual({ problem: 'forged' });
});

it('is nothing but what it says, for four hours at most', () => {
  const text = toBreakglassText(made());
  for (const other of [
    text.replace('bauta break-glass v1', 'bauta dataset marker v1'),
    text.replace('{', '{ '),
    `${text}more\n`,
    text.replace('"service":"web"', '"service":1'),
    text.replace(',"service":"web"', ''),
    toBreakglassText(made({ expiresAt: '2026-11-22T08:00:00.001Z' })),
    toBreakglassText(made({ expiresAt: '2026-11-22T04:00:00.000Z' })),
    toBreakglassText(made({ expiresAt: 'tomorrow' })),
    toBreakglassText(made({ id: '../../etc/passwd' })),
    'bauta break-glass v1\nnull\n',
    '',
  ]) {
    expect([other, parseBreakglassText(other)]).toEqual([other, undefined]);
    if (other.endsWith('\n')) expect(open(other)).toEqual({ problem: 'malformed' });
  }
});

it('fits one gate, environment, service and commit, from its issue until its end', () => {
  const breakglass = { claim: 'one deployment past its gate, once' as const, ...made() };
  expect(findMisfit(breakglass, scope, at)).toBeUndefined();
  for (const name of ['gate', 'environment', 'service', 'commit'] as const)
    expect(findMisfit(breakglass, { ...scope, [name]: 'other' }, at)).toBe(`it is for another ${name}`);
  expect(findMisfit(breakglass, scope, at + 4 * 3_600_000 - 1)).toBeUndefined();
  expect(findMisfit(breakglass, scope, at + 4 * 3_600_000)).toBe('it expired at 2026-11-22T08:00:00.000Z');
  expect(findMisfit(breakglass, scope, at - 300_000)).toBeUndefined();
  expect(findMisfit(breakglass, scope, at - 300_001)).toContain('not issued yet');
});

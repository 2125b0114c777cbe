import { expect, it } from '@jest/globals';

import { type Json, toCanonicalJson } from '../kernel/canonical-json.js';
import { toFinding } from '../kernel/errors.js';
import { fromLogged, toCommitment, toLogged } from './erasable.js';

const texts = new Map<string, string>();
const keep = (text: string): Promise<string> => {
  const commitment = toCommitment(Buffer.alloc(32, texts.size), text);
  texts.set(commitment, text);
  return Promise.resolve(commitment);
};
const finding = toFinding('COLUMN_UNTAGGED', { file: '/home/ada.lovelace/shop.yaml', line: 4, schema: 's', table: 't', column: 'c' });
const data = { findings: [finding], reason: 'Ada asked for it', rows: [1, null, true] } as unknown as Json;

it('leaves names of files and free text out of the log, and gives them back while they are kept', async () => {
  const logged = await toLogged(data, keep);
  expect(toCanonicalJson(logged)).not.toMatch(/ada/i);
  expect(fromLogged(logged, (commitment) => texts.get(commitment))).toEqual(data);
});

it('tells of an erased text that there was one', async () => {
  const read = fromLogged(await toLogged(data, keep), () => undefined) as unknown as { findings: (typeof finding)[]; reason: string };
  expect(read.reason).toBe('[erased]');
  expect(read.findings[0]).toMatchObject({ code: 'COLUMN_UNTAGGED', where: { file: '[erased]', line: 4 }, message: finding.message });
});

it('leaves the words of what is no finding of ours as they are', async () => {
  const decision = { allow: false, reasons: [{ code: 'KEEP_EXPIRED', message: 'm', hint: 'h', controlIds: ['c'] }] };
  expect(await toLogged(decision, keep)).toEqual(decision);
  expect(fromLogged(decision, () => undefined)).toEqual(decision);
});

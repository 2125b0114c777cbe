// A person is looked for by the rules of today in versions that were made by the rules of their day: where these differ, nobody knows, and it is said.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Said, type TinyWorld, bauta, canary, classificationText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let env: Record<string, string> = {};
let subject = '';
beforeAll(async () => {
  tiny = await startTinyWorld();
  env = { SOURCE_URL: await tiny.source('shop'), TARGET_URL: tiny.target('copy'), BAUTA_HOME: join(tiny.folder, 'home') };
  subject = join(tiny.folder, 'person.json');
  writeFileSync(subject, JSON.stringify([{ table: 'app.person', column: 'email', value: `${canary}17@canary.net` }]));
}, 60_000);
afterAll(() => tiny.stop());

const look = (pipeline: string): Promise<Said> => bauta(['report', 'reach', '-f', pipeline, '--subject', subject], { env });

it('does not say that nobody is there where a column went through as it was when the version was made', async () => {
  const kept = classificationText
    .replace(', email: pii.email,', ',')
    .replace('born: pii.date-of-birth }', 'born: pii.date-of-birth }\n    keep: [{ columns: [email], reason: made up for this test }]');
  const before = tiny.documents({ 'classification.yaml': kept });
  const run = await bauta(['run', '-f', before], { env });
  expect([run.exitCode, run.exitCode === 0 ? '' : run.stderr]).toEqual([0, '']);
  const { exitCode, stdout } = await look(tiny.documents());
  expect(stdout).toContain('unknown: SUBJECT_RULE_CHANGED');
  expect(stdout).not.toContain('not found in');
  expect(exitCode).toBe(1);
}, 60_000);

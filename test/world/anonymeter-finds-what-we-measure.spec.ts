// PyPI anonymeter attacks two copies from outside, with people who are in none of them as a control: what a careful pipeline made gives it nothing beyond
// the control, and what a careless one made gives it everything. Our own measures say the same of both.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { packageFile } from '../../src/kernel/package-root.js';
import type { PrivacyMeasures } from '../../src/pipeline/privacy.js';
import { findProgram } from '../support/program.js';
import { type Sample, type World, requirePublished, startSample } from '../support/shop.js';

/** The Python of the environment that has it (.ci/run): numba comes with it, and nothing else here has that. */
const beside = findProgram('numba');

const people = 400;
const row = fc.record({
  born: fc.integer({ min: 0, max: 18_000 }).map((n) => new Date(Date.UTC(1950, 0, 1) + n * 86_400_000).toISOString().slice(0, 10)),
  postcode: fc.integer({ min: 10_000, max: 10_900 }).map(String),
  income: fc.integer({ min: 1_000, max: 9_000 }),
  branch: fc.integer({ min: 0, max: 6 }).map((n) => `B${n}`),
  illness: fc.constantFrom('flu', 'cold', 'asthma'),
});
const [originals = [], control = []] = fc.sample(fc.array(row, { minLength: people, maxLength: people }), { numRuns: 2, seed: 11 });

const pipeline = (more = ''): string => `kind: Pipeline
name: attacked
import: [classification.yaml]
source: { connection: env:SOURCE_URL, region: eu }
target: { connection: env:TARGET_URL, environment: dev, class: dev, region: eu, allows: [pii, phi, quasi], sameServer: source and target of a test }
classification: attacked
purpose: tests of privacy
owner: team-privacy
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [patients]
retentionDays: 1
${more}`;

const careless = `overrides:
  - { columns: [public.person.born, public.person.postcode, public.person.income, public.person.illness], transform: keep, reason: a careless one, expires: 2999-12-31 }
`;

const classification = `kind: Classification
name: attacked
tables:
  public.person:
    person: true
    columns: { id: pii.key, born: pii.date-of-birth, postcode: pii.address.postcode, income: quasi.amount, illness: phi.diagnosis }
    keep: [{ columns: [branch], reason: what a copy keeps }]
`;

let folder: string;
let sample: Sample;
beforeAll(async () => {
  if (beside === undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'bauta-anonymeter-'));
  writeFileSync(join(folder, 'pipeline.yaml'), pipeline());
  writeFileSync(join(folder, 'classification.yaml'), classification);
  const rows = originals.map((one, i) => `(${i + 1}, '${one.born}', '${one.postcode}', ${one.income}, '${one.branch}', '${one.illness}')`);
  const load = `CREATE TABLE person (id bigint PRIMARY KEY, born date, postcode text, income int, branch text, illness text);
    INSERT INTO person VALUES ${rows.join(', ')}; ANALYZE`;
  sample = await startSample({ documents: folder, load: async (server, database) => void (await server.sql(database, load)) });
}, 60_000);
afterAll(async () => {
  if (beside === undefined) return;
  await sample.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Rates {
  readonly main: number;
  readonly control: number;
}

/** Numbers are numbers there: days since 1950, and texts that are none by their order in all three. */
async function copyOf(world: World, more: string): Promise<{ readonly rows: readonly object[]; readonly measures: PrivacyMeasures }> {
  world.write('pipeline.yaml', pipeline(more));
  const { privacy } = requirePublished(await world.provision());
  if (!privacy) throw new Error('nothing was measured');
  return { rows: await world.copy(`SELECT born::text, postcode, income, branch, illness FROM person`), measures: privacy };
}

(beside === undefined ? it.skip : it)(
  'gives an attacker from outside no more than the control where it was masked with care, and everything where it was not',
  async () => {
    const [careful, kept] = [await copyOf(await sample.world('careful'), ''), await copyOf(await sample.world('careless'), careless)];
    const input = JSON.stringify({ original: originals, copies: [careful.rows, kept.rows], control, seed: 7 });
    const script = packageFile('test', 'oracle', 'anonymeter', 'attack.py');
    const { stdout, stderr } = spawnSync(join(dirname(beside!), 'python3'), [script], { input, encoding: 'utf8' });
    if (stdout === '') throw new Error(stderr);
    const [ofCareful, ofKept] = JSON.parse(stdout) as [Record<string, Rates>, Record<string, Rates>];
    // 120 attacks: a rate is known to about 0.09 (95 %).
    const beyond = (rates: Record<string, Rates>): Record<string, number> =>
      Object.fromEntries(Object.entries(rates).map(([attack, { main, control: of }]) => [attack, main - of]));
    for (const [attack, more] of Object.entries(beyond(ofCareful))) expect([attack, more < 0.2]).toEqual([attack, true]);
    for (const [attack, more] of Object.entries(beyond(ofKept))) expect([attack, more > 0.4]).toEqual([attack, true]);
    // And ours, of the same copies.
    expect(careful.measures.worst.linked ?? 0).toBeLessThan(0.05);
    expect(careful.measures.beyond).toEqual([]);
    expect(kept.measures.worst.linked).toBeGreaterThan(0.9);
    expect(kept.measures.worst).toMatchObject({ k: 1, l: 1 });
    expect(kept.measures.beyond).toEqual(['linked']);
  },
  300_000,
);

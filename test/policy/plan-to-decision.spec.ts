// From a plan to a decision: the question that toGateInput makes is the one that the rules read.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { Catalogue, DataType } from '../../src/pipeline/catalogue.js';
import { decide, type GateFacts, toGateInput } from '../../src/pipeline/gate/gate.js';
import type { ColumnPlan, Plan, RulePlan } from '../../src/pipeline/plan.js';
import type { Policy } from '../../src/pipeline/ports.js';
import { toShownPath } from '../../src/pipeline/shown-path.js';
import { openPolicy } from '../../src/systems/opa/opa.js';

let policy: Policy;
beforeAll(async () => {
  policy = await openPolicy();
});
afterAll(() => policy.close());

const text: DataType = { display: 'text', kind: 'base', base: 'text', deterministicCollation: true };
const rule: RulePlan = {
  ...{ transform: 'email', params: {}, scope: 'value', domain: 'pii.email', canonical: 'text' },
  reveals: ['equality'],
  uniqueness: 'preserved',
};
const email: ColumnPlan = { attnum: 1, name: 'email', type: text, notNull: true, tag: 'pii.email', rule, unique: true, from: 'document' };
const profile: ColumnPlan = {
  ...{ attnum: 2, name: 'profile', type: { ...text, base: 'jsonb' }, notNull: true, tag: 'mixed', unique: false, from: 'document' },
  rule: { ...rule, transform: 'keep', uniqueness: 'not-guaranteed', rest: 'drop', paths: { email: { ...rule, tag: 'pii.email' } } },
};
const toPlan = (...columns: ColumnPlan[]): Plan => ({
  ...{ version: 1, workspace: 'default', pipeline: 'shop', environment: 'test-1', keyVersion: 1 },
  facts: {
    ...{ purpose: 'integration tests', owner: 'team shop', legalBasis: 'legitimate interest', subjectCategories: ['customers'] },
    retentionDays: 30,
    source: { connection: 'env:SOURCE', region: 'eu' },
    target: { connection: 'env:TARGET', environment: 'test-1', class: 'test', region: 'eu', allows: ['pii'] },
  },
  source: { systemIdentifier: '1', databaseOid: 5, database: 'shop' },
  ...{ catalogueDigest: 'sha256:01', documents: {}, cutReferences: [] },
  tables: [
    {
      ...{ schema: 'public', name: 'customer', oid: 1, kind: 'r', rows: 'all', hidden: [], columns },
      loadInto: { schema: 'public', name: 'customer' },
    },
  ],
});
const facts: GateFacts = {
  catalogue: { tables: [] } as unknown as Catalogue,
  source: { address: 'db:5432', writable: false },
  knownSources: [],
  target: { systemIdentifier: '2', databaseOid: null, database: 'shop_test', address: 'test:5432', serverVersion: 180000, peakBytes: 0 },
  key: { version: 1, expiresAtMs: null },
  showPath: toShownPath,
  nowMs: Date.UTC(2026, 10, 21),
};
const ask = async (plan: Plan, change: Partial<GateFacts> = {}): Promise<string[] | 'allow'> => {
  const { allow, reasons } = await decide(policy, toGateInput(plan, { ...facts, ...change }));
  return allow ? 'allow' : reasons.map(({ code }) => code);
};

it('allows an honest plan', async () => {
  expect(await ask(toPlan(email, profile))).toBe('allow');
});

it('refuses the same plan when the target stands on the source’s server, whatever the documents say', async () => {
  expect(await ask(toPlan(email), { target: { ...facts.target, systemIdentifier: '1' } })).toEqual(['SAME_SERVER']);
  expect(await ask(toPlan(email), { target: { ...facts.target, systemIdentifier: '1', database: 'shop' } })).toEqual([
    'SAME_SERVER',
    'TARGET_IS_SOURCE',
  ]);
});

it('refuses the same plan with another key, a writing role, a kept column or a path that is kept', async () => {
  expect(await ask(toPlan(email), { key: { version: 2, expiresAtMs: null } })).toEqual(['KEY_VERSION_DIFFERS']);
  expect(await ask(toPlan(email), { source: { address: 'db:5432', writable: true } })).toEqual(['SOURCE_WRITABLE']);
  const kept: RulePlan = { ...rule, transform: 'keep' };
  expect(await ask(toPlan({ ...email, tag: 'none', rule: kept }, profile))).toEqual(['LINKS_TO_SOURCE']);
  const open: ColumnPlan = { ...profile, rule: { ...profile.rule, paths: { email: { ...kept, tag: 'pii.email' } } } };
  expect(await ask(toPlan(open))).toEqual(['KEEP_WITHOUT_EXPIRY', 'KEEP_WITHOUT_REASON']);
});

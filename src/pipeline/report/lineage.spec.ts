// What of a run's events becomes OpenLineage, and what becomes a line of usage. That it fits the schemas of OpenLineage is tested over a real run.
import { expect, it } from '@jest/globals';

import type { Event } from '../event.js';
import { lineageTriggers, toLineage, toUsage } from './report.js';

const run = '1m80arcrsgsbde9t';
const tell = (type: string, data: Event['data'] = {}, stage: Event['stage'] = 'deliver'): Event => ({
  ...{ runId: run, stage, type, at: '2026-11-22T00:33:35.004Z', data },
});
const column = (table: string, name: string, transform: string, more: object = {}) => ({
  ...{ table, column: name, path: null, type: 'text', tag: transform === 'keep' ? 'none' : 'pii.name', transform, scope: 'value' },
  ...more,
});
const started = [
  tell('run.queued', { due: '2026-11-22T00:30:00.000Z' }, 'control'),
  tell('run.started', { pipeline: 'shop', environment: 'dev', actor: 'p-1' }, 'source'),
  tell('source.seen', { address: '10.0.0.1:5432', database: 'production', systemIdentifier: '1' }, 'source'),
  tell('plan.decided', {
    ...{ planDigest: 'sha256:1', decision: { allow: true, policy: { revision: 'r' } } },
    target: { address: 'fd00::1:5433', database: 'copy', systemIdentifier: '2' },
  }),
  tell('table.loaded', { schema: 'shop', table: 'customer', rows: 7, bytes: 70 }),
  tell('table.loaded', { schema: 'shop', table: 'customer', rows: 7, bytes: 71 }),
];
const asked = (columns: readonly object[], follows: object = {}): Event =>
  tell('gate.asked', {
    input: { columns, target: { address: 'fd00::1:5433', database: 'copy', systemIdentifier: '2' } },
    follows,
  } as unknown as Event['data']);
const published = tell('dataset.published.done', { target: 'copy', version: 3 });
const context = { workspace: 'default', version: '1.2.3' };

it('begins a run once, whenever it was due, and says each next attempt as the same run going on', () => {
  const [begun] = toLineage(started.slice(0, 2), context);
  expect(begun).toMatchObject({
    ...{ eventType: 'START', eventTime: '2026-11-22T00:33:35.004Z', job: { namespace: 'bauta.default', name: 'shop' } },
    run: { facets: { nominalTime: { nominalStartTime: '2026-11-22T00:30:00.000Z' }, processing_engine: { version: '1.2.3' } } },
  });
  const [again] = toLineage([...started, started[1]!], context);
  expect([again?.eventType, again?.run.runId]).toEqual(['RUNNING', begun?.run.runId]);
  expect(begun?.run.runId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

it('says of each column where it comes from, how, and whose pseudonym it is', () => {
  const columns = [
    column('shop.customer', 'name', 'full-name', { scope: 'subject' }),
    column('shop.customer', 'note', 'keep'),
    column('shop.customer', 'profile', 'paths', { tag: 'mixed' }),
    column('shop.customer', 'profile', 'email', { path: 'contact.email', tag: 'pii.email' }),
  ];
  const follows = { 'shop.customer': { subject: [{ table: 'shop.customer', column: 'id' }] } };
  const [ended] = toLineage([...started, asked(columns, follows), published, tell('run.ended', { state: 'published' }, 'report')], context);
  expect(ended).toMatchObject({
    eventType: 'COMPLETE',
    inputs: [{ namespace: 'postgres://10.0.0.1:5432', name: 'production.shop.customer' }],
    outputs: [
      {
        ...{ namespace: 'postgres://[fd00::1]:5433', name: 'copy.shop.customer' },
        facets: { version: { datasetVersion: '3' }, schema: { fields: [{ name: 'name' }, { name: 'note' }, { name: 'profile' }] } },
        outputFacets: { outputStatistics: { rowCount: 7, size: 71 } },
      },
    ],
  });
  const { fields } = ended!.outputs[0]!.facets!['columnLineage'] as unknown as { fields: Record<string, { inputFields: object[] }> };
  const from = { namespace: 'postgres://10.0.0.1:5432', name: 'production.shop.customer' };
  expect(fields['name']?.inputFields).toEqual([
    {
      ...{ ...from, field: 'name' },
      transformations: [{ type: 'DIRECT', subtype: 'TRANSFORMATION', description: 'full-name (pii.name, by subject)', masking: true }],
    },
    {
      ...{ ...from, field: 'id' },
      transformations: [{ type: 'INDIRECT', subtype: 'CONDITIONAL', description: 'whose pseudonym it is', masking: true }],
    },
  ]);
  expect(fields['note']?.inputFields).toMatchObject([{ field: 'note', transformations: [{ subtype: 'IDENTITY', masking: false }] }]);
  expect(fields['profile']?.inputFields).toMatchObject([
    { transformations: [{ description: 'email (pii.email, by value) at contact.email' }] },
  ]);
  const { tags } = ended?.outputs[0]?.facets?.['tags'] as unknown as { tags: { key: string; value: string; field?: string }[] };
  expect(tags.map(({ key, value, field }) => [key, value, field])).toEqual([
    ['bauta', 'pii.name', 'name'],
    ['bauta', 'none', 'note'],
    ['bauta', 'pii.email', 'profile.contact.email'],
    ['data_category', 'pii.name', 'name'],
    ['data_category', 'pii.email', 'profile.contact.email'],
  ]);
});

it('tells of many tables in several events, of which only the last is the end', () => {
  const columns = Array.from({ length: 6 }, (_, t) => Array.from({ length: 100 }, (_, c) => column(`s.t${t}`, `c${c}`, 'keep'))).flat();
  const told = toLineage([...started, asked(columns), published, tell('run.ended', { state: 'published' }, 'report')], context);
  expect(told.map(({ eventType, outputs }) => [eventType, outputs.length])).toEqual([
    ['RUNNING', 2],
    ['RUNNING', 2],
    ['COMPLETE', 2],
  ]);
});

it('ends as the run did, with a code and no other text', () => {
  const end = (state: string, error?: object) =>
    toLineage([...started, tell('run.ended', { state, ...(error ? { error } : {}) } as Event['data'], 'report')], context)[0];
  expect([end('cancelled')?.eventType, end('withheld')?.eventType, end('denied')?.eventType]).toEqual(['ABORT', 'FAIL', 'FAIL']);
  expect(end('failed', { code: 'DELIVER_FAILED', message: 'not this' })?.run.facets['errorMessage']).toMatchObject({
    message: 'failed: DELIVER_FAILED',
  });
  expect(end('reused')?.eventType).toBe('COMPLETE');
  // A worker that died ended nothing; what the service says of a run that has ended itself is the same end.
  expect(toLineage([...started, tell('run.failed', {}, 'control')], context)[0]?.eventType).toBe('FAIL');
  const ended = [...started, tell('run.ended', { state: 'failed' }, 'report')];
  expect(toLineage([...ended, tell('run.failed', {}, 'control')], context)).toEqual([]);
  expect(toLineage([tell('run.queued'), tell('run.cancelled', {}, 'control')], context)).toEqual([]);
});

it('tells the verification as a child of the run, with an assertion for each column', () => {
  const check = { name: 'named', kind: 'notNull', severity: 'warn', schema: 'shop', table: 'customer', columns: ['name', 'note'], counted: 2, rows: null, expected: '0 rows', of: 'd' }; // prettier-ignore
  const verified = [...started, tell('dataset.verified', {}, 'verify')];
  const checked = [...verified, tell('checks.made', { checks: [{ ...check, outcome: 'fail' }] }, 'verify')];
  const found = (severity: string): Event => tell('findings.made', { findings: [{ code: 'X', severity }] }, 'verify');
  expect(toLineage(verified, context)[0]).toMatchObject({ eventType: 'START', job: { name: 'shop.verify' } });
  const [passed] = toLineage([...checked, found('warning')], context);
  const whole = toLineage(started.slice(0, 2), context)[0];
  expect(passed).toMatchObject({
    eventType: 'COMPLETE',
    run: {
      facets: {
        parent: { run: { runId: whole?.run.runId }, job: { namespace: 'bauta.default', name: 'shop' } },
        test: { tests: [{ name: 'named', type: 'not_null', status: 'fail', severity: 'warn', actual: '2' }] },
      },
    },
    inputs: [
      {
        name: 'copy.shop.customer',
        inputFacets: {
          dataQualityAssertions: {
            assertions: [
              { column: 'name', success: false },
              { column: 'note', success: false },
            ],
          },
        },
      },
    ],
  });
  expect(toLineage([...checked, found('error')], context)[0]?.eventType).toBe('FAIL');
  // What classification finds is no verification.
  expect(toLineage([...started, tell('findings.made', { findings: [] }, 'classify')], context)).toEqual([]);
});

it('names the legal basis by the words of others, and guesses none', () => {
  const basis = (legalBasis: string) =>
    toLineage(started.slice(0, 2), { ...context, stated: { purpose: 'tests', legalBasis } })[0]?.job.facets['processing'];
  expect(basis('GDPR Art. 6(1)(f)')).toMatchObject({ purpose: 'tests', legal_basis: 'legitimate-interest' });
  expect(basis('Art. 6 (1) b')).toMatchObject({ legal_basis: 'contract' });
  expect(basis('our own')).not.toHaveProperty('legal_basis');
});

it('sends nothing for what it does not name as a trigger', () => {
  for (const { type } of started) if (!lineageTriggers.includes(type)) expect(toLineage([...started, tell(type)], context)).toEqual([]);
});

it('says who used what and how much, each table once', () => {
  expect(toUsage(published, started)).toEqual({
    ...{ at: '2026-11-22T00:33:35.004Z', action: 'provisioned', who: 'p-1', environment: 'dev', pipeline: 'shop' },
    ...{ dataset: { target: 'copy', version: 3 }, run, clone: null, domain: null, amount: { rows: 7, bytes: 71, values: null } },
  });
  const exchanged = tell(
    'tokens.exchanged',
    { action: 'detokenise', actor: 'u', environment: 'dev', domain: 'pii.email', count: 12 },
    'control',
  );
  expect(toUsage(exchanged, [])).toMatchObject({
    action: 'detokenised',
    who: 'u',
    domain: 'pii.email',
    run: null,
    amount: { rows: null, values: 12 },
  });
  expect(toUsage(tell('tokens.exchanged', { action: 'tokenise' }, 'control'), [])?.action).toBe('tokenised');
  expect(toUsage(tell('clone.made.done', { actor: 'service', target: 'copy', version: 2, clone: 'c', for: 'anna' }), [])).toMatchObject({
    ...{ action: 'cloned', who: null, clone: 'c', dataset: { target: 'copy', version: 2 } },
  });
  expect(JSON.stringify(toUsage(tell('clone.made.done', { for: 'anna' }), []))).not.toContain('anna');
  expect(toUsage(tell('key.rotated'), [])).toBeUndefined();
});

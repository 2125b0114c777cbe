import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { loadDocuments } from '../../src/documents/documents.js';
import { bindPlan } from '../../src/pipeline/bind.js';
import type { Catalogue, Table } from '../../src/pipeline/catalogue.js';
import type { ClassificationDefinition, Described } from '../../src/pipeline/definition.js';
import { toPlanDigest } from '../../src/pipeline/plan.js';
import { toBindInput } from '../support/binding.js';
import { analysed, catalogue, foreignKey, table, unique } from '../support/catalogue.js';

const tables: readonly Table[] = [
  table('customer', { id: 'int4!', email: 'citext!', name: 'text', born: 'date' }, { key: ['id'], constraints: [unique('email')] }),
  table(
    'orders',
    { id: 'int4!', customer_id: 'int4', mail: 'varchar(60)', profile: 'jsonb' },
    {
      key: ['id'],
      constraints: [foreignKey(['customer_id'], 'public.customer', ['id']), foreignKey(['mail'], 'public.customer', ['email'])],
    },
  ),
  table(
    'item',
    { order_id: 'int4!', line: 'int4!', note: 'text' },
    { key: ['order_id', 'line'], constraints: [foreignKey(['order_id'], 'public.orders', ['id'])] },
  ),
];

const known = tables.map((one) => analysed(one));

const written: Record<string, unknown> = {
  kind: 'Classification',
  name: 'shop',
  tables: {
    customer: { person: true, columns: { email: 'pii.email', name: 'pii.first-name', born: 'pii.date-of-birth', id: 'pii.key' } },
    orders: {
      columns: { profile: { paths: { 'a.b': 'pii.email', 'c[].d': 'pii.free-text' }, rest: 'drop' } },
      keep: [{ columns: ['id'], reason: 'says nothing of a person' }],
    },
    item: { columns: { note: 'pii.free-text', line: 'none' } },
  },
};

/** The same JSON with the members of every object in an order that the seeds decide. */
function shuffle(value: unknown, seeds: readonly number[], at = { i: 0 }): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffle(item, seeds, at));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(
    ([key, member]) => [seeds[at.i++ % seeds.length] ?? 0, key, shuffle(member, seeds, at)] as const,
  );
  return Object.fromEntries([...members].sort((a, b) => a[0] - b[0]).map(([, key, member]) => [key, member]));
}

async function digestOf(file: string, document: unknown, from: Catalogue): Promise<string> {
  const loaded = await loadDocuments(file, () => Promise.resolve(JSON.stringify(document)));
  const base = toBindInput(from, { tables: {} });
  const bound = bindPlan({
    ...base,
    classification: loaded.definitions[0] as Described<ClassificationDefinition>,
    documents: loaded.digests,
  });
  if (!bound.plan) throw new Error(bound.findings.map(({ message }) => message).join('; '));
  return toPlanDigest(bound.plan);
}

describe('binding', () => {
  it('gives one digest whatever the order of members and tables, the name of the file, and the estimates', async () => {
    const expected = await digestOf('/a/a.yaml', written, catalogue(...known));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(), { minLength: 5, maxLength: 40 }),
        fc.shuffledSubarray([...tables], { minLength: 3 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.stringMatching(/^[a-z]{1,8}$/),
        async (seeds, order, rows, name) => {
          const other = order.map((one) => analysed({ ...one, estimatedRows: rows, bytes: rows * 10, pages: rows }));
          expect(await digestOf(`/${name}/${name}.json`, shuffle(written, seeds), catalogue(...other))).toBe(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('gives another digest when a tag, a rule, a key version or a row filter is another', async () => {
    const base = toBindInput(catalogue(...known), { tables: written['tables'] as ClassificationDefinition['tables'] });
    const digest = (input: typeof base): string => {
      const { plan } = bindPlan(input);
      return plan ? toPlanDigest(plan) : 'none';
    };
    const renamed = structuredClone(written['tables']) as Record<string, { columns: Record<string, unknown> }>;
    Object.assign(renamed['item']?.columns ?? {}, { note: 'none' });
    const all = [
      digest(base),
      digest({ ...base, keyVersion: 2 }),
      digest(toBindInput(catalogue(...known), { tables: renamed as ClassificationDefinition['tables'] })),
      digest({ ...base, pipeline: { ...base.pipeline, body: { ...base.pipeline.body, tables: { item: { rows: 'none' } } } } }),
      digest(
        toBindInput(catalogue(...known), {
          tables: base.classification.body.tables,
          rules: { 'pii.email': [{ transform: 'email', domain: 'mail' }] },
        }),
      ),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(all).not.toContain('none');
    await Promise.resolve();
  });
});

import { expect, it } from '@jest/globals';

import { bindChecks } from './bind-checks.js';
import type { DataType } from './catalogue.js';
import type { CheckDefinition } from './check.js';
import type { PipelineDefinition } from './definition.js';

const int: DataType = { display: 'integer', kind: 'base', base: 'int4', deterministicCollation: true };
const table = (name: string, parents: string[] = []) => ({
  ...{ schema: 'shop', name, columns: [{ name: 'id', type: int }] },
  parents: parents.map((parent) => ({ schema: 'shop', name: parent })),
});
const tables = [table('order'), table('order_2024', ['order']), table('order_2024_q1', ['order_2024']), table('person')];
const bind = (check: Partial<CheckDefinition>, target: Partial<PipelineDefinition['target']> = {}) =>
  bindChecks({
    pipeline: {
      body: { checks: [{ name: 'one', kind: 'notNull', severity: 'withhold', ...check }], target: target as PipelineDefinition['target'] },
      origin: { file: 'pipeline.yaml', line: () => 7 },
    },
    tables,
  });

it('counts the rows of a table in those of its partitions and heirs, however deep', () => {
  const { checks, findings } = bind({ kind: 'rowCount', table: 'shop."order"', min: 1 });
  expect(findings).toEqual([]);
  expect(checks).toMatchObject([{ parts: [{ name: 'order' }, { name: 'order_2024' }, { name: 'order_2024_q1' }] }]);
});

it('refuses texts that would read the version before while the schemas of staging have other names', () => {
  const swapSchemas = { reason: 'nobody gets CREATEDB', builder: 'env:B' };
  const at = { table: 'shop.person', columns: ['id'] };
  expect(bind({ ...at, where: 'id > 3' }, { swapSchemas }).findings).toEqual([]);
  expect(bind({ ...at, where: "id > 3 and 'select shop.x' <> ''" }, { swapSchemas }).findings).toEqual([]);
  const refused = [
    bind({ kind: 'sql', sql: 'SELECT 0' }, { swapSchemas }),
    bind({ ...at, where: 'id IN (sElEcT 1)' }, { swapSchemas }),
    bind({ ...at, where: 'shop.is_fine(id)' }, { swapSchemas }),
    bind({ ...at, where: '"shop".is_fine(id)' }, { swapSchemas }),
  ];
  for (const { findings } of refused) expect(findings).toMatchObject([{ code: 'PLAN_CHECK_INVALID', where: { line: 7, rule: 'one' } }]);
  // Where staging is a database, they read what they say.
  expect(bind({ kind: 'sql', sql: 'SELECT 0 ; ' }).checks).toMatchObject([{ sql: 'SELECT 0' }]);
  expect(bind({ ...at, where: 'id IN (SELECT 1)' }).findings).toEqual([]);
});

it('leaves a pipeline without checks as it was', () => {
  expect(bindChecks({ pipeline: { body: {}, origin: { file: '', line: () => 1 } }, tables })).toEqual({ findings: [] });
});

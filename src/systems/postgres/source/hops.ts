// The foreign keys that subject joins follow, with the operators that the server itself compares them with.
import type pg from 'pg';

import { toError } from '../../../kernel/errors.js';
import { type TableName, toTableLabel } from '../../../pipeline/catalogue.js';
import type { HiddenColumn, Plan } from '../../../pipeline/plan.js';
import { quoteName, quoteQualified } from '../quote.js';
import type { FindHop, Hop } from './copy-statement.js';

type Step = HiddenColumn['via'][number];

/** Looks up each step of the plan's joins once. Throws SOURCE_REFERENCE_MISSING when there is no such foreign key. */
export async function readHops(client: pg.Client, plan: Plan, connection: string): Promise<FindHop> {
  const hops = new Map<string, Hop>();
  for (const { from, step } of toSteps(plan)) {
    const hop = await readHop(client, from, step);
    if (!hop) {
      throw toError('SOURCE_REFERENCE_MISSING', {
        connection,
        schema: from.schema,
        table: from.name,
        object: toTableLabel(step.references),
      });
    }
    hops.set(toKey(from, step), hop);
  }
  return (from, step) => hops.get(toKey(from, step)) ?? { partitioned: false, operators: [] };
}

/** Tables that the joins read beside the plan's own, which may not be in the plan. */
export function toJoinedTables(plan: Plan): readonly TableName[] {
  return toSteps(plan).map(({ step }) => step.references);
}

function toSteps(plan: Plan): readonly { readonly from: TableName; readonly step: Step }[] {
  const steps = new Map<string, { from: TableName; step: Step }>();
  for (const table of plan.tables.filter(({ kind, rows }) => kind === 'r' && rows !== 'none')) {
    for (const { via } of table.hidden) {
      via.forEach((step, i) => {
        const from = via[i - 1]?.references ?? table;
        steps.set(toKey(from, step), { from, step });
      });
    }
  }
  return [...steps.values()];
}

function toKey(from: TableName, step: Step): string {
  return JSON.stringify([from.schema, from.name, step.columns, step.references.schema, step.references.name, step.references.columns]);
}

async function readHop(client: pg.Client, from: TableName, step: Step): Promise<Hop | undefined> {
  const { rows } = await client.query<{ partitioned: boolean; columns: string[]; keys: string[]; schemas: string[]; operators: string[] }>(
    `SELECT r.relkind = 'p' AS partitioned, k.*
     FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
       CROSS JOIN LATERAL (
         SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.i) AS columns, pg_catalog.array_agg(b.attname::text ORDER BY u.i) AS keys,
           pg_catalog.array_agg(n.nspname::text ORDER BY u.i) AS schemas, pg_catalog.array_agg(o.oprname::text ORDER BY u.i) AS operators
         FROM ROWS FROM (pg_catalog.unnest(f.conkey), pg_catalog.unnest(f.confkey), pg_catalog.unnest(f.conpfeqop))
             WITH ORDINALITY AS u(attnum, keynum, operator, i)
           JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = u.attnum
           JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = u.keynum
           JOIN pg_catalog.pg_operator o ON o.oid = u.operator JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
       ) AS k
     WHERE f.contype = 'f' AND f.conrelid = pg_catalog.to_regclass($1) AND f.confrelid = pg_catalog.to_regclass($2)`,
    [quoteQualified(from), quoteQualified(step.references)],
  );
  for (const row of rows) {
    const places = step.columns.map((column, i) =>
      row.columns.findIndex((name, at) => name === column && row.keys[at] === step.references.columns[i]),
    );
    if (places.length !== row.columns.length || places.includes(-1)) continue;
    // An operator's name is made of operator characters only and stands unquoted; the schema in front of it does not.
    const operators = places.map((at) => `${quoteName(row.schemas[at] ?? '')}.${row.operators[at] ?? ''}`);
    return { partitioned: row.partitioned, operators };
  }
  return undefined;
}

// Steps of everything that is no table: types and functions first, what hangs on tables last.
import {
  type DomainObject,
  type RuleObject,
  type SchemaObject,
  type TriggerObject,
  toLabel,
  toObjectLabel,
} from '../../../pipeline/catalogue.js';
import { quoteName, quoteQualified } from '../quote.js';
import { toCommentStatements, toCreateStatements, toSequenceOptions } from './create-object.js';
import { type Families, toTableKey } from './create-table.js';
import type { Step } from './step.js';
import { toIndexSteps } from './table-pieces.js';

type Needs = Readonly<Record<string, readonly string[]>>;

export interface ObjectContext {
  readonly families: Families;
  readonly needs: Needs;
  /** Label of the table or view of that name. */
  readonly relation: (name: { readonly schema: string; readonly name: string }) => string;
  /** SQL of a policy's roles; undefined where one has no counterpart. */
  readonly roles: (object: Extract<SchemaObject, { kind: 'policy' }>) => string;
}

export function toObjectSteps(object: SchemaObject, context: ObjectContext): Step[] {
  const label = toObjectLabel(object);
  const schema = object.schema === null ? [] : [`schema ${toLabel(object.schema)}`];
  const needs = [...(context.needs[label] ?? []), ...schema];
  return [...toMainSteps(object, label, needs, context), ...toCommentSteps(object, label, context)];
}

function toMainSteps(object: SchemaObject, label: string, needs: readonly string[], context: ObjectContext): Step[] {
  switch (object.kind) {
    case 'sequence':
      return toSequenceSteps(object, label, needs, context);
    case 'domain':
      return toDomainSteps(object, label, needs, context);
    case 'materialized view':
      return toMaterializedSteps(object, label, needs, context);
    case 'trigger':
    case 'rule':
      return toFiringSteps(object, label, needs, context);
    case 'policy': {
      const table = context.relation(object.table);
      const locks = [table, ...needs.filter((need) => need.startsWith('table '))];
      return [{ label, rank: 'policies', sql: [toPolicy(object, context.roles(object))], needs: [...needs, table], locks, pieceOf: table }];
    }
    case 'statistics': {
      const target = object.target === null ? [] : [`ALTER STATISTICS ${quoteQualified(object)} SET STATISTICS ${object.target}`];
      const table = context.relation(object.table);
      return [
        {
          label,
          rank: 'table settings',
          sql: [...toCreateStatements(object), ...target],
          needs: [...needs, table],
          locks: [table],
          pieceOf: table,
        },
      ];
    }
    case 'aggregate':
    case 'cast':
    case 'collation':
    case 'composite':
    case 'enum':
    case 'extension':
    case 'function':
    case 'operator':
    case 'procedure':
    case 'range':
    case 'text search configuration':
    case 'text search dictionary':
    case 'view':
      return [{ label, rank: 'early', sql: toCreateStatements(object), needs }];
  }
}

function toDomainSteps(object: DomainObject, label: string, needs: readonly string[], context: ObjectContext): Step[] {
  const checks = object.constraints.filter(({ kind }) => kind === 'c');
  return [
    { label, rank: 'early', sql: toCreateStatements(object), needs },
    ...checks.map(({ name, definition }): Step => {
      const piece = `domain constraint ${toLabel(object.schema, object.name, name)}`;
      const sql = `ALTER DOMAIN ${quoteQualified(object)} ADD CONSTRAINT ${quoteName(name)} ${definition}`;
      return { label: piece, rank: 'early', required: true, sql: [sql], needs: [...(context.needs[piece] ?? []), label], pieceOf: label };
    }),
  ];
}

/** A trigger that a partition has from its parent is made there; its state is its own. */
function toFiringSteps(object: TriggerObject | RuleObject, label: string, needs: readonly string[], context: ObjectContext): Step[] {
  const table = context.relation(object.table);
  const below = object.kind === 'trigger' ? context.families.descendants(object.table) : [];
  const locks = [table, ...below, ...needs.filter((need) => need.startsWith('table '))];
  const sql = object.kind === 'trigger' && object.inherited ? [] : toCreateStatements(object);
  const state = toState(object.enabled, object.kind === 'trigger' ? 'TRIGGER' : 'RULE', object);
  return [{ label, rank: 'triggers', sql, needs: [...needs, table], locks, pieceOf: table }, ...toStateSteps(label, table, state)];
}

function toSequenceSteps(
  object: Extract<SchemaObject, { kind: 'sequence' }>,
  label: string,
  needs: readonly string[],
  context: ObjectContext,
): Step[] {
  const { table, column } = object;
  if (!table || !column) return [{ label, rank: 'early', required: true, sql: toCreateStatements(object), needs }];
  const key = toTableKey(table);
  if (column.how === 'identity') {
    // From 17 on partitions share their root's identity, and get it when the root gets it: after they are attached.
    const attached = context.families.descendants(table).map((below) => below.replace(/^table /, 'attachment '));
    const when = column.identity === 'a' ? 'ALWAYS' : 'BY DEFAULT';
    const options = `SEQUENCE NAME ${quoteQualified(object)} ${toSequenceOptions(object)}`;
    const sql = `ALTER TABLE ${quoteQualified(table)} ALTER COLUMN ${quoteName(column.name)} ADD GENERATED ${when} AS IDENTITY (${options})`;
    return [{ label, rank: 'early', required: true, sql: [sql], needs: [...needs, key, ...attached], pieceOf: key }];
  }
  const owned = `ALTER SEQUENCE ${quoteQualified(object)} OWNED BY ${quoteQualified(table)}.${quoteName(column.name)}`;
  return [
    { label, rank: 'early', required: true, sql: toCreateStatements(object), needs },
    { label: `owner of ${label}`, rank: 'early', required: true, sql: [owned], needs: [label, key], pieceOf: label },
  ];
}

function toMaterializedSteps(
  object: Extract<SchemaObject, { kind: 'view' | 'materialized view' }>,
  label: string,
  needs: readonly string[],
  context: ObjectContext,
): Step[] {
  const refresh = `refresh of ${label}`;
  const steps: Step[] = [{ label, rank: 'early', sql: toCreateStatements(object), needs }];
  if (object.populated) {
    const sql = `REFRESH MATERIALIZED VIEW ${quoteQualified(object)}`;
    steps.push({ label: refresh, rank: 'refresh', sql: [sql], needs: [label], pieceOf: label });
  }
  const indexes = toIndexSteps(object, label, object.indexes, 'view indexes', context.needs);
  steps.push(
    ...indexes.map((step) => (step.rank === 'view indexes' && object.populated ? { ...step, needs: [...step.needs, refresh] } : step)),
  );
  if (object.clusterIndex !== undefined) {
    const sql = `ALTER MATERIALIZED VIEW ${quoteQualified(object)} CLUSTER ON ${quoteName(object.clusterIndex)}`;
    const index = `index ${toLabel(object.schema, object.clusterIndex)}`;
    steps.push({ label: `settings of ${label}`, rank: 'table settings', sql: [sql], needs: [label, index], pieceOf: label });
  }
  return steps;
}

function toStateSteps(label: string, table: string, sql: string | undefined): Step[] {
  return sql === undefined
    ? []
    : [{ label: `state of ${label}`, rank: 'trigger states', sql: [sql], needs: [label], locks: [table], pieceOf: label }];
}

/** Made enabled (O); another state is set afterwards, on this table only. */
function toState(
  enabled: string,
  what: 'TRIGGER' | 'RULE',
  object: { readonly name: string; readonly table: { readonly schema: string; readonly name: string } },
): string | undefined {
  const words: Readonly<Record<string, string>> = { D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' };
  const word = words[enabled];
  return word === undefined ? undefined : `ALTER TABLE ONLY ${quoteQualified(object.table)} ${word} ${what} ${quoteName(object.name)}`;
}

function toPolicy(object: Extract<SchemaObject, { kind: 'policy' }>, roles: string): string {
  const command = { '*': 'ALL', r: 'SELECT', a: 'INSERT', w: 'UPDATE', d: 'DELETE' }[object.command];
  return [
    `CREATE POLICY ${quoteName(object.name)} ON ${quoteQualified(object.table)}`,
    object.permissive ? 'AS PERMISSIVE' : 'AS RESTRICTIVE',
    `FOR ${command} TO ${roles}`,
    ...(object.using === null ? [] : [`USING (${object.using})`]),
    ...(object.check === null ? [] : [`WITH CHECK (${object.check})`]),
  ].join(' ');
}

function toCommentSteps(object: SchemaObject, label: string, context: ObjectContext): Step[] {
  const locks = 'table' in object && object.table ? { locks: [context.relation(object.table)] } : {};
  return toCommentStatements(object).map((comment): Step => ({
    label: `comment on ${comment.label}`,
    rank: 'comments',
    sql: [comment.sql],
    needs: [comment.label.startsWith('domain constraint') ? comment.label : label],
    pieceOf: label,
    ...locks,
  }));
}

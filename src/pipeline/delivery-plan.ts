// What a target needs of a plan and its catalogue, and nothing else: the value that travels to an agent beside the test environment. It says nothing of
// rules, conditions, tags, keys, statistics or the source's name, and holds no text that the plan drops.
import { type Catalogue, type SchemaObject, type Table, toLabel, toObjectLabel } from './catalogue.js';
import type { TargetDefinition } from './definition.js';
import type { Plan, TablePlan } from './plan.js';

/** A `Plan` is one. */
export interface DeliveryPlan extends Pick<Plan, 'environment' | 'cutReferences' | 'roles'> {
  readonly facts: {
    readonly target: Pick<TargetDefinition, 'adopt' | 'clones' | 'keepVersions' | 'roles'>;
    readonly schemaTexts?: readonly { readonly object: string; readonly action: 'keep' | 'drop' }[] | undefined;
  };
  /** So that nobody delivers into the source. */
  readonly source: Pick<Plan['source'], 'systemIdentifier' | 'databaseOid'>;
  readonly tables: readonly DeliveryTable[];
}

export interface DeliveryTable extends Pick<TablePlan, 'schema' | 'name' | 'kind' | 'loadInto'> {
  /** `none`: no row comes. */
  readonly rows: unknown;
  readonly columns: readonly { readonly name: string }[];
}

export function toDeliveryPlan({ environment, cutReferences, roles, facts, source, tables }: Plan): DeliveryPlan {
  const { adopt, clones, keepVersions, roles: named } = facts.target;
  return {
    environment,
    cutReferences,
    ...(roles && { roles }),
    facts: {
      target: {
        ...(adopt && { adopt }),
        ...(clones && { clones }),
        ...(keepVersions !== undefined && { keepVersions }),
        ...(named && { roles: named }),
      },
      schemaTexts: (facts.schemaTexts ?? []).filter(({ action }) => action === 'drop').map(({ object, action }) => ({ object, action })),
    },
    source: { systemIdentifier: source.systemIdentifier, databaseOid: source.databaseOid },
    tables: tables.map(({ schema, name, kind, loadInto, rows, columns }) => ({
      ...{ schema, name, kind, loadInto, rows: rows === 'none' ? 'none' : 'all' },
      columns: columns.map((column) => ({ name: column.name })),
    })),
  };
}

/** What the DDL is made of. Of what the plan drops only the label is left, so that it is dropped there too. */
export function toDeliveryCatalogue(catalogue: Catalogue, { facts }: Pick<DeliveryPlan, 'facts'>): Catalogue {
  const named = new Set((facts.schemaTexts ?? []).flatMap(({ object, action }) => (action === 'drop' ? [object] : [])));
  // A function may be named without its arguments: then all of that name go.
  const dropped = (label: string): boolean => named.has(label) || named.has(label.replace(/\(.*\)$/s, ''));
  const { server, schemas, tables, objects, dependencies } = catalogue;
  return {
    server: { ...server, database: '' },
    schemas: schemas.map((schema) => ({ ...schema, comment: toComment(`schema ${toLabel(schema.name)}`, schema.comment, dropped) })),
    tables: tables.map((table) => toTable(table, dropped)),
    objects: objects.map((object) => toObject(object, dropped)),
    ...(dependencies && { dependencies }),
  };
}

type Dropped = (label: string) => boolean;

function toComment(label: string, comment: string | null, dropped: Dropped): string | null {
  return comment !== null && (dropped(label) || dropped(`comment on ${label}`)) ? '' : comment;
}

function toTable(table: Table, dropped: Dropped): Table {
  const own = (kind: string, name: string): string => `${kind} ${toLabel(table.schema, table.name, name)}`;
  return {
    ...table,
    comment: toComment(`table ${toLabel(table.schema, table.name)}`, table.comment, dropped),
    columns: table.columns.map(({ statistics: _, ...column }) => ({
      ...column,
      labels: [],
      comment: toComment(own('column', column.name), column.comment, dropped),
      expression: column.expression !== null && dropped(own('default', column.name)) ? '' : column.expression,
    })),
    constraints: table.constraints.map((constraint) => {
      const label = own('constraint', constraint.name);
      const comment = toComment(label, constraint.comment, dropped);
      return { ...constraint, comment, definition: dropped(label) ? '' : constraint.definition };
    }),
    indexes: toIndexes(table.schema, table.indexes, dropped),
  };
}

function toIndexes(schema: string, indexes: Table['indexes'], dropped: Dropped): Table['indexes'] {
  return indexes.map((index) => {
    const label = `index ${toLabel(schema, index.name)}`;
    const comment = toComment(label, index.comment, dropped);
    return dropped(label) ? { ...index, comment, definition: '', predicate: null } : { ...index, comment };
  });
}

function toObject(object: SchemaObject, dropped: Dropped): SchemaObject {
  const label = toObjectLabel(object);
  const comment = toComment(label, object.comment, dropped);
  const gone = dropped(label);
  const text = (one: string): string => (gone ? '' : one);
  switch (object.kind) {
    case 'function':
    case 'procedure':
      // The body stands in the definition; by itself it is for detectors.
      return { ...object, comment, body: '', definition: text(object.definition) };
    case 'trigger':
    case 'rule':
    case 'statistics':
      return { ...object, comment, definition: text(object.definition) };
    case 'policy':
      return gone ? { ...object, comment, using: null, check: null, roles: [] } : { ...object, comment };
    case 'enum':
      return gone ? { ...object, comment, labels: [] } : { ...object, comment };
    case 'aggregate':
    case 'operator':
      return gone ? { ...object, comment, clauses: [] } : { ...object, comment };
    case 'collation':
      return gone ? { ...object, comment, options: [] } : { ...object, comment };
    case 'text search dictionary':
      return gone ? { ...object, comment, options: null } : { ...object, comment };
    case 'domain':
      return {
        ...object,
        comment,
        defaultExpression: gone ? null : object.defaultExpression,
        constraints: object.constraints.map((constraint) => {
          const at = `domain constraint ${toLabel(object.schema, object.name, constraint.name)}`;
          const away = gone || dropped(at);
          return { ...constraint, comment: toComment(at, constraint.comment, dropped), definition: away ? '' : constraint.definition };
        }),
      };
    case 'composite':
      return {
        ...object,
        comment,
        attributes: object.attributes.map((one) => {
          return { ...one, comment: toComment(`column ${toLabel(object.schema, object.name, one.name)}`, one.comment, dropped) };
        }),
      };
    case 'view':
    case 'materialized view':
      return {
        ...object,
        comment,
        definition: text(object.definition),
        columns: object.columns.map((column) => ({
          ...column,
          defaultExpression: gone ? null : column.defaultExpression,
          comment: toComment(`column ${toLabel(object.schema, object.name, column.name)}`, column.comment, gone ? () => true : dropped),
        })),
        indexes: toIndexes(object.schema, object.indexes, gone ? () => true : dropped),
      };
    case 'extension':
    case 'range':
    case 'cast':
    case 'sequence':
    case 'text search configuration':
      return { ...object, comment };
  }
}

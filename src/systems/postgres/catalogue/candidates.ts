// Every object and piece of the database as the choice of scope sees it.
import { type SchemaObject, type Table, toLabel, toObjectLabel } from '../../../pipeline/catalogue.js';
import { outwardExtensions, type Refused } from './refused.js';
import type { Candidate } from './scope.js';

export function toCandidates(all: {
  readonly tables: readonly Table[];
  readonly objects: readonly SchemaObject[];
  readonly refused: readonly Refused[];
}): Candidate[] {
  const viewLabels = new Map(
    all.objects.flatMap((object): [string, string][] =>
      object.kind === 'view' || object.kind === 'materialized view' ? [[toLabel(object.schema, object.name), toObjectLabel(object)]] : [],
    ),
  );
  const ownerOf = (schema: string, name: string): string => viewLabels.get(toLabel(schema, name)) ?? `table ${toLabel(schema, name)}`;
  return [
    ...all.tables.flatMap(toTableCandidates),
    ...all.objects.flatMap((object) => toObjectCandidates(object, ownerOf)),
    ...all.refused.map((refused) => ({
      label: refused.label,
      // Only a foreign table and what stands in a schema is chosen by a pattern; servers and languages count when needed.
      path: refused.schema === null ? null : `${refused.schema}.${refused.relation ?? toName(refused.label)}`,
      relation: false,
      onlyWhenNeeded: refused.schema === null,
    })),
  ];
}

function toName(label: string): string {
  return label.slice(label.lastIndexOf('.') + 1).replace(/^"|"$/g, '');
}

function toTableCandidates(table: Table): Candidate[] {
  const label = `table ${toLabel(table.schema, table.name)}`;
  const path = `${table.schema}.${table.name}`;
  const piece = (text: string): Candidate => ({ label: text, path: null, relation: false, pieceOf: label });
  return [
    { label, path, relation: true },
    ...table.columns
      .filter((c) => c.expression !== null && c.generated === '')
      .map((c) => piece(`default ${toLabel(table.schema, table.name, c.name)}`)),
    ...table.constraints.map((c) => piece(`constraint ${toLabel(table.schema, table.name, c.name)}`)),
    ...table.indexes.filter((index) => index.constraint === null).map((index) => piece(`index ${toLabel(table.schema, index.name)}`)),
  ];
}

function toObjectCandidates(object: SchemaObject, ownerOf: (schema: string, name: string) => string): Candidate[] {
  const label = toObjectLabel(object);
  const path = object.schema === null ? null : `${object.schema}.${object.name}`;
  switch (object.kind) {
    case 'extension':
      return [{ label, path: null, relation: false, onlyWhenNeeded: !object.trusted || outwardExtensions.has(object.name) }];
    case 'cast':
      return [{ label, path: null, relation: false }];
    case 'domain': {
      const checks = object.constraints.filter((constraint) => constraint.kind === 'c');
      const toCheck = (name: string): string => `domain constraint ${toLabel(object.schema, object.name, name)}`;
      return [
        { label, path, relation: false },
        ...checks.map((c) => ({ label: toCheck(c.name), path: null, relation: false, pieceOf: label })),
      ];
    }
    case 'view':
    case 'materialized view': {
      const indexes = object.indexes.map((index) => `index ${toLabel(object.schema, index.name)}`);
      return [{ label, path, relation: true }, ...indexes.map((text) => ({ label: text, path: null, relation: false, pieceOf: label }))];
    }
    case 'sequence':
    case 'trigger':
    case 'rule':
    case 'policy':
    case 'statistics':
      if (!object.table) return [{ label, path, relation: false }];
      return [{ label, path: null, relation: false, pieceOf: ownerOf(object.table.schema, object.table.name) }];
    case 'aggregate':
    case 'collation':
    case 'composite':
    case 'enum':
    case 'function':
    case 'operator':
    case 'procedure':
    case 'range':
    case 'text search configuration':
    case 'text search dictionary':
      return [{ label, path, relation: false }];
  }
}

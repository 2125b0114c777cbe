// CREATE for everything but tables and their pieces. What the server has a deparser for is used as it wrote it.
import { type SchemaObject, toLabel, toObjectLabel } from '../../../pipeline/catalogue.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';

/** Statements that make the object, in order. Pieces of tables (sequences of identities, triggers, policies, statistics) are made elsewhere. */
export function toCreateStatements(object: SchemaObject): readonly string[] {
  switch (object.kind) {
    case 'extension':
      return [`CREATE EXTENSION IF NOT EXISTS ${quoteName(object.name)} WITH SCHEMA ${quoteName(object.schema)}`];
    case 'enum':
      return [`CREATE TYPE ${quoteQualified(object)} AS ENUM (${object.labels.map(quoteLiteral).join(', ')})`];
    case 'domain':
      return [toDomain(object)];
    case 'composite':
      return [toComposite(object)];
    case 'range':
      return [toRange(object)];
    case 'function':
    case 'procedure':
      return [object.definition];
    case 'aggregate':
      return [`CREATE AGGREGATE ${quoteQualified(object)}(${object.arguments}) (${toClauses(object.clauses)})`];
    case 'operator':
      // An operator's name is made of symbols; it has no quoted form.
      return [`CREATE OPERATOR ${quoteName(object.schema)}.${object.name} (${toClauses(object.clauses)})`];
    case 'cast':
      return [toCast(object)];
    case 'collation':
      return [`CREATE COLLATION ${quoteQualified(object)} (${toClauses(object.options)})`];
    case 'text search dictionary': {
      const options = object.options === null ? '' : `, ${object.options}`;
      return [`CREATE TEXT SEARCH DICTIONARY ${quoteQualified(object)} (TEMPLATE = ${object.template}${options})`];
    }
    case 'text search configuration': {
      const name = quoteQualified(object);
      const mappings = object.mappings.map(
        ({ token, dictionaries }) =>
          `ALTER TEXT SEARCH CONFIGURATION ${name} ADD MAPPING FOR ${quoteName(token)} WITH ${dictionaries.join(', ')}`,
      );
      return [`CREATE TEXT SEARCH CONFIGURATION ${name} (PARSER = ${object.parser})`, ...mappings];
    }
    case 'sequence':
      return [
        `CREATE ${object.unlogged ? 'UNLOGGED ' : ''}SEQUENCE ${quoteQualified(object)} AS ${object.type} ${toSequenceOptions(object)}`,
      ];
    case 'view':
      return [toView(object), ...toViewColumns(object)];
    case 'materialized view':
      return [
        `CREATE MATERIALIZED VIEW ${quoteQualified(object)}${toOptions(object.options)} AS ${object.definition} WITH NO DATA`,
        ...toViewColumns(object),
      ];
    case 'trigger':
    case 'rule':
    case 'statistics':
      return [object.definition];
    case 'policy':
      return [];
  }
}

type Of<Kind extends SchemaObject['kind']> = Extract<SchemaObject, { kind: Kind }>;
type View = Extract<SchemaObject, { kind: 'view' | 'materialized view' }>;

function toClauses(clauses: readonly (readonly [string, string])[]): string {
  return clauses.map(([name, text]) => (text === '' ? name : `${name} = ${text}`)).join(', ');
}

function toComposite(object: Of<'composite'>): string {
  const attributes = object.attributes.map((a) => `${quoteName(a.name)} ${a.type}${a.collation === null ? '' : ` COLLATE ${a.collation}`}`);
  return `CREATE TYPE ${quoteQualified(object)} AS (${attributes.join(', ')})`;
}

function toCast(object: Of<'cast'>): string {
  const context = { e: '', a: ' AS ASSIGNMENT', i: ' AS IMPLICIT' }[object.context];
  const how = object.function === null ? 'WITH INOUT' : `WITH FUNCTION ${object.function}`;
  return `CREATE CAST (${object.source} AS ${object.target}) ${how}${context}`;
}

function toDomain(object: Of<'domain'>): string {
  const named = object.constraints.find((constraint) => constraint.kind === 'n');
  return [
    `CREATE DOMAIN ${quoteQualified(object)} AS ${object.type}`,
    object.collation === null ? '' : ` COLLATE ${object.collation}`,
    object.defaultExpression === null ? '' : ` DEFAULT ${object.defaultExpression}`,
    object.notNull && named ? ` CONSTRAINT ${quoteName(named.name)} NOT NULL` : object.notNull ? ' NOT NULL' : '',
  ].join('');
}

function toRange(object: Of<'range'>): string {
  const clauses: [string, string][] = [['SUBTYPE', object.subtype]];
  if (object.operatorClass !== null) clauses.push(['SUBTYPE_OPCLASS', object.operatorClass]);
  if (object.collation !== null) clauses.push(['COLLATION', object.collation]);
  if (object.difference !== null) clauses.push(['SUBTYPE_DIFF', object.difference]);
  clauses.push(['MULTIRANGE_TYPE_NAME', quoteQualified(object.multirange)]);
  return `CREATE TYPE ${quoteQualified(object)} AS RANGE (${toClauses(clauses)})`;
}

export function toSequenceOptions(object: Of<'sequence'>): string {
  return [
    `START WITH ${object.start}`,
    `INCREMENT BY ${object.increment}`,
    `MINVALUE ${object.minimum}`,
    `MAXVALUE ${object.maximum}`,
    `CACHE ${object.cache}`,
    object.cycle ? 'CYCLE' : 'NO CYCLE',
  ].join(' ');
}

/** `name=value` as pg_class.reloptions has it, as a WITH clause. */
export function toOptions(options: readonly string[], keyword = ' WITH '): string {
  return options.length === 0 ? '' : `${keyword}(${options.map((option) => toOption(option)).join(', ')})`;
}

export function toOption(option: string, prefix = ''): string {
  const at = option.indexOf('=');
  return `${prefix}${quoteName(option.slice(0, at))} = ${quoteLiteral(option.slice(at + 1))}`;
}

export function toView(object: View, replace = false): string {
  return `CREATE ${replace ? 'OR REPLACE ' : ''}VIEW ${quoteQualified(object)}${toOptions(object.options)} AS ${object.definition}`;
}

/** A view with the right columns and nothing in it, for those that need the view before it can be made. */
export function toViewShell(object: View): string {
  const columns = object.columns.map(({ name, type, collation }) => {
    const collate = collation === null ? '' : ` COLLATE ${collation}`;
    return `NULL::${type}${collate} AS ${quoteName(name)}`;
  });
  return `CREATE VIEW ${quoteQualified(object)} AS SELECT ${columns.join(', ')}`;
}

function toViewColumns(object: View): string[] {
  const relation = `${object.kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW'} ${quoteQualified(object)}`;
  return object.columns.flatMap((column) => {
    const alter = `ALTER ${relation} ALTER COLUMN ${quoteName(column.name)}`;
    const made = column.defaultExpression === null ? [] : [`${alter} SET DEFAULT ${column.defaultExpression}`];
    return object.kind === 'view' ? made : [...made, ...toColumnSettings(alter, column)];
  });
}

const storages: Readonly<Record<string, string>> = { p: 'PLAIN', e: 'EXTERNAL', m: 'MAIN', x: 'EXTENDED' };
const compressions: Readonly<Record<string, string>> = { p: 'pglz', l: 'lz4' };

export function toColumnSettings(
  alter: string,
  column: {
    readonly storage?: string;
    readonly compression?: string;
    readonly statisticsTarget?: number;
    readonly options?: readonly string[];
  },
): string[] {
  const settings: string[] = [];
  if (column.storage !== undefined) settings.push(`SET STORAGE ${storages[column.storage] ?? 'DEFAULT'}`);
  if (column.compression !== undefined) settings.push(`SET COMPRESSION ${compressions[column.compression] ?? 'default'}`);
  if (column.statisticsTarget !== undefined) settings.push(`SET STATISTICS ${column.statisticsTarget}`);
  if (column.options !== undefined) settings.push(`SET ${toOptions(column.options, '')}`);
  return settings.map((setting) => `${alter} ${setting}`);
}

/** Statements that give the object and its parts their comments, each with the label that drops it. */
export function toCommentStatements(object: SchemaObject): readonly { readonly label: string; readonly sql: string }[] {
  const label = toObjectLabel(object);
  const own = object.comment === null ? [] : [{ label, sql: `COMMENT ON ${toCommentTarget(object)} IS ${quoteLiteral(object.comment)}` }];
  if (object.kind === 'domain') {
    const parts = object.constraints.filter((constraint) => constraint.comment !== null);
    return [
      ...own,
      ...parts.map(({ name, comment }) => ({
        label: `domain constraint ${toLabel(object.schema, object.name, name)}`,
        sql: `COMMENT ON CONSTRAINT ${quoteName(name)} ON DOMAIN ${quoteQualified(object)} IS ${quoteLiteral(comment ?? '')}`,
      })),
    ];
  }
  const columns =
    object.kind === 'composite' ? object.attributes : object.kind === 'view' || object.kind === 'materialized view' ? object.columns : [];
  return [
    ...own,
    ...columns
      .filter(({ comment }) => comment !== null)
      .map(({ name, comment }) => ({
        label: `column ${toLabel(object.schema ?? '', object.name, name)}`,
        sql: `COMMENT ON COLUMN ${quoteQualified({ schema: object.schema ?? '', name: object.name })}.${quoteName(name)} IS ${quoteLiteral(comment ?? '')}`,
      })),
  ];
}

function toCommentTarget(object: SchemaObject): string {
  switch (object.kind) {
    case 'extension':
      return `EXTENSION ${quoteName(object.name)}`;
    case 'cast':
      return `CAST (${object.source} AS ${object.target})`;
    case 'enum':
    case 'composite':
    case 'range':
      return `TYPE ${quoteQualified(object)}`;
    case 'function':
    case 'procedure':
    case 'aggregate':
      return `${object.kind.toUpperCase()} ${quoteQualified(object)}(${object.arguments})`;
    case 'operator':
      return `OPERATOR ${quoteName(object.schema)}.${object.name} (${object.left ?? 'NONE'}, ${object.right})`;
    case 'trigger':
    case 'rule':
    case 'policy':
      return `${object.kind.toUpperCase()} ${quoteName(object.name)} ON ${quoteQualified(object.table)}`;
    case 'collation':
    case 'domain':
    case 'materialized view':
    case 'sequence':
    case 'statistics':
    case 'text search configuration':
    case 'text search dictionary':
    case 'view':
      return `${object.kind.toUpperCase()} ${quoteQualified(object)}`;
  }
}

// A first classification as YAML with the rule and confidence of each line, the lock as JSON, and a catalogue that can be committed.
import type { Catalogue, DataType, Table } from '../pipeline/catalogue.js';
import type { ClassificationLock } from '../pipeline/definition.js';
import { hasTagForm } from '../pipeline/tags.js';

/** What is suggested for a column, as the classify stage drafts it. */
export type WrittenColumn = { readonly column: string; readonly type: string } & (
  | { readonly kind: 'tag'; readonly tag: string; readonly rule: string; readonly confidence: number }
  | { readonly kind: 'paths'; readonly paths: readonly WrittenPath[]; readonly complete: boolean; readonly notes: readonly string[] }
  | { readonly kind: 'follows'; readonly of: string; readonly tag: string }
  | { readonly kind: 'said' }
  | { readonly kind: 'unknown'; readonly notes: readonly string[] }
);

export interface WrittenPath {
  readonly path: string;
  readonly tag?: string;
  readonly rule?: string;
  readonly confidence?: number;
}

export interface WrittenTable {
  readonly key: string;
  readonly person: boolean;
  readonly columns: readonly WrittenColumn[];
}

/** Names come from a stranger's catalogue: in a document they are quoted, in a comment they end no line. */
export function writeClassification(name: string, tables: readonly WrittenTable[]): string {
  const head = [
    '# Suggested from names, types and sampled content; nobody confirmed it. Each line says by which rule and how sure (0 to 1).',
    '# What is unknown stops the plan until a person gives it a tag, or keeps it: keep: [{ columns: [...], reason: ... }]',
    'kind: Classification',
    `name: ${name}`,
    tables.length === 0 ? 'tables: {}' : 'tables:',
  ];
  return `${[...head, ...tables.flatMap(toTableLines)].join('\n')}\n`;
}

function toTableLines({ key, person, columns }: WrittenTable): readonly string[] {
  const lines = columns.flatMap(toColumnLines);
  const written = lines.some((line) => !line.trimStart().startsWith('#'));
  return [
    `  ${toScalar(key)}:`,
    ...(person ? ['    person: true # its rows look like people'] : []),
    written ? '    columns:' : '    columns: {} # take the braces away when you write a line below',
    ...lines,
  ];
}

function toColumnLines(column: WrittenColumn): readonly string[] {
  const indent = '      ';
  const name = toScalar(column.column);
  switch (column.kind) {
    case 'tag':
      return [`${indent}${name}: ${column.tag} # ${column.rule} ${column.confidence.toFixed(2)}`];
    case 'follows':
      return [`${indent}# ${name} is ${column.tag}, as ${toComment(column.of)}`];
    case 'said':
      return [`${indent}# ${name}: its comment or label says it`];
    case 'unknown':
      return [`${indent}# unknown: ${name} (${toComment(column.type)})${toNotes(column.notes)}`];
    case 'paths':
      return toPathLines(column, name, indent);
  }
}

function toPathLines(column: Extract<WrittenColumn, { kind: 'paths' }>, name: string, indent: string): readonly string[] {
  // With a path that nobody knows the whole entry is a comment, so that the column stays untagged.
  const start = column.complete ? indent : `${indent}# `;
  const paths = column.paths.map(({ path, tag, rule, confidence }) => {
    const shown = toScalar(path === '' ? '(the value itself)' : path);
    return tag === undefined
      ? `${start}    ${shown}: ? # unknown`
      : `${start}    ${shown}: ${tag} # ${rule ?? ''} ${(confidence ?? 0).toFixed(2)}`;
  });
  const note = column.complete
    ? []
    : [`${indent}# unknown: ${name} (${toComment(column.type)}): not every path is known${toNotes(column.notes)}`];
  return [
    ...note,
    `${start}${name}:${column.complete && column.notes.length > 0 ? ` #${toNotes(column.notes).slice(1)}` : ''}`,
    `${start}  paths:`,
    ...paths,
  ];
}

function toNotes(notes: readonly string[]): string {
  return notes.length === 0 ? '' : `; ${toComment(notes.join('; '))}`;
}

const WORDS = new Set(['null', 'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n']);

/** A plain word as it is, anything else in quotes: a JSON string is YAML. */
function toScalar(text: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/.test(text) && !WORDS.has(text.toLowerCase())) return text;
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function toComment(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, '�');
}

/** Sorted already by the one who confirmed; one entry a line, so that a merge shows who confirmed what. */
export function writeLock(lock: ClassificationLock): string {
  const entries = Object.entries(lock.columns).map(([name, entry]) => `    ${JSON.stringify(name)}: ${JSON.stringify(entry)}`);
  const columns = entries.length === 0 ? '{}' : `{\n${entries.join(',\n')}\n  }`;
  return `{\n  "version": ${lock.version},\n  "columns": ${columns}\n}\n`;
}

/**
 * The catalogue as a file that lies in a repository: tables, columns, types and keys. What may hold a person's data (texts of comments, defaults,
 * checks, bounds, enum labels) or changes every day (estimates, oids) stays out; of a comment only its `bauta:` tag is kept. The same schema gives
 * the same text.
 */
export function writeCatalogue(catalogue: Catalogue): string {
  const tables = [...catalogue.tables].sort((a, b) => (`${a.schema}\0${a.name}` < `${b.schema}\0${b.name}` ? -1 : 1)).map(toPlainTable);
  const server = { ...catalogue.server, systemIdentifier: '', databaseOid: 0, inRecovery: false };
  const schemas = catalogue.schemas.map(({ name }) => ({ name, comment: null }));
  return `${JSON.stringify({ ...{ server, schemas, tables }, objects: [], dependencies: {} }, undefined, 1)}\n`;
}

function toPlainTable(table: Table): Table {
  return {
    ...{ schema: table.schema, name: table.name, oid: 0, kind: table.kind, unlogged: table.unlogged, comment: null },
    columns: table.columns.map(({ attnum, name, type, notNull, identity, generated, comment, labels }) => ({
      ...{ attnum, name, type: toPlainType(type), notNull, identity, generated, expression: null },
      comment: toSaying(/(?:^|[\s;,])bauta:\s*([a-z][a-z.-]*)/.exec(comment ?? '')?.[1]),
      labels: labels
        .filter(({ provider, label }) => provider === 'bauta' || label.trimStart().startsWith('bauta:'))
        .map(({ provider, label }) => ({
          provider,
          label: toSaying(/^\s*(?:bauta:)?\s*([a-z][a-z.-]*)\s*$/.exec(label)?.[1] ?? '') ?? '',
        })),
    })),
    constraints: table.constraints
      .filter(({ kind }) => kind !== 'c' && kind !== 'n')
      .map((constraint) => ({ ...constraint, definition: '', comment: null })),
    indexes: [],
    parents: table.parents,
    ...{ rowSecurity: table.rowSecurity, estimatedRows: -1, bytes: 0, pages: 0 },
  };
}

/** What a comment says to us; what is no tag is told as `unknown`, so that a check still fails for it, without its words. */
function toSaying(said: string | undefined): string | null {
  if (said === undefined) return null;
  return hasTagForm(said) ? `bauta: ${said}` : 'bauta: unknown';
}

function toPlainType(type: DataType): DataType {
  const { element, attributes } = type;
  // Labels of an enum are texts that somebody chose: their names are not needed to say what a column is.
  const rest = Object.fromEntries(
    Object.entries(type).filter(([member]) => !['labels', 'element', 'attributes'].includes(member)),
  ) as unknown as DataType;
  return {
    ...rest,
    ...(element ? { element: toPlainType(element) } : {}),
    ...(attributes ? { attributes: attributes.map(({ name, type: below }) => ({ name, type: toPlainType(below) })) } : {}),
  };
}

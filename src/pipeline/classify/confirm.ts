// A person's word for columns that exist now: by column, table or pattern in, a list of columns out. What comes later is new.
import { type Finding, sortFindings, toFinding } from '../../kernel/errors.js';
import { parseNamePattern, parseSqlName, toSqlName } from '../../kernel/sql-name.js';
import type { Table } from '../catalogue.js';
import type { ClassificationLock } from '../definition.js';
import { type ResolveInput, resolveTags } from './resolve.js';

export interface ConfirmInput extends Omit<ResolveInput, 'lock'> {
  readonly known?: ClassificationLock | undefined;
  /** `schema.table.column`, `schema.table` or a pattern over either. */
  readonly patterns: readonly string[];
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
}

export interface Confirmed {
  /** Absent when there is an error among the findings: nothing is confirmed by halves. */
  readonly lock?: ClassificationLock;
  /** Newly confirmed columns, sorted. */
  readonly confirmed: readonly string[];
  /** Columns that the lock named and that are no longer there, sorted. */
  readonly removed: readonly string[];
  readonly findings: readonly Finding[];
}

// A column that is not confirmed yet is what this is for; who a row's person is does not touch a column's tag.
const beside = new Set(['COLUMN_UNCONFIRMED', 'COLUMN_UNTAGGED', 'CLASSIFICATION_SUBJECT_INVALID', 'CLASSIFICATION_PERSON_WITHOUT_KEY']);

export function confirm(input: ConfirmInput): Confirmed {
  const { known, patterns, by, at, ...resolve } = input;
  const resolution = resolveTags(resolve);
  const findings: Finding[] = [];
  const chosen = new Map<string, string>();
  for (const [i, pattern] of patterns.entries()) {
    const matches = toMatch(pattern);
    const columns = resolution.tables.flatMap(({ table, columns: tagged }) =>
      table.columns
        .filter((column) => matches(table, column.name) && (column.generated === '' || tagged.has(column.name)))
        .map((column) => ({ table, column, tag: tagged.get(column.name)?.tag })),
    );
    if (columns.length === 0) findings.push(toFinding('CONFIRM_NO_COLUMN', { row: i + 1 }));
    for (const { table, column, tag } of columns) {
      if (tag === undefined)
        findings.push(toFinding('CONFIRM_COLUMN_UNTAGGED', { schema: table.schema, table: table.name, column: column.name }));
      else chosen.set(toSqlName(table.schema, table.name, column.name), tag);
    }
  }
  const problems = resolution.findings.filter(({ code, severity }) => severity === 'error' && !beside.has(code));
  findings.push(...problems.filter(({ where }) => touches(where, chosen)));
  if (findings.length > 0) return { confirmed: [], removed: [], findings: sortFindings(findings) };
  return toLock(known, chosen, input.tables, { by, at });
}

/** What is wrong with another column does not stop this one; what is wrong with the document does. */
function touches({ schema, table, column }: Finding['where'], chosen: ReadonlyMap<string, string>): boolean {
  return schema === undefined || table === undefined || column === undefined || chosen.has(toSqlName(schema, table, column));
}

function toMatch(pattern: string): (table: Table, column: string) => boolean {
  const parsed = parseNamePattern(pattern);
  if (!parsed) return () => false;
  // A name without a schema means the schema public, as in the documents.
  const parts = parsed.wild ? 0 : (parseSqlName(pattern)?.length ?? 0);
  return ({ schema, name }, column) =>
    parsed.matches(schema, name, column) ||
    parsed.matches(schema, name) ||
    (parts === 1 && schema === 'public' && parsed.matches(name)) ||
    (parts === 2 && schema === 'public' && parsed.matches(name, column));
}

/** Who confirmed a column first stays its name's witness, as long as the tag is the same. */
function toLock(
  known: ClassificationLock | undefined,
  chosen: ReadonlyMap<string, string>,
  tables: readonly Table[],
  who: { readonly by: string; readonly at: string },
): Confirmed {
  const here = new Set(tables.flatMap((table) => table.columns.map(({ name }) => toSqlName(table.schema, table.name, name))));
  const seen = new Set(tables.map(({ schema, name }) => toSqlName(schema, name)));
  const entries = new Map(Object.entries(known?.columns ?? {}));
  const removed = [...entries.keys()].filter((name) => !here.has(name) && seen.has(toSqlName(...(parseSqlName(name) ?? []).slice(0, 2))));
  for (const name of removed) entries.delete(name);
  const confirmed = [...chosen].filter(([name, tag]) => entries.get(name)?.tag !== tag).map(([name]) => name);
  for (const name of confirmed) entries.set(name, { tag: chosen.get(name) ?? '', ...who });
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return { lock: { version: 1, columns: Object.fromEntries(sorted) }, confirmed: confirmed.sort(), removed: removed.sort(), findings: [] };
}

// What is said of one column, by whom: document, comment, label, pattern. Collected first, compared afterwards, so that no voice is lost.
import { type Finding, toFinding, type Where } from '../../kernel/errors.js';
import { toPointer } from '../../kernel/json-pointer.js';
import { findNearest } from '../../kernel/nearest.js';
import { parseNamePattern, parseSqlName, toSqlName } from '../../kernel/sql-name.js';
import type { Table, TableColumn, TableName } from '../catalogue.js';
import type {
  ClassificationDefinition,
  ClassificationLock,
  ColumnClassification,
  Described,
  Reasoned,
  TableClassification,
} from '../definition.js';
import type { ClaimSource } from '../plan.js';
import { hasTagForm, tags } from '../tags.js';

export interface Claim {
  readonly what: ColumnClassification;
  readonly from: ClaimSource;
  /** Kept on purpose, whatever it is. */
  readonly keep?: Reasoned;
  /** Where it is said: schema, table and column, with file and line when a document says it. */
  readonly where: Where;
}

/** The table's part of the classification, with the key under which it was written. */
export interface TableEntry {
  readonly key: string;
  readonly body: TableClassification;
}

export interface ClaimInput {
  readonly classification: Described<ClassificationDefinition>;
  readonly lock?: Described<ClassificationLock> | undefined;
}

/** `constructor` and its like are names of columns too: only own members count. */
export function findOwn<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** `customer` alone means `public.customer`. */
export function toTableKey(written: string): string | undefined {
  const parts = parseSqlName(written);
  if (parts === undefined || parts.length === 0 || parts.length > 2) return undefined;
  return parts.length === 1 ? toSqlName('public', ...parts) : toSqlName(...parts);
}

/** The entry of each table by name, and a finding for each entry without a table. */
export function findEntries(
  { classification }: ClaimInput,
  tables: readonly Table[],
  isOutOfScope: (table: TableName) => boolean,
): { readonly entries: ReadonlyMap<string, TableEntry>; readonly findings: readonly Finding[] } {
  const known = new Set(tables.map(({ schema, name }) => toSqlName(schema, name)));
  const entries = new Map<string, TableEntry>();
  const findings: Finding[] = [];
  for (const [key, body] of Object.entries(classification.body.tables)) {
    const name = toTableKey(key);
    if (name === undefined) continue;
    const [schema = '', table = ''] = parseSqlName(name) ?? [];
    const { file } = classification.origin;
    const line = classification.origin.line(toPointer('tables', key));
    if (entries.has(name))
      findings.push(
        toFinding('CLASSIFICATION_CONTRADICTION', { file, line, schema, table, column: '*', expected: 'the table stands twice' }),
      );
    else if (known.has(name)) entries.set(name, { key, body });
    else if (!isOutOfScope({ schema, name: table })) {
      findings.push(
        toFinding('CLASSIFICATION_TABLE_UNKNOWN', { file, line, name, expected: findNearest(name, known) ?? 'a table in scope' }),
      );
    }
  }
  return { entries, findings };
}

/** Every claim on the columns of one table, and a finding for every name that is none. */
export class TableClaims {
  readonly findings: Finding[] = [];
  private readonly columns: ReadonlyMap<string, TableColumn>;

  constructor(
    private readonly input: ClaimInput,
    private readonly table: Table,
    private readonly entry: TableEntry | undefined,
    /** Columns that a parent in scope has too: what is said of the parent's holds, so that a new partition is nothing new. */
    private readonly inherited: ReadonlySet<string>,
  ) {
    this.columns = new Map(table.columns.map((column) => [column.name, column]));
    if (entry) this.checkNames(entry);
  }

  /** The one claim that holds for the column; undefined when nobody said anything. */
  of(column: TableColumn): Claim | undefined {
    const where = this.at(column.name);
    const written = this.fromDocument(column);
    const spoken = [...this.fromComment(column), ...this.fromLabels(column)];
    const explicit = written ? [written, ...spoken] : spoken;
    const claims = explicit.length > 0 ? explicit : this.fromPatterns(column);
    const keep = this.findKeep(column);
    for (const claim of claims) this.checkTags(claim);
    const different = new Set(claims.map(({ what }) => JSON.stringify(what)));
    const [first] = claims;
    if (different.size > 1) {
      const expected = claims.map(({ what, from }) => `${typeof what === 'string' ? what : 'paths'} (${from})`).join(', ');
      this.findings.push(toFinding('CLASSIFICATION_CONTRADICTION', { ...where, ...first?.where, expected }));
    }
    this.checkLock(column, first, explicit.length > 0);
    if (first) return keep ? { ...first, keep: keep.reasoned } : first;
    return keep ? { what: 'none', from: keep.from, keep: keep.reasoned, where: keep.where } : undefined;
  }

  private fromDocument(column: TableColumn): Claim | undefined {
    for (const [key, what] of Object.entries(this.entry?.body.columns ?? {})) {
      if (parseSqlName(key)?.[0] === column.name) return { what, from: 'document', where: this.at(column.name, 'columns', key) };
    }
    return undefined;
  }

  private fromComment(column: TableColumn): readonly Claim[] {
    const said = /(?:^|[\s;,])bauta:\s*([a-z][a-z.-]*)/.exec(column.comment ?? '')?.[1];
    return said === undefined ? [] : [{ what: said.replace(/[.-]+$/, ''), from: 'comment', where: this.at(column.name) }];
  }

  /** A label of the provider `bauta` is a tag; one of another provider speaks to us only when it begins with `bauta:`. */
  private fromLabels(column: TableColumn): readonly Claim[] {
    return column.labels.flatMap(({ provider, label }): readonly Claim[] => {
      const said = /^\s*(?:bauta:)?\s*([a-z][a-z.-]*)\s*$/.exec(label)?.[1];
      if (provider !== 'bauta' && !label.trimStart().startsWith('bauta:')) return [];
      return [{ what: said ?? '*', from: 'label', where: this.at(column.name) }];
    });
  }

  private fromPatterns(column: TableColumn): readonly Claim[] {
    const { classification } = this.input;
    if (this.inherited.has(column.name)) return [];
    return Object.entries(classification.body.patterns ?? {}).flatMap(([pattern, what]): readonly Claim[] => {
      if (parseNamePattern(pattern)?.matches(this.table.schema, this.table.name, column.name) !== true) return [];
      const line = classification.origin.line(toPointer('patterns', pattern));
      return [{ what, from: 'pattern', where: { ...this.at(column.name), file: classification.origin.file, line } }];
    });
  }

  private findKeep(column: TableColumn): { reasoned: Reasoned; from: ClaimSource; where: Where } | undefined {
    for (const [i, { columns, ...reasoned }] of (this.entry?.body.keep ?? []).entries()) {
      const pattern = columns.map(parseNamePattern).find((candidate) => candidate?.matches(column.name) === true);
      if (pattern === undefined) continue;
      return { reasoned, from: pattern.wild ? 'pattern' : 'document', where: this.at(column.name, 'keep', i) };
    }
    return undefined;
  }

  /** A pattern speaks only of columns that somebody has seen: those in the lock. What the lock says of the others must still be so. */
  private checkLock(column: TableColumn, claim: Claim | undefined, explicit: boolean): void {
    const { lock } = this.input;
    const name = toSqlName(this.table.schema, this.table.name, column.name);
    const confirmed = findOwn(lock?.body.columns, name);
    const keep = this.findKeep(column);
    const byPattern = claim ? !explicit : keep?.from === 'pattern';
    const what = claim?.what ?? (keep ? 'none' : undefined);
    if (what === undefined) return;
    if (byPattern && confirmed === undefined)
      this.findings.push(toFinding('COLUMN_UNCONFIRMED', claim?.where ?? keep?.where ?? this.at(column.name)));
    else if (confirmed !== undefined && confirmed.tag !== (typeof what === 'string' ? what : 'mixed')) {
      const file = lock?.origin.file;
      const line = lock?.origin.line(toPointer('columns', name));
      const expected = `${typeof what === 'string' ? what : 'paths'} (${claim?.from ?? 'document'}), ${confirmed.tag} (lock)`;
      this.findings.push(toFinding('CLASSIFICATION_CONTRADICTION', { ...this.at(column.name), file, line, expected }));
    }
  }

  private checkTags(claim: Claim): void {
    const said = typeof claim.what === 'string' ? [claim.what] : Object.values(claim.what.paths);
    for (const tag of new Set(said)) {
      if (tags.has(tag)) continue;
      // A comment or label is the source's own text, and `bauta: anna.smith` may stand in one: only what begins as a tag does is shown.
      const isStranger = claim.from === 'comment' || claim.from === 'label';
      const name = (isStranger ? hasTagForm(tag) : /^[a-z]+([.-][a-z]+)*$/.test(tag)) ? tag : '*';
      this.findings.push(
        toFinding('CLASSIFICATION_TAG_UNKNOWN', { ...claim.where, name, expected: findNearest(tag, tags.keys()) ?? 'none' }),
      );
    }
  }

  private checkNames(entry: TableEntry): void {
    const names = [...this.columns.keys()].map((name) => toSqlName(name));
    const refuse = (written: string, where: Where): void => {
      const name = toSqlName(...(parseSqlName(written) ?? [written]));
      this.findings.push(
        toFinding('CLASSIFICATION_COLUMN_UNKNOWN', { ...where, name, expected: findNearest(name, names) ?? names.join(', ') }),
      );
    };
    const seen = new Set<string>();
    for (const key of Object.keys(entry.body.columns ?? {})) {
      const name = parseSqlName(key)?.[0];
      if (name === undefined) continue;
      if (!this.columns.has(name)) refuse(key, this.at(undefined, 'columns', key));
      if (seen.has(name))
        this.findings.push(
          toFinding('CLASSIFICATION_CONTRADICTION', { ...this.at(name, 'columns', key), expected: 'the column stands twice' }),
        );
      seen.add(name);
    }
    for (const [i, keep] of (entry.body.keep ?? []).entries()) {
      for (const [j, written] of keep.columns.entries()) {
        const pattern = parseNamePattern(written);
        if (pattern && ![...this.columns.keys()].some((name) => pattern.matches(name)))
          refuse(written, this.at(undefined, 'keep', i, 'columns', j));
      }
    }
  }

  private at(column: string | undefined, ...members: readonly (string | number)[]): Where {
    const place: Where = { schema: this.table.schema, table: this.table.name, column };
    if (members.length === 0 || !this.entry) return place;
    const { origin } = this.input.classification;
    return { ...place, file: origin.file, line: origin.line(toPointer('tables', this.entry.key, ...members)) };
  }
}

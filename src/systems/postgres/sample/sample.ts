// A few values of each column, and the paths inside json-like ones: what a detector needs. Values stay in this process.
import type pg from 'pg';

import { BautaError, type Finding, toFinding, type Where } from '../../../kernel/errors.js';
import type { Catalogue, DataType, Table, TableColumn } from '../../../pipeline/catalogue.js';
import type { ColumnSample, PathInventory } from '../../../pipeline/column-sample.js';
import { quoteName, quoteQualified } from '../quote.js';
import { toServerError } from '../server-error.js';
import { type PathRow, inventoryStatement, toInventory, valuesStatement } from './paths.js';

export interface SampleOptions {
  /** The reference's name, for findings. */
  readonly connection: string;
  readonly rowsPerTable: number;
  /** What one statement may take; a table whose paths take longer is looked at by a sample. */
  readonly statementMs: number;
  /** Up to this size every row is looked at for paths. */
  readonly wholeBytes: number;
  /** True for a key of a document that is data itself. */
  readonly isDataKey: (key: string) => boolean;
}

export interface Sampled {
  readonly samples: readonly ColumnSample[];
  readonly inventories: readonly PathInventory[];
  readonly findings: readonly Finding[];
}

const VALUE_CHARACTERS = 500;
/** Above this a block sample is taken, which reads a few pages only, wherever they lie. */
const SMALL_ROWS = 20_000;

/** MUST run inside a read-only transaction: a statement that fails or takes too long is undone by a savepoint, and becomes a finding. */
export async function readSamples(client: pg.Client, catalogue: Catalogue, options: SampleOptions): Promise<Sampled> {
  const sampler = new Sampler(client, options);
  // What a partition or child holds is seen through its parent.
  const tables = catalogue.tables.filter(({ parents }) => parents.length === 0);
  for (const table of tables) await sampler.table(table);
  return { samples: sampler.samples, inventories: sampler.inventories, findings: sampler.findings };
}

class Sampler {
  readonly samples: ColumnSample[] = [];
  readonly inventories: PathInventory[] = [];
  readonly findings: Finding[] = [];

  constructor(
    private readonly client: pg.Client,
    private readonly options: SampleOptions,
  ) {}

  async table(table: Table): Promise<void> {
    const plain = table.columns.filter(({ type, generated }) => generated === '' && !isNested(type) && isSampled(type));
    const nested = table.columns.filter(({ type, generated }) => generated === '' && isNested(type));
    if (plain.length > 0) await this.plain(table, plain);
    for (const column of nested) await this.nested(table, column);
  }

  private async plain(table: Table, columns: readonly TableColumn[]): Promise<void> {
    const list = columns.map(({ name, type }, i) => `${toText(quoteName(name), type)} AS c${i}`).join(', ');
    const at = { schema: table.schema, table: table.name };
    const rows = await this.sampleRows<Record<string, string | string[] | null>>(table, `SELECT ${list} FROM`, '');
    if (rows instanceof BautaError) {
      this.findings.push(toFinding('CLASSIFY_SAMPLE_SKIPPED', { ...at, sqlState: rows.where.sqlState }, 'warning'));
      return;
    }
    for (const [i, { name }] of columns.entries()) {
      const values = rows.flatMap((row) => row[`c${i}`] ?? []).filter((value) => value !== null);
      this.samples.push({ ...at, column: name, values });
    }
  }

  private async nested(table: Table, column: TableColumn): Promise<void> {
    const at = { schema: table.schema, table: table.name, column: column.name };
    const found = await this.paths(table, column);
    if (found instanceof BautaError) {
      this.findings.push(toFinding('CLASSIFY_PATHS_SKIPPED', { ...at, sqlState: found.where.sqlState }, 'warning'));
      return;
    }
    const { inventory, dataPaths } = toInventory(at, found.rows, found.whole, this.options.isDataKey);
    this.inventories.push(inventory);
    for (const path of dataPaths) this.findings.push(toFinding('CLASSIFY_KEYS_ARE_DATA', { ...at, path }, 'warning'));
    const [head, tail] = valuesStatement(quoteName(column.name), VALUE_CHARACTERS, column.type.base === 'xml');
    const values = await this.sampleRows<{ path: string; values: string[] }>(table, head, tail);
    if (values instanceof BautaError) return;
    for (const row of values)
      if (inventory.paths.some(({ path }) => path === row.path)) this.samples.push({ ...at, path: row.path, values: row.values });
  }

  /** All rows when the table is small enough and time allows, else a sample. */
  private async paths(table: Table, column: TableColumn): Promise<{ rows: readonly PathRow[]; whole: boolean } | BautaError> {
    const [head, tail] = inventoryStatement(quoteName(column.name), column.type.base === 'xml');
    if (table.bytes <= this.options.wholeBytes) {
      const rows = await this.ask<PathRow>(`${head} ${quoteQualified(table)} t ${tail}`, table);
      if (!(rows instanceof BautaError)) return { rows, whole: true };
      if (rows.code !== 'STATEMENT_TIMEOUT') return rows;
    }
    const rows = await this.sampleRows<PathRow>(table, head, tail);
    return rows instanceof BautaError ? rows : { rows, whole: false };
  }

  /** `head` FROM-clause `tail`, over a sample of the table's rows. A block sample may hit no row: then the first rows are taken. */
  private async sampleRows<Row>(table: Table, head: string, tail: string): Promise<readonly Row[] | BautaError> {
    const limit = `LIMIT ${this.options.rowsPerTable}`;
    const name = quoteQualified(table);
    if (table.estimatedRows > SMALL_ROWS) {
      const percent = Math.min(100, (this.options.rowsPerTable * 300) / table.estimatedRows);
      const rows = await this.ask<Row>(
        `${head} (SELECT * FROM ${name} TABLESAMPLE SYSTEM (${percent.toFixed(6)}) REPEATABLE (1) ${limit}) t ${tail}`,
        table,
      );
      if (rows instanceof BautaError || rows.length > 0) return rows;
    }
    return this.ask<Row>(`${head} (SELECT * FROM ${name} ${limit}) t ${tail}`, table);
  }

  /** The rows, or the error as ours when the server refused or ran out of time; a connection that is gone throws. */
  private async ask<Row>(text: string, table: Table): Promise<readonly Row[] | BautaError> {
    const where: Where & { connection: string } = {
      connection: this.options.connection,
      stage: 'classify',
      schema: table.schema,
      table: table.name,
    };
    try {
      await this.client.query('SAVEPOINT bauta_sample');
      await this.client.query(`SET LOCAL statement_timeout = ${Math.max(1, Math.floor(this.options.statementMs))}`);
      const { rows } = await this.client.query({ text });
      await this.client.query('RELEASE SAVEPOINT bauta_sample');
      return rows as Row[];
    } catch (cause) {
      const error = toServerError(cause, where);
      if (error.where.sqlState === undefined || error.code === 'CONNECTION_LOST') throw error;
      await this.client.query('ROLLBACK TO SAVEPOINT bauta_sample').catch((lost: unknown) => {
        throw toServerError(lost, where);
      });
      return error;
    }
  }
}

/** Has paths of its own: json and its like, composites, and arrays of such (but of XML, which is looked into only where it is the column). */
function isNested(type: DataType): boolean {
  if (type.kind === 'array')
    return type.element !== undefined && type.base !== 'xml' && (type.element.kind === 'array' || isNested(type.element));
  return type.kind === 'composite' || (['base', 'domain'].includes(type.kind) && ['json', 'jsonb', 'hstore', 'xml'].includes(type.base));
}

/** Bytes say nothing as text. */
function isSampled(type: DataType): boolean {
  const base = type.kind === 'array' ? type.element?.base : type.base;
  return !['bytea', 'xml', 'bool', 'tsvector', 'tsquery'].includes(base ?? 'bytea');
}

/** The value, or the first elements of an array, as text that is cut. */
function toText(name: string, type: DataType): string {
  const cut = (value: string): string => `pg_catalog.left(${value}::text, ${VALUE_CHARACTERS})`;
  if (type.kind !== 'array') return cut(`t.${name}`);
  return `(SELECT pg_catalog.array_agg(${cut('e.v')}) FROM (SELECT u.v FROM pg_catalog.unnest(t.${name}) AS u(v) WHERE u.v IS NOT NULL LIMIT 5) e)`;
}

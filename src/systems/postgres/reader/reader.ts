// What verify looks through: two sessions of its own that only read. It shares no file with what writes the target.
import type pg from 'pg';

import type { Finding } from '../../../kernel/errors.js';
import type { TableName } from '../../../pipeline/catalogue.js';
import type { CheckPlan, Counted } from '../../../pipeline/check.js';
import type { Field, FrequencyOptions, LineOptions, Reader, Relation } from '../../../pipeline/ports.js';
import type { Frequencies, PrivacyAnswer, PrivacyQuestion } from '../../../pipeline/privacy.js';
import { CheckCounter, toFrequenciesText, toPrivacyText, toSample } from '../checks/checks.js';
import { type ConnectionTarget, connect } from '../connection.js';
import { copyOutChunks } from '../copy-out.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';
import { toServerError } from '../server-error.js';
import { checkIntegrity } from './integrity.js';
import { readRelations } from './relations.js';

/** Rows come in the heap's order, so that those of two sides can be paired by place. */
const heapOrder: Readonly<Record<string, string>> = { synchronize_seqscans: 'off', max_parallel_workers_per_gather: '0', jit: 'off' };

export interface ReaderOptions {
  readonly source: ConnectionTarget;
  /** The exported snapshot of the run. */
  readonly snapshotId: string;
  readonly staging: ConnectionTarget;
  readonly stagingDatabase: string;
  /** Names of the plan's schemas and those under which they stand in staging; absent: staging is a database of its own. */
  readonly stagingSchemas?: ReadonlyMap<string, string> | undefined;
  /** How long one statement of a check may take; default 5 minutes. */
  readonly checkTimeoutMs?: number;
}

export class PostgresReader implements Reader {
  private hstoreSchemas = new Map<pg.Client, string>();
  private stagingSession: Promise<pg.Client> | undefined;
  private counter: CheckCounter | undefined;
  private measuring: CheckCounter | undefined;

  private constructor(
    private readonly options: ReaderOptions,
    private readonly source: pg.Client,
  ) {}

  static async open(options: ReaderOptions): Promise<PostgresReader> {
    const source = await connect(options.source, { stage: 'verify', settings: heapOrder });
    try {
      await source.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await source.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(options.snapshotId)}`);
      return new PostgresReader(options, source);
    } catch (error) {
      await source.end().catch(() => undefined);
      throw toServerError(error, { connection: options.source.name, stage: 'verify' });
    }
  }

  async *lines(
    side: 'source' | 'staging',
    table: TableName,
    fields: readonly Field[],
    options: LineOptions = {},
  ): AsyncIterable<Uint8Array> {
    const { name } = this.options[side];
    try {
      const client = side === 'source' ? this.source : await this.staging();
      const hstore = fields.some(({ type, path }) => path !== undefined && type.base === 'hstore') ? await this.hstoreSchema(client) : '';
      yield* copyOutChunks(client, toCopy(side === 'source' ? table : this.there(table), fields, hstore, options));
    } catch (error) {
      throw toServerError(error, { connection: name, stage: 'verify', schema: table.schema, table: table.name });
    }
  }

  async relations(): Promise<readonly Relation[]> {
    try {
      return await readRelations(await this.staging(), this.options.stagingSchemas);
    } catch (error) {
      throw toServerError(error, { connection: this.options.staging.name, stage: 'verify' });
    }
  }

  async integrity(): Promise<readonly Finding[]> {
    try {
      return await checkIntegrity(await this.staging(), this.options.stagingSchemas);
    } catch (error) {
      throw toServerError(error, { connection: this.options.staging.name, stage: 'verify' });
    }
  }

  async count(checks: readonly CheckPlan[], asOfMs: number): Promise<readonly Counted[]> {
    const counter = this.toCounter(asOfMs);
    this.counter = counter;
    try {
      return await counter.count(checks);
    } finally {
      await counter.close();
    }
  }

  async measure(questions: readonly PrivacyQuestion[]): Promise<readonly PrivacyAnswer[]> {
    // Asked for every table, and of our own making: one session serves all.
    this.measuring ??= this.toCounter(0);
    const answers: PrivacyAnswer[] = [];
    for (const question of questions) {
      const answer = await this.measuring.rows(toPrivacyText(question, (table) => this.there(table)));
      answers.push('rows' in answer ? { numbers: answer.rows.flat().map(Number) } : answer);
    }
    return answers;
  }

  async frequencies(
    side: 'source' | 'staging',
    table: TableName,
    column: string,
    { most, sample }: FrequencyOptions,
  ): Promise<Frequencies> {
    const { name } = this.options[side];
    try {
      const client = side === 'source' ? this.source : await this.staging();
      const text = toFrequenciesText(side === 'source' ? table : this.there(table), column, most, sample);
      const { rows } = await client.query<[string, string, string]>({ text, rowMode: 'array' });
      return { top: rows.map(([digest, count, variance]) => ({ digest, rows: Number(count), variance: Number(variance) })) };
    } catch (error) {
      throw toServerError(error, { connection: name, stage: 'verify', schema: table.schema, table: table.name, column });
    }
  }

  async close(): Promise<void> {
    for (const counter of [this.counter, this.measuring]) await counter?.close();
    const staging = await this.stagingSession?.catch(() => undefined);
    for (const session of [this.source, staging]) await session?.end().catch(() => undefined);
  }

  private toCounter(asOfMs: number): CheckCounter {
    const { staging, stagingDatabase, stagingSchemas, checkTimeoutMs = 300_000 } = this.options;
    return new CheckCounter(staging, { database: stagingDatabase, schemas: stagingSchemas, asOfMs, timeoutMs: checkTimeoutMs });
  }

  private there({ schema, name }: TableName): TableName {
    return { schema: this.options.stagingSchemas?.get(schema) ?? schema, name };
  }

  private staging(): Promise<pg.Client> {
    this.stagingSession ??= connect(this.options.staging, { database: this.options.stagingDatabase, stage: 'verify', settings: heapOrder });
    return this.stagingSession;
  }

  /** hstore's operators live where the extension was made, and search_path is empty. */
  private async hstoreSchema(client: pg.Client): Promise<string> {
    const known = this.hstoreSchemas.get(client);
    if (known !== undefined) return known;
    const text = `SELECT n.nspname AS name FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'hstore'`;
    const { rows } = await client.query<{ name: string }>(text);
    const name = rows[0]?.name ?? 'public';
    this.hstoreSchemas.set(client, name);
    return name;
  }
}

/** Pages of which a sample is made: enough for a thousand rows of some width, and few enough to cost nothing. */
const SAMPLED_PAGES = 64;

function toCopy(table: TableName, fields: readonly Field[], hstore: string, { where, order, sample, part }: LineOptions): string {
  const multiple = fields.find((field) => isXmlPath(field) || field.path?.includes('[]'));
  const picked = sample?.seed === undefined ? '' : toTableSample(table, sample.seed);
  const from = `FROM ONLY ${quoteQualified(table)} AS t${picked}${toSample(part)}`;
  const elements = multiple ? `, LATERAL ${isXmlPath(multiple) ? toXmlTexts(multiple) : toElements(multiple)}` : '';
  const element = multiple && isXmlPath(multiple) ? 'v.v' : `v.v #>> '{}'`;
  const values = fields.map((field) => (field === multiple ? element : toExpression(field, hstore)));
  // The condition sees its table alone, and parentheses and a line of its own keep it one expression.
  const condition = where === undefined ? '' : ` WHERE t.ctid IN (SELECT ctid FROM ONLY ${quoteQualified(table)} WHERE (${where}\n))`;
  const inHeapOrder = where === undefined ? [] : ['t.ctid'];
  // Not by place: the first pages would have more than their share of the rows.
  const mixed = ['pg_catalog.hashtext(t.ctid::pg_catalog.text)'];
  const sorted = picked === '' ? (order?.map((name) => `t.${quoteName(name)}`) ?? inHeapOrder) : mixed;
  const inOrder = sorted.length === 0 ? '' : ` ORDER BY ${[...sorted, ...(multiple ? ['v.i'] : [])].join(', ')}`;
  const most = sample ? ` LIMIT ${sample.rows}` : '';
  return `COPY (SELECT ${values.join(', ')} ${from}${elements}${condition}${inOrder}${most}) TO STDOUT`;
}

function toTableSample(table: TableName, seed: number): string {
  const bytes = `GREATEST(1, pg_catalog.pg_relation_size(${quoteLiteral(quoteQualified(table))}::pg_catalog.regclass))`;
  const page = `pg_catalog.current_setting('block_size')::pg_catalog.float8`;
  return ` TABLESAMPLE SYSTEM (LEAST(100, 100.0 * ${SAMPLED_PAGES} * ${page} / ${bytes})) REPEATABLE (${seed})`;
}

function toExpression({ column, type, path }: Field, hstore: string): string {
  const name = `t.${quoteName(column)}`;
  if (path === undefined) return name;
  const keys = path.split('.');
  if (type.base === 'hstore') return `${name} OPERATOR(${quoteName(hstore)}.->) ${quoteLiteral(path)}`;
  if (type.kind === 'composite') return `(${name})${keys.map((key) => `.${quoteName(key)}`).join('')}`;
  return `pg_catalog.jsonb_extract_path_text(${name}::pg_catalog.jsonb, ${keys.map(quoteLiteral).join(', ')})`;
}

function isXmlPath({ path, type }: Field): boolean {
  return path !== undefined && type.base === 'xml' && type.element === undefined;
}

/** Every text at a path of XML: names as they are written, prefix and all; a fragment is looked at as the content of one element. */
function toXmlTexts({ column, path = '' }: Field): string {
  const name = `t.${quoteName(column)}::pg_catalog.text`;
  const document = `(('<r>' || pg_catalog.regexp_replace(${name}, '^<[?]xml [^>]*>', '') || '</r>')::pg_catalog.xml)`;
  const others: Readonly<Record<string, string>> = { '#comment': 'comment()', '#instruction': 'processing-instruction()' };
  const steps = (path.match(/"(?:[^"\\]|\\.)*"|[^.]+/g) ?? []).map((key) =>
    (key.startsWith('"') ? (JSON.parse(key) as string) : key).replaceAll('"', ''),
  );
  const last = steps.at(-1) ?? '';
  const xpath = steps.map((key) => others[key] ?? (key.startsWith('@') ? `@*[name()="${key.slice(1)}"]` : `*[name()="${key}"]`)).join('/');
  const texts = /^[@#]/.test(last) ? xpath : `${xpath}/text()[normalize-space(.)]`;
  return `XMLTABLE(${quoteLiteral(`/r/${texts}`)} PASSING ${document} COLUMNS v pg_catalog.text PATH '.', i FOR ORDINALITY) AS v(v, i)`;
}

/** The elements at a multi-valued path, as jsonb. Arrays of any type are looked at as JSON, elements in order, however deep. */
function toElements({ column, type, path = '' }: Field): string {
  const name = `t.${quoteName(column)}`;
  const json = type.element !== undefined ? `pg_catalog.to_jsonb(${name})` : `${name}::pg_catalog.jsonb`;
  const steps = path.split('.').map((key) => {
    const bare = key.replaceAll('[]', '');
    const stars = '[*]'.repeat(key.split('[]').length - 1);
    return (bare === '' ? '' : `.${JSON.stringify(bare)}`) + stars;
  });
  const query = `strict $${steps.join('')}`;
  return `pg_catalog.jsonb_path_query(${json}, ${quoteLiteral(query.replace('strict', 'lax'))}::pg_catalog.jsonpath) WITH ORDINALITY AS v(v, i)`;
}

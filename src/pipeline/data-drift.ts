// Are the rows, and what stands beside them (code, views, rights …), still what was published? By the marker's manifest, without the source. Only
// tables that differ are read for what can be no fake.
import type { Clock } from '../kernel/clock.js';
import type { Verifier } from '../kernel/signed-note.js';
import { type ChangedDefinition, findChanged, toChangedText, toDefinitionDigests } from './definition-digest.js';
import { type RowsReader, type SeenTable, lookAtRows, toTableKey } from './look-at-rows.js';
import { type ManifestTable, openMarker } from './marker.js';
import { type RawCount, RawScan } from './raw-scan.js';
import { TableDigest, attest } from './verify/verify.js';

export type DataState = 'as published' | 'drifted' | 'unknown';

export interface DriftedTable {
  readonly schema: string;
  readonly table: string;
  /** As `attest` has it; `columns differ`: it has others than were published. */
  readonly state: 'rows differ' | 'content differs' | 'columns differ' | 'missing' | 'unknown' | 'unreadable';
  readonly rows: number | null;
  readonly published: number | null;
  /** Values of a form that no fake of ours has but made-up text may, by column. Never a value. */
  readonly raw: readonly RawCount[];
}

export interface DataDrift {
  readonly state: DataState;
  readonly database: string;
  readonly version: number | null;
  readonly run: string | null;
  readonly tables: readonly DriftedTable[];
  /** Functions, views, rights and the like that are not as they were; null: it was published without a record of them. */
  readonly definitions: readonly ChangedDefinition[] | null;
  /** Why nobody knows, in words of ours; null where the rows say it. */
  readonly why: string | null;
}

const unrecorded = 'every row is as published; what else stands there was not recorded when it was';

export async function lookForDataDrift(
  reader: RowsReader,
  { verifiers, clock }: { readonly verifiers: readonly Verifier[]; readonly clock: Clock },
): Promise<DataDrift> {
  const marker = await reader.marker();
  const place = await reader.place();
  const opened = openMarker(marker, verifiers);
  const unknown = { state: 'unknown', database: place.database, version: null, run: null, tables: [], definitions: null } as const;
  if (opened.state !== 'whole')
    return { ...unknown, why: opened.state === 'missing' ? 'it has no marker' : `its marker was changed: ${opened.part}` };
  if (verifiers.length > 0 && opened.signer !== 'checked') return { ...unknown, why: 'its marker was signed by another log' };
  const looked = await lookAtRows(reader, opened, false);
  const statement = attest({ marker, ...place, tables: looked }, { verifier: verifiers[0], counts: false, clock });
  const { manifest } = opened;
  const published = new Map(manifest.map((table) => [toTableKey(table), table]));
  const seen = new Map(looked.map((table) => [toTableKey(table), table.seen]));
  const tables: DriftedTable[] = [];
  for (const { schema, table, rows, published: was, state } of statement.tables) {
    const there = seen.get(toTableKey({ schema, table }));
    const columns = published.get(toTableKey({ schema, table }))?.columns;
    const others = there && columns && there.columns.some((name) => !columns.includes(name) && !there.generated.includes(name));
    if ((state === 'equal' || state === 'counted') && !others) continue;
    const raw = there?.readable ? await scan(reader, there, published.get(toTableKey({ schema, table })), opened.marker.nonce) : [];
    tables.push({
      schema,
      table,
      rows,
      published: was,
      raw,
      state: state === 'equal' || state === 'counted' || (others && state !== 'rows differ') ? 'columns differ' : state,
    });
  }
  const { version, runId: run, schemas = null } = opened.marker;
  const definitions = opened.definitions && findChanged(opened.definitions, toDefinitionDigests(await reader.definitions(schemas)));
  const of = { database: place.database, version, run, tables, definitions };
  if (tables.length > 0 || (definitions ?? []).length > 0) return { ...of, state: 'drifted', why: null };
  return definitions ? { ...of, state: 'as published', why: null } : { ...of, state: 'unknown', why: unrecorded };
}

/**
 * Rows that were added stand behind those that were published, where nothing else was done: when the digest says of the first ones that they are those,
 * only the others are counted, and no text of ours that looks like an address is.
 */
async function scan(
  reader: RowsReader,
  table: SeenTable,
  published: ManifestTable | undefined,
  nonce: string,
): Promise<readonly RawCount[]> {
  const { columns } = table;
  const isSame = published?.columns?.length === columns.length && columns.every((name, i) => published.columns?.[i] === name);
  const [known, added] = [new RawScan(columns), new RawScan(columns)];
  const digest = new TableDigest(Buffer.from(nonce, 'hex'));
  let left = isSame ? published.rows : 0;
  for await (const chunk of reader.lines(table, columns)) {
    let end = 0;
    for (; left > 0 && end < chunk.length; left--) {
      const at = chunk.indexOf(10, end);
      if (at < 0) break;
      end = at + 1;
    }
    // A line that is cut goes where its end goes.
    if (left > 0) end = chunk.length;
    const first = chunk.subarray(0, end);
    known.update(first);
    digest.update(first);
    added.update(chunk.subarray(end));
  }
  const isUntouched = isSame && digest.rows === published.rows && digest.digest() === published.digest;
  return isUntouched ? added.counts() : addUp([...known.counts(), ...added.counts()]);
}

function addUp(counts: readonly RawCount[]): readonly RawCount[] {
  const sums = new Map<string, RawCount>();
  for (const one of counts) {
    const key = `${one.column}\u0000${one.kind}`;
    sums.set(key, { ...one, values: one.values + (sums.get(key)?.values ?? 0) });
  }
  return [...sums.values()];
}

/** Everything that differs, a line each, for people and alerts. */
export function toDriftTexts({ tables, definitions }: Pick<DataDrift, 'tables' | 'definitions'>): readonly string[] {
  return [...tables.map(toDriftText), ...(definitions ?? []).map(toChangedText)];
}

/** `shop.customer: 3 values of email`. */
function toDriftText({ schema, table, state, raw }: DriftedTable): string {
  const found = raw.map(({ column, kind, values }) => `${values} × ${kind} in ${column}`).join(', ');
  return `${schema}.${table}: ${state}${found === '' ? '' : `; outside the reserved space: ${found}`}`;
}

/** How many values that can be no fake a text of `toDriftText` counts. */
export function countRaw(text: string): number {
  const [, found = ''] = text.split('; outside the reserved space: ');
  return [...found.matchAll(/(?:^|, )(\d+) × (?:email|pan|iban|ssn) in /g)].reduce((sum, [, values]) => sum + Number(values), 0);
}

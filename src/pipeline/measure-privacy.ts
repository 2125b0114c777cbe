// Privacy of a copy, measured in staging before anything is published, told to the log, and held against the limits of the target. Originals and pseudonyms
// side by side are made anew for some rows, in this thread; they leave it as counts.
import type { Json } from '../kernel/canonical-json.js';
import { type Finding, toKnownError } from '../kernel/errors.js';
import { type Catalogue, toTableLabel } from './catalogue.js';
import type { Event } from './event.js';
import { findPersonTables } from './gate/gate.js';
import { createMasker, prepareMask } from './mask/mask.js';
import type { Plan } from './plan.js';
import type { Reader, Receipt, Snapshot } from './ports.js';
import { type PrivacyMeasures, toPrivacyLimits } from './privacy.js';
import type { Doors } from './run.js';
import { type PersonTable, type TriedRows, judgePrivacy, measureTables, tryDictionary } from './verify/verify.js';

export interface Measuring {
  readonly reader: Reader;
  readonly snapshot: Pick<Snapshot, 'read'>;
  readonly catalogue: Catalogue;
  readonly receipts: readonly Receipt[];
  /** The run's: by it the rows are picked. */
  readonly nonce: Uint8Array;
  readonly append: (type: string, data: Event['data']) => Promise<unknown>;
}

/** Rows of a table on which attacks are tried: a share is known to about 2 %. */
const TRIED_ROWS = 2_000;
/** Places of a table that they are from. A server before 14 reads all of it for each. */
const TRIED_PLACES = 6;

export async function measurePrivacy(
  doors: Pick<Doors, 'keys' | 'tokenKeys' | 'privacyRows'>,
  plan: Plan,
  { reader, snapshot, catalogue, receipts, nonce, append }: Measuring,
): Promise<{ readonly measures: PrivacyMeasures; readonly findings: readonly Finding[] }> {
  const limits = toPrivacyLimits(plan.facts.target);
  const mostRows = doors.privacyRows;
  const seed = new DataView(nonce.buffer, nonce.byteOffset, 16).getUint32(4, true) >>> 1;
  const rows = new Map(receipts.map((receipt) => [`${receipt.schema}.${receipt.table}`, receipt.rows]));
  const rowsOf = (table: Parameters<typeof toTableLabel>[0]): number => rows.get(toTableLabel(table)) ?? 0;
  const setting = {
    ...{ reader, plan, catalogue, rowsOf, limits, mostRows, seed, persons: findPersonTables(plan, catalogue) },
    tried: (table: PersonTable) => tryRows(doors, plan, snapshot, catalogue, table, seed),
  };
  const tables = await measureTables(setting);
  const dictionary = await tryDictionary(setting);
  const judged = judgePrivacy(tables, dictionary, limits, mostRows);
  await append('privacy.measured', JSON.parse(JSON.stringify(judged.measures)) as Record<string, Json>);
  return judged;
}

/** Of several places of the table some rows, as the source has them and as they are masked. */
async function tryRows(
  { keys, tokenKeys }: Pick<Doors, 'keys' | 'tokenKeys'>,
  plan: Plan,
  snapshot: Pick<Snapshot, 'read'>,
  catalogue: Catalogue,
  { index, table }: PersonTable,
  seed: number,
): Promise<TriedRows | { readonly why: string }> {
  // What can be exchanged back is kept or looked up elsewhere: it is left out here, and no attack of these is tried on it.
  const columns = table.columns.map((column) =>
    column.rule.reversible === true ? { ...column, rule: { ...column.rule, transform: 'keep', reversible: undefined as never } } : column,
  );
  const masker = createMasker(await prepareMask({ ...plan, tables: [{ ...table, columns }] }, keys, tokenKeys), 0);
  const there = catalogue.tables.find((one) => toTableLabel(one) === toTableLabel(table));
  const [originals, copies]: [string[][], string[][]] = [[], []];
  try {
    for (const pages of toPlaces(
      there,
      table.hidden.some(({ via }) => via.length > 0),
      catalogue.server.version,
      seed,
    )) {
      let left = pages.rows;
      for await (const batch of snapshot.read({ table: index, range: 0, ...(pages.pages ? { pages: pages.pages } : {}) })) {
        const bytes = toFirstLines(batch.bytes, left);
        if (left > 0) {
          const original = toRows(bytes, table.columns.length);
          originals.push(...original);
          copies.push(...toRows(masker.mask({ ...batch, table: 0, bytes }).bytes, table.columns.length));
          left -= original.length;
        }
        batch.release?.();
      }
    }
  } catch (error) {
    const known = toKnownError(error);
    // A rule that could not work on a row would have stopped the run: what is wrong here is with the looking.
    if (known.class === 'DataError') return { why: known.code };
    throw error;
  }
  return { table, originals, copies };
}

interface Piece {
  readonly pages?: readonly [number, number | null];
  readonly rows: number;
}

/** Evenly spread, and the seed says where they begin; all of a small table. */
function toPlaces(there: Catalogue['tables'][number] | undefined, joined: boolean, version: number, seed: number): readonly Piece[] {
  const { pages = 0, estimatedRows = 0 } = there ?? {};
  const perPage = estimatedRows > 0 && pages > 0 ? Math.max(1, estimatedRows / pages) : 50;
  const count = version < 140_000 || joined ? 2 : TRIED_PLACES;
  const wanted = Math.ceil(TRIED_ROWS / count / perPage) + 1;
  if (pages <= wanted * count * 2) return [{ rows: TRIED_ROWS }];
  const step = Math.floor(pages / count);
  return Array.from({ length: count }, (_, i) => {
    const from = i * step + (seed % Math.max(1, step - wanted));
    return { pages: [from, from + wanted] as const, rows: Math.ceil(TRIED_ROWS / count) };
  });
}

const NEWLINE = 10;

/** The beginning, of so many lines at most. */
function toFirstLines(bytes: Uint8Array, most: number): Uint8Array {
  let at = 0;
  for (let line = 0; line < most && at < bytes.length; line++) at = bytes.indexOf(NEWLINE, at) + 1;
  return bytes.slice(0, at);
}

/** Without what stands behind the columns. */
function toRows(bytes: Uint8Array, columns: number): string[][] {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split('\n');
  return lines.slice(0, -1).map((line) => line.split('\t').slice(0, columns));
}

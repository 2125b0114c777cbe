// The ranges of a run, kept in staging beside the rows: who loads one has its record locked, and rows and receipt are there together or not at
// all. Whoever goes on after a worker that is gone, or works beside it, finds here what is left. All of it is gone before publication.
import { createHash, createHmac } from 'node:crypto';

import { toError } from '../../../kernel/errors.js';
import { markerSchema } from '../../../pipeline/marker.js';
import type { LoadInto, Range, Ranges, Receipt } from '../../../pipeline/ports.js';
import { copyFrozen, copyIn, isItself } from './copy-in.js';
import type { SessionPool } from './session-pool.js';
import { type Session, toSqlState } from './session.js';

/** What the ranges are of: nobody goes on with those of another snapshot, plan or digest. */
export interface RecordOf {
  readonly moment: string;
  readonly planDigest: string;
  readonly nonce: Uint8Array;
}

export interface Kept extends RecordOf {
  readonly ranges: readonly Range[];
}

const [runTable, rangeTable, stepTable] = ['run', 'range', 'step'].map((name) => `"${markerSchema}"."${name}"`) as [string, string, string];
const batch = 1000;

/** MUST be given a session of the run's role. One transaction. */
export async function createRecord(session: Session, { moment, planDigest, nonce }: RecordOf, ranges: readonly Range[]): Promise<void> {
  await session.transaction(async () => {
    await session.query(`CREATE SCHEMA "${markerSchema}"`);
    await session.query(`CREATE TABLE ${runTable} (moment text NOT NULL, plan_digest text NOT NULL, nonce text NOT NULL)`);
    await session.query(`INSERT INTO ${runTable} VALUES ($1, $2, $3)`, [moment, planDigest, Buffer.from(nonce).toString('hex')]);
    await session.query(`CREATE TABLE ${stepTable} (digest text PRIMARY KEY)`);
    await session.query(`CREATE TABLE ${rangeTable} (at integer PRIMARY KEY, range jsonb NOT NULL, receipt jsonb)`);
    for (let from = 0; from < ranges.length; from += batch) {
      const part = ranges.slice(from, from + batch);
      const parameters = [part.map((_, i) => from + i), part.map((range) => JSON.stringify(range))];
      await session.query(`INSERT INTO ${rangeTable} (at, range) SELECT * FROM unnest($1::int[], $2::jsonb[])`, parameters);
    }
  });
}

/** Undefined where there is none: staging of a run that kept none, or that was about to be published. */
export async function readRecord(session: Session): Promise<Kept | undefined> {
  try {
    const [of] = await session.query<{ moment: string; planDigest: string; nonce: string }>(
      `SELECT moment, plan_digest AS "planDigest", nonce FROM ${runTable}`,
    );
    if (!of) return undefined;
    const rows = await session.query<{ range: Range }>(`SELECT range FROM ${rangeTable} ORDER BY at`);
    return { ...of, nonce: Buffer.from(of.nonce, 'hex'), ranges: rows.map(({ range }) => range) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** MUST be given a session that may drop what the run's role made. Throws MARKER_SCHEMA_TAKEN where something of somebody else is in the schema. */
export async function dropRecord(session: Session): Promise<void> {
  try {
    await session.transaction(async () => {
      await session.query(`DROP TABLE IF EXISTS ${rangeTable}, ${stepTable}, ${runTable}`);
      await session.query(`DROP SCHEMA IF EXISTS "${markerSchema}"`);
    });
  } catch (error) {
    // 2BP01: an after file put something there.
    if (toSqlState(error) !== '2BP01') throw error;
    throw toError('MARKER_SCHEMA_TAKEN', { stage: 'deliver', schema: markerSchema });
  }
}

export async function readSteps(session: Session): Promise<ReadonlySet<string>> {
  const rows = await session.query<{ digest: string }>(`SELECT digest FROM ${stepTable}`);
  return new Set(rows.map(({ digest }) => digest));
}

/** A statement as it is told there: by the SHA-256 of its text. */
export function toStepDigest({ sql }: { readonly sql: string }): string {
  return createHash('sha256').update(sql).digest('hex');
}

export async function addStep(session: Session, digest: string): Promise<void> {
  await session.query(`INSERT INTO ${stepTable} VALUES ($1)`, [digest]);
}

interface KeptReceipt {
  readonly receipt: Receipt;
  readonly note?: string;
  readonly mac: string;
}

export class RangeRecord implements Ranges {
  readonly shared = true;

  constructor(
    readonly all: readonly Range[],
    /** Of the run's role. */
    private readonly sessions: SessionPool,
    /** For questions, which wait for no load. */
    private readonly asking: SessionPool,
    /** Password of the run's login: the schema's code runs as that role and may write here, and does not know it. */
    private readonly secret: string,
    /** Told before each, and what it throws stops the loading. */
    private readonly onLoad: () => void | Promise<void>,
  ) {}

  loadNext(load: (at: number, into: LoadInto) => Promise<Receipt>): Promise<'loaded' | 'busy' | 'done'> {
    return this.take('', [], async (at, into) => ({ receipt: await load(at, into) }));
  }

  loadOne(
    at: number,
    load: (into: LoadInto) => Promise<{ readonly receipt: Receipt; readonly note: string }>,
  ): Promise<'loaded' | 'busy' | 'done'> {
    return this.take('AND at = $1', [at], (_, into) => load(into));
  }

  /** The first that is free of those of the condition. Rows, receipt and note are there together or not at all. */
  private take(
    condition: string,
    values: readonly number[],
    load: (at: number, into: LoadInto) => Promise<{ readonly receipt: Receipt; readonly note?: string }>,
  ): Promise<'loaded' | 'busy' | 'done'> {
    return this.sessions.use(async (session) => {
      await session.query('BEGIN');
      const [next] = await session.query<{ at: number }>(
        `SELECT at FROM ${rangeTable} WHERE receipt IS NULL ${condition} ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED`,
        [...values],
      );
      if (!next) {
        const [left] = await session.query<{ some: boolean }>(
          `SELECT EXISTS (SELECT FROM ${rangeTable} WHERE receipt IS NULL ${condition}) AS some`,
          [...values],
        );
        await session.query('COMMIT');
        return left?.some === true ? 'busy' : 'done';
      }
      await this.onLoad();
      const into: LoadInto = async (table, batches, alone) => {
        const frozen = alone && isItself(table);
        return { rows: await (frozen ? copyFrozen : copyIn)(session, table, batches) };
      };
      const { receipt, note } = await load(next.at, into);
      await session.query(`UPDATE ${rangeTable} SET receipt = $2 WHERE at = $1`, [
        next.at,
        JSON.stringify({ receipt, note, mac: this.toMac(next.at, receipt, note) }),
      ]);
      await session.query('COMMIT');
      return 'loaded';
    });
  }

  /** A receipt that none of us wrote is none. */
  async findLoaded(
    among: readonly number[],
  ): Promise<readonly { readonly at: number; readonly receipt: Receipt; readonly note?: string }[]> {
    const text = `SELECT at, receipt AS kept FROM ${rangeTable} WHERE receipt IS NOT NULL AND at = ANY ($1::int[]) ORDER BY at`;
    const rows = await this.asking.use((session) => session.query<{ at: number; kept: KeptReceipt | null }>(text, [[...among]]));
    return rows.flatMap(({ at, kept }) => {
      if (!kept?.receipt || kept.mac !== this.toMac(at, kept.receipt, kept.note)) return [];
      return [{ at, receipt: kept.receipt, ...(kept.note !== undefined && { note: kept.note }) }];
    });
  }

  private toMac(at: number, { schema, table, rows, bytes, digest }: Receipt, note: string | undefined): string {
    const text = JSON.stringify(['receipt', at, schema, table, rows, bytes, digest, ...(note === undefined ? [] : [note])]);
    return createHmac('sha256', this.secret).update(text).digest('hex');
  }
}

function isMissing(error: unknown): boolean {
  return /^(42P01|3F000)$/.test(toSqlState(error));
}

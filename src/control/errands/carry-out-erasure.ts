// A person is erased from the copies of a pipeline by a worker: found by pseudonym in what is there, what may hold them dropped, kept tokens shredded,
// and a receipt written. Who it is stands in this worker's memory until it is done, and nowhere else.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Json } from '../../kernel/canonical-json.js';
import { systemClock, toTimestamp } from '../../kernel/clock.js';
import { toKnownError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import { toSqlName } from '../../kernel/sql-name.js';
import { toTokenEnvironment } from '../../pipeline/definition.js';
import { type ErasureState, erase } from '../../pipeline/erasure.js';
import type { Catalogue } from '../../pipeline/catalogue.js';
import type { Request } from '../../pipeline/prepare.js';
import type { Doors } from '../../pipeline/run.js';
import { type Identifier, type TracedVersion, isNamed } from '../../pipeline/trace-person.js';
import type { ErrandRow, Metadata, Transaction } from '../../systems/metadata/metadata.js';
import type { ConnectionTarget } from '../../systems/postgres/postgres.js';
import { lookForPerson } from '../look-for-person.js';
import { findDocuments, requestRun, toNeeds } from '../runs/runs.js';
import { KeptTokens } from '../tokens/tokens.js';
import { type Outcome, endErrand } from './find-errand.js';

/** So long what was done waits to be told, and who it was about stays in this worker's memory. */
const PATIENCE_MS = 10 * 60_000;
const AGAIN_MS = 500;

/** What the request hands over, as JSON. */
export interface HandedErasure {
  readonly reason: string;
  readonly subject: readonly Identifier[];
}

/** What it says openly. */
export interface WantedErasure {
  readonly how: 'drop' | 'refresh';
}

/** What is done is in the log and here, in counts. */
export interface ErasureReceipt extends ErasureState {
  /** The id that the log knows the request by. */
  readonly erasure: string;
  /** Where the person stood before anything was dropped; null: nobody said who it is, or nobody could look. */
  readonly traced: readonly TracedVersion[] | null;
  readonly why: string | null;
  /** Kept tokens of the person that stand for nothing any more; null: nobody said who it is. */
  readonly shredded: number | null;
  /** The run that replaces the current version; null: it is not left, nobody asked for one, or an incident holds the pipeline. */
  readonly run: string | null;
  /** Pipelines that read the same source: their copies are asked for by themselves. */
  readonly others: readonly string[];
}

interface Of {
  readonly metadata: Metadata;
  readonly workspace: { readonly id: string; readonly name: string };
  readonly row: ErrandRow;
  readonly doors: Doors;
  readonly request: Request;
  /** Absent: its rows are nowhere that we can look. */
  readonly target: ConnectionTarget | undefined;
}

export async function eraseHere(of: Of, { reason, subject }: HandedErasure): Promise<Outcome> {
  const { metadata, workspace, row, doors, request } = of;
  const { how } = row.wanted as unknown as WantedErasure;
  const { target } = request.pipeline.body;
  const { tables, ...seen } = subject.length === 0 ? { tables: [], traced: null, why: null } : await lookForPerson(of, subject);
  const erasure = newRunId(systemClock.now());
  const ids = [erasure];
  const newId = (): string => ids.shift() ?? newRunId(systemClock.now());
  const state = await erase(doors, { pipeline: row.pipeline, target, newId, reason, actor: row.requestedBy });
  const tell = async (transaction: Transaction): Promise<Outcome> => {
    const known = await transaction.errands.find(row.id);
    // It was told before, and only the answer was lost.
    if (known?.endedAt && known.error === null) return { result: known.result };
    const shredded = subject.length === 0 ? null : await shred(transaction, of, tables, subject);
    const isLeft = state.left.some(({ state: of, why }) => of === 'current' && why === 'current');
    const nowMs = systemClock.now();
    // What was dropped and shredded is told even where nothing new may be made: what is left stands in the receipt.
    const mayRun = (await transaction.incidents.findFreeze(row.environment, row.pipeline)) === undefined;
    const run =
      how === 'refresh' && isLeft && mayRun
        ? await requestRun(transaction, { pipeline: row.pipeline, requestedBy: row.requestedBy, nowMs })
        : null;
    const receipt: ErasureReceipt = {
      ...state,
      erasure,
      ...seen,
      shredded,
      run: run ?? null,
      others: await findOthers(transaction, row.pipeline),
    };
    const result = JSON.parse(JSON.stringify(receipt)) as Record<string, Json>;
    const data = { 'subject-erasure': row.id, pipeline: row.pipeline, environment: row.environment, how, ...toTold(receipt) };
    await transaction.audit({ type: 'erasure.receipt', at: toTimestamp(nowMs), actor: row.requestedBy, data });
    await endErrand(transaction, row, { result });
    return { result };
  };
  return untilThere(() => metadata.within(workspace.id, tell));
}

/** Versions are gone, and only here it is known whose kept tokens go with them: what tells of it waits for a metadata database that is away. */
async function untilThere<T>(work: () => Promise<T>): Promise<T> {
  for (const startedAt = performance.now(); ; await sleep(AGAIN_MS)) {
    try {
      return await work();
    } catch (error) {
      if (toKnownError(error).code !== 'METADATA_UNREACHABLE' || performance.now() - startedAt > PATIENCE_MS) throw error;
    }
  }
}

/** Of entries that say whom they are about: by the table of people and its key, each part of which has to be among the identifiers. */
async function shred(
  { tokenEntries }: Transaction,
  { workspace, doors, request, row }: Of,
  tables: Catalogue['tables'],
  subject: readonly Identifier[],
): Promise<number> {
  const environment = toTokenEnvironment(row.environment, request.pipeline.body.target.keys);
  const domains = await tokenEntries.domains(environment);
  const people = toPeople(tables, subject);
  if (domains.length === 0 || people.length === 0) return 0;
  const digests: Uint8Array[] = [];
  for (const domain of domains) {
    const kept = new KeptTokens(doors.tokenKeys, { scope: { workspace: workspace.name, environment }, domain, params: {}, purpose: '' });
    for (const person of people) digests.push(...(await kept.toSubjects(person)));
  }
  return tokenEntries.shred(environment, digests);
}

/** As a run names a person: the table, and its key's columns in their order. */
function toPeople(tables: Catalogue['tables'], subject: readonly Identifier[]): readonly string[] {
  return tables.flatMap((table) => {
    const columns = table.constraints.find(({ kind }) => kind === 'p')?.columns ?? [];
    const parts = columns.map((name) => subject.find(({ table: of, column }) => column === name && isNamed(table, of))?.value);
    return columns.length === 0 || parts.includes(undefined) ? [] : [`${toSqlName(table.schema, table.name)}/${parts.join('/')}`];
  });
}

/** Pipelines that read the same source. */
export async function findOthers(transaction: Transaction, pipeline: string): Promise<readonly string[]> {
  const { source } = toNeeds(await findDocuments(transaction, pipeline));
  const others: string[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await transaction.documents.list('Pipeline', 200, after);
    for (const { name } of page)
      if (name !== pipeline && toNeeds(await findDocuments(transaction, name)).source === source) others.push(name);
    after = page.length === 200 ? page.at(-1)?.name : undefined;
  }
  return others;
}

/** For the log: what was found and done, in counts. */
function toTold({
  erasure,
  traced,
  why,
  shredded,
  run,
  others,
  dropped,
  clones,
  left,
  completed,
  beyond,
}: ErasureReceipt): Record<string, Json> {
  const told = { erasure, traced, why, shredded, run, others, dropped: dropped.map(({ version, run: of }) => ({ version, run: of })) };
  return JSON.parse(JSON.stringify({ ...told, clones: clones.length, left, completed, beyond })) as Record<string, Json>;
}

// A stretch of the log as what each stream says of it. The same stretch gives the same bytes, whoever makes them and however often.
import {
  type LineageContext,
  type RunEvent,
  lineageTriggers,
  lineageTypes,
  toLineage,
  toUsage,
  usageRunTypes,
  usageTypes,
} from '../../pipeline/report/report.js';
import type { Event } from '../../pipeline/event.js';
import type { PipelineDefinition } from '../../pipeline/definition.js';
import { type EventRecord, toAuditRecord, toCheckpointRecord, toUsageRecord } from '../../systems/kafka/kafka.js';
import type { EventPlace, EventStream, Metadata, SignedEntry, Transaction } from '../../systems/metadata/metadata.js';
import { toError } from '../../kernel/errors.js';

/** From a place to the next one, and what is to be sent before the place may be moved. */
export interface EventWindow {
  readonly from: EventPlace;
  readonly to: EventPlace;
  readonly records: readonly EventRecord[];
  readonly checkpoint?: EventRecord;
  readonly lineage: readonly {
    readonly place: { readonly origin: string; readonly index: number };
    readonly events: readonly RunEvent[];
  }[];
  /** Entries that were deleted before anybody could publish them. */
  readonly lost: number;
}

/** Entries are at most 16 KB each. */
const AUDIT_ENTRIES = 400;
/** Few of them say anything: those that do are read one by one. */
const SCANNED_ENTRIES = 5000;
const TRIGGERS = 20;

/** What comes next of a stream; undefined: everything was published. */
export async function readWindow(
  metadata: Metadata,
  workspaceId: string,
  stream: EventStream,
  context: Omit<LineageContext, 'stated'>,
): Promise<EventWindow | undefined> {
  return metadata.within(workspaceId, async (transaction) => {
    const { events } = transaction;
    const from = await events.place(stream);
    if (!from) return undefined;
    const next = await events.logAfter(from.log);
    const [size, origin] = [await events.size(from.log), await events.origin(from.log)];
    const nothing = { from, records: [], lineage: [], lost: 0 };
    if (origin === undefined || from.position >= size) {
      // Where a log is gone nobody knows any more how much of it there was: that there was some is known if its end had not been reached.
      if (next === undefined) return undefined;
      return { ...nothing, to: { log: next, position: 0 }, lost: origin === undefined ? 1 : 0 };
    }
    if (stream === 'audit') return { ...nothing, ...(await readAudit(transaction, from, origin, size)) };
    const types = stream === 'usage' ? usageTypes : lineageTriggers;
    const found = (await events.entries(from, SCANNED_ENTRIES, types)).filter(({ position }) => position < size);
    const taken = found.slice(0, TRIGGERS);
    const end = found.length > TRIGGERS ? (taken.at(-1)?.position ?? 0) + 1 : Math.min(size, from.position + SCANNED_ENTRIES);
    const window = { ...nothing, to: { log: from.log, position: end } };
    const place = { log: from.log, origin };
    if (stream === 'usage') return { ...window, records: await readUsage(transaction, place, taken) };
    return { ...window, lineage: await readLineage(transaction, place, taken, context) };
  });
}

async function readAudit(
  { events }: Transaction,
  from: EventPlace,
  origin: string,
  size: number,
): Promise<Pick<EventWindow, 'to' | 'records' | 'checkpoint'>> {
  const entries = (await events.entries(from, AUDIT_ENTRIES)).filter(({ position }) => position < size);
  const end = from.position + entries.length;
  // A hole would be a number that never comes: nothing goes past it.
  if (entries.length === 0 || entries.some(({ position }, i) => position !== from.position + i))
    throw toError('LOG_INCONSISTENT', { file: origin });
  const note = await events.checkpoint(from.log, from.position, end);
  return {
    to: { log: from.log, position: end },
    records: entries.map((entry) => toAuditRecord({ origin, index: entry.position }, { ...entry, ...readHead(entry) })),
    ...(note === undefined ? {} : { checkpoint: toCheckpointRecord(origin, readSize(note), note) }),
  };
}

type LogOf = { readonly log: string; readonly origin: string };

async function readUsage(
  { events }: Transaction,
  { log, origin }: LogOf,
  entries: readonly SignedEntry[],
): Promise<readonly EventRecord[]> {
  const records: EventRecord[] = [];
  for (const { position, runId, text } of entries) {
    const ofRun = runId === null ? [] : await events.ofRun(runId, usageRunTypes, { log, position });
    const event = JSON.parse(text) as Omit<Event, 'data'> & Partial<Pick<Event, 'data'>>;
    // What is too large for an entry is no use of anything.
    const usage = toUsage({ ...event, data: event.data ?? {} }, ofRun);
    if (usage) records.push(toUsageRecord({ origin, index: position }, { ...usage }));
  }
  return records;
}

async function readLineage(
  transaction: Transaction,
  { log, origin }: LogOf,
  entries: readonly SignedEntry[],
  context: Omit<LineageContext, 'stated'>,
): Promise<EventWindow['lineage']> {
  const told: EventWindow['lineage'][number][] = [];
  for (const { position, runId } of entries) {
    if (runId === null) continue;
    const ofRun = await transaction.events.ofRun(runId, lineageTypes, { log, position });
    const events = toLineage(ofRun, { ...context, stated: await readStated(transaction, runId) });
    if (events.length > 0) told.push({ place: { origin, index: position }, events });
  }
  return told;
}

/** As the version of the pipeline says that the run was asked for by, unless somebody's words were erased from it. */
async function readStated({ runs, documents }: Transaction, runId: string): Promise<LineageContext['stated']> {
  const run = await runs.find(runId);
  const ref = run?.documents.find(({ kind }) => kind === 'Pipeline');
  const found = ref && (await documents.find(ref, ref.version));
  const { purpose, legalBasis, subjectCategories = [] } = (found?.document ?? {}) as Partial<PipelineDefinition>;
  return typeof purpose === 'string' && typeof legalBasis === 'string' ? { purpose, legalBasis, subjectCategories } : undefined;
}

function readHead({ text }: SignedEntry): { readonly at: string; readonly runId: string } {
  const { at, runId } = JSON.parse(text) as { readonly at: string; readonly runId: string };
  return { at, runId };
}

const readSize = (note: string): number => Number(note.split('\n')[1]);

// What becomes of the log on the broker: its entries and checkpoints as they were signed, and what follows from them. The number of an entry is its
// index in the log that the origin names: who has all numbers from 0 on has everything.
import { type Json, toCanonicalJson } from '../../../kernel/canonical-json.js';
import { type CloudEvent, type EventRecord, toRecord } from './cloud-event.js';

/** Of every event, and of the forms in docs/schema: what was readable stays readable while the first number is the same. */
export const eventVersion = '1.0.0';

/** Where an event comes from. */
export interface LogPlace {
  /** As in the log's checkpoints. */
  readonly origin: string;
  readonly index: number;
}

/** An entry: `text` is the canonical JSON that was signed, and it is the value. */
export function toAuditRecord(
  place: LogPlace,
  { type, at, runId, text }: { readonly type: string; readonly at: string; readonly runId: string; readonly text: string },
): EventRecord {
  return toRecord(
    {
      ...toAttributes(place, `bauta.audit.${toWord(type)}`, 'event-audit'),
      ...{ time: toTime(at), subject: runId === '' ? undefined : runId, contentType: 'application/json', data: Buffer.from(text, 'utf8') },
    },
    toKey(place),
  );
}

/** The signed note; the newest of a log is what a compacted topic keeps. */
export function toCheckpointRecord(origin: string, size: number, note: string): EventRecord {
  const { source, dataschema } = toAttributes({ origin, index: size }, '', 'event-checkpoint');
  const extensions = { logorigin: origin, logsize: String(size) };
  const data = Buffer.from(note, 'utf8');
  const event: CloudEvent = {
    ...{ id: `checkpoint-${size}`, source, type: 'bauta.checkpoint.signed', dataschema, extensions },
    ...{ contentType: 'text/plain; charset=UTF-8', data },
  };
  return toRecord(event, { key: origin, order: origin });
}

export function toUsageRecord(
  place: LogPlace,
  usage: { readonly [member: string]: Json } & { readonly at: string; readonly action: string },
): EventRecord {
  const data = { version: eventVersion, ...usage, log: { origin: place.origin, index: place.index } };
  return toRecord(
    {
      ...toAttributes(place, `bauta.usage.${toWord(usage.action)}`, 'event-usage'),
      ...{ time: toTime(usage.at), contentType: 'application/json', data: Buffer.from(toCanonicalJson(data), 'utf8') },
    },
    toKey(place),
  );
}

/** A run event of OpenLineage; the value and the key are as other clients of OpenLineage write them. `part`: of how many that one entry made. */
export function toLineageRecord(
  place: LogPlace,
  part: number,
  event: {
    readonly eventTime: string;
    readonly eventType: string;
    readonly schemaURL: string;
    readonly job: { readonly namespace: string; readonly name: string };
  },
): EventRecord {
  const job = `${event.job.namespace}/${event.job.name}`;
  const attributes = toAttributes(place, `bauta.lineage.${event.eventType.toLowerCase()}`, 'event-audit');
  return toRecord(
    {
      ...attributes,
      ...{ id: `${place.index}-${part}`, time: toTime(event.eventTime), dataschema: event.schemaURL, contentType: 'application/json' },
      data: Buffer.from(toCanonicalJson(event as unknown as Json), 'utf8'),
    },
    { key: `run:${job}`, order: job },
  );
}

function toAttributes(
  { origin, index }: LogPlace,
  type: string,
  form: string,
): Pick<CloudEvent, 'id' | 'source' | 'type' | 'dataschema' | 'extensions'> {
  return {
    ...{ id: String(index), source: `//${encodeURI(origin)}`, type },
    dataschema: `https://bauta.invalid/schema/${eventVersion.replaceAll('.', '-')}/${form}.json`,
    // The extension `sequence` of CloudEvents: as text it sorts like the number.
    extensions: { logorigin: origin, sequence: String(index).padStart(16, '0') },
  };
}

/** The number, and whose: equal for equal entries, so that what was sent twice is seen to be the same. One log stays in one partition. */
const toKey = ({ origin, index }: LogPlace) => ({ key: `${origin}/${index}`, order: origin });

/** Types of ours are words already; whatever else stands in a log is not shown in a header. */
const toWord = (type: string): string => (/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(type) ? type : 'other');

const toTime = (at: string): string | undefined => (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(at) ? at : undefined);

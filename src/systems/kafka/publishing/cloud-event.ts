// CloudEvents 1.0 in the binary mode of their Kafka binding: attributes are headers, and the value of a record is the data alone, byte for byte, so that
// what was signed can be checked as it arrives. Receivers tell this mode by a content-type that does not begin with application/cloudevents.
import { toError } from '../../../kernel/errors.js';
import type { OutRecord } from '../producer.js';

export interface CloudEvent {
  /** With the source: nothing else has both. */
  readonly id: string;
  /** URI reference. */
  readonly source: string;
  readonly type: string;
  /** RFC 3339; absent where nobody knows it. */
  readonly time?: string | undefined;
  readonly subject?: string | undefined;
  /** URI of the form that the data has. */
  readonly dataschema: string;
  readonly contentType: 'application/json' | 'text/plain; charset=UTF-8';
  /** Names of lower-case letters and digits. */
  readonly extensions?: Readonly<Record<string, string>>;
  /** Not empty: a record without a value is a deletion wherever a topic is compacted. */
  readonly data: Buffer;
}

/** Record of a topic; the partition is chosen by `order`: what has to stay in one order has the same. */
export interface EventRecord extends OutRecord {
  readonly key: string;
  readonly value: Buffer;
  readonly order: string;
}

/** Throws UNEXPECTED for what no receiver could read: those are ours to see, not theirs. */
export function toRecord(event: CloudEvent, { key, order }: { readonly key: string; readonly order: string }): EventRecord {
  const { id, source, type, time, subject, dataschema, contentType, extensions = {}, data } = event;
  const attributes: Readonly<Record<string, string | undefined>> = {
    ...{ specversion: '1.0', id, source, type, time, subject, dataschema },
    ...extensions,
  };
  const headers: Record<string, string> = { 'content-type': contentType };
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    if (!/^[a-z0-9]{1,20}$/.test(name) || value === '' || !value.isWellFormed() || /[\u0000-\u001f\u007f]/.test(value))
      throw toError('UNEXPECTED', { stage: 'audit', name: `the attribute ${name} of an event` });
    headers[`ce_${name}`] = value;
  }
  if (data.length === 0) throw toError('UNEXPECTED', { stage: 'audit', name: 'an event without data' });
  return { key, order, value: data, headers };
}

// What a record of an event is, and what none may be.
import { expect, it } from '@jest/globals';
import { type CloudEvent, Kafka } from 'cloudevents';

import { toRecord } from './cloud-event.js';
import { toAuditRecord, toCheckpointRecord, toLineageRecord, toUsageRecord } from './event-records.js';

const place = { origin: 'bauta.invalid/0a1b/ws/2026', index: 7 };
const entry = { type: 'run.started', at: '2026-11-22T00:00:00.000Z', runId: 'r', text: '{"at":"2026-11-22T00:00:00.000Z"}' };
const usage = { at: entry.at, action: 'cloned' };
const lineage = {
  ...{ eventTime: entry.at, eventType: 'START', schemaURL: 'https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent' },
  job: { namespace: 'bauta.ws', name: 'shop' },
};

it('is an event that the library of CloudEvents reads, in binary mode', () => {
  const records = [
    ...[toAuditRecord(place, entry), toCheckpointRecord(place.origin, 8, 'a note\n')],
    ...[toUsageRecord(place, usage), toLineageRecord(place, 0, lineage)],
  ];
  for (const { key, value, headers = {} } of records) {
    expect(headers['content-type']).not.toMatch(/^application\/cloudevents/);
    const text = value.toString();
    const message = { key, value: text, headers: headers as Record<string, string>, body: text };
    const event = Kafka.toEvent(message) as CloudEvent<unknown>;
    expect([event.validate(), event.specversion]).toEqual([true, '1.0']);
  }
});

it('is the entry byte for byte, numbered by its index and whose it is', () => {
  const { key, value, headers, order } = toAuditRecord(place, entry);
  expect([key, order, value.toString()]).toEqual(['bauta.invalid/0a1b/ws/2026/7', place.origin, entry.text]);
  expect(headers).toEqual({
    ...{ 'content-type': 'application/json', ce_specversion: '1.0', ce_id: '7', ce_source: '//bauta.invalid/0a1b/ws/2026' },
    ...{ ce_type: 'bauta.audit.run.started', ce_time: entry.at, ce_subject: 'r' },
    ce_dataschema: 'https://bauta.invalid/schema/1-0-0/event-audit.json',
    ...{ ce_logorigin: place.origin, ce_sequence: '0000000000000007' },
  });
});

it('leaves out what is no time and no subject, and shows no type that is not a word', () => {
  const { headers } = toAuditRecord(place, { ...entry, type: 'Anna <anna@example.com>', at: '', runId: '' });
  expect(headers).toMatchObject({ ce_type: 'bauta.audit.other' });
  expect(headers).not.toHaveProperty('ce_time');
  expect(headers).not.toHaveProperty('ce_subject');
});

it('escapes what a URI does not take of a name that somebody chose', () => {
  expect(toAuditRecord({ origin: 'our log é', index: 0 }, entry).headers).toMatchObject({ ce_source: '//our%20log%20%C3%A9' });
});

it('is never without a value, which would be a deletion, and has no header that begins another one', () => {
  const event = { id: '1', source: '//a', type: 't', dataschema: 'https://bauta.invalid/x', contentType: 'application/json' } as const;
  const to = { key: 'k', order: 'o' };
  expect(() => toRecord({ ...event, data: Buffer.alloc(0) }, to)).toThrow('without data');
  for (const wrong of ['a\r\nce_id: 2', '', '\ud800'])
    expect(() => toRecord({ ...event, subject: wrong, data: Buffer.from('x') }, to)).toThrow('attribute subject');
  expect(() => toRecord({ ...event, extensions: { Not_a_name: 'x' }, data: Buffer.from('x') }, to)).toThrow('attribute');
});

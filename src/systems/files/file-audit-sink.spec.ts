import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from '@jest/globals';

import type { Event } from '../../pipeline/event.js';
import { FileAuditSink, readEvents } from './files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const event = (type: string): Event => ({
  runId: 'r1',
  stage: 'deliver',
  type,
  at: '2026-01-01T00:00:00.000Z',
  data: { b: 1, a: [null, 'x'] },
});

it('appends canonical lines that come back in order', async () => {
  const sink = await FileAuditSink.open(join(folder, 'log'));
  await sink.append(event('first'));
  await sink.append(event('second'));
  await sink.close();
  expect((await readEvents(join(folder, 'log'))).map(({ type }) => type)).toEqual(['first', 'second']);
  expect(readFileSync(join(folder, 'log', 'events.ndjson'), 'utf8').split('\n')[0]).toBe(
    '{"at":"2026-01-01T00:00:00.000Z","data":{"a":[null,"x"],"b":1},"runId":"r1","stage":"deliver","type":"first"}',
  );
  expect(statSync(join(folder, 'log', 'events.ndjson')).mode & 0o077).toBe(0);
});

it('goes on after a crash that left half a line', async () => {
  const first = await FileAuditSink.open(folder);
  await first.append(event('whole'));
  await first.close();
  appendFileSync(join(folder, 'events.ndjson'), '{"at":"2026-01-01T00:0');
  const second = await FileAuditSink.open(folder);
  await second.append(event('after'));
  await second.close();
  expect((await readEvents(folder, 'r1')).map(({ type }) => type)).toEqual(['whole', 'after']);
});

it('says that the log cannot be written instead of going on without it', async () => {
  appendFileSync(join(folder, 'log'), '');
  await expect(FileAuditSink.open(join(folder, 'log'))).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
});

// A service's worker leads a run through a broker as rows: what others read is there when the run says that it is published, and not before.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { RunWorker } from '../../src/control/runs/runs.js';
import { type Broker, type InRecord, openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { findKafka, shareKafka } from '../support/kafka.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
let [tiny, world, worker, broker]: [TinyWorld?, ServiceWorld?, RunWorker?, Broker?] = [];
const home = mkdtempSync(join(tmpdir(), 'bauta-rows-'));
const rows = 'connection: env:BAUTA_CONN_BROKER\n  kafka: { prefix: service, database: copy, encoding: rows, rows: { format: json } }';

beforeAll(async () => {
  if (jars === undefined) return;
  const [kafka, started] = await Promise.all([shareKafka(jars), startTinyWorld()]);
  tiny = started;
  world = await startServiceWorld(tiny.server);
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_BROKER: kafka.url };
  worker = await startRunWorker(world, home, connections);
  broker = await openBroker(await resolveBroker('env:BROKER', kafka.url, () => Promise.resolve(undefined)));
}, 120_000);
afterAll(async () => {
  await worker?.stop();
  await broker?.close();
  await world?.stop();
  await tiny?.stop();
  rmSync(home, { recursive: true, force: true });
});

async function readAll(topic: string): Promise<InRecord[]> {
  const reader = await broker!.reader({ topic, waitMs: 100 });
  const found: InRecord[] = [];
  const ends = await reader.askEnds();
  while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end)) found.push(...(await reader.read()));
  await reader.close();
  return found;
}

onKafka(
  'are readable once its run is published, in the workspace’s own topics',
  async () => {
    const token = await world!.person('bob', ['policy-admin', 'requester', 'operator', 'viewer']);
    const text = [pipelineText, classificationText].join('---\n').replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE');
    const documents = text.replace('connection: env:TARGET_URL', rows).replace(/^ {2}sameServer:.*\n/m, '');
    expect(documents).toContain(rows);
    const applied = await world!.ask('POST', '/v1/apply', { token, text: documents, headers: { 'content-type': 'application/yaml' } });
    expect([applied.status, applied.body]).toMatchObject([200, {}]);
    const { body } = await world!.ask('POST', '/v1/runs', { token, json: { pipeline: 'tiny' } });
    const get = async (): Promise<Record<string, unknown>> => (await world!.ask('GET', `/v1/runs/${String(body['id'])}`, { token })).body;
    let run = await get();
    for (const until = performance.now() + 60_000; run['endedAt'] === null && performance.now() < until; run = await get())
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(run).toMatchObject({ state: 'published', summary: { state: 'published', dataset: { target: 'copy', version: 1 } } });
    const admin = await broker!.admin();
    const topics = await admin.list('service.').finally(() => admin.close());
    const people = topics.find((topic) => topic.endsWith('.rows.app.person')) ?? '';
    expect(people).toMatch(/^service\.default\./);
    const records = await readAll(people);
    expect(records).toHaveLength(180);
    for (const { key, value } of records) expect(`${String(key)} ${String(value)}`).not.toContain(canary);
  },
  120_000,
);

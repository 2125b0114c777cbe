// Looks for needles in everything that a broker has: names of topics, every record of every topic, its own included and whether it was committed or not (keys, headers,
// values, compressed ones inflated and sealed ones opened with the agent's key), the files on its disk and its memory, where client ids are too.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { toPublicKey } from '../../src/kernel/ed25519.js';
import { unsealBytes } from '../../src/systems/archive/archive.js';
import {
  type BeginBody, type Broker, type DatasetKey, type InRecord, MessageReader, openBroker, readControl, resolveBroker, toControlTopic, type TopicPlace,
} from '../../src/systems/kafka/kafka.js'; // prettier-ignore
import { openBulkRecord } from '../../src/systems/kafka/wire/record.js';
import type { OwnKafka } from '../support/kafka.js';
import { type Needles, findInFolder } from './needles.js';

/** What an agent has: of its home, and of its enrolment. */
export interface AgentKeys {
  readonly agentId: string;
  readonly identity: string;
  readonly serviceKey: string;
}

export interface Searched {
  /** `needle in place`. */
  readonly found: readonly string[];
  readonly topics: readonly string[];
  readonly records: number;
  /** Of bulk records that were opened. */
  readonly opened: number;
}

/** Keys of the versions that the agent of this place was told of, by run. */
export async function readDatasetKeys(broker: Broker, place: TopicPlace, keys: AgentKeys): Promise<Map<string, DatasetKey>> {
  const known = new MessageReader('control', toPublicKey(Buffer.from(keys.serviceKey, 'hex')));
  const datasets = new Map<string, DatasetKey>();
  for await (const { key, value, headers } of readAll(broker, toControlTopic(place))) {
    const { workspace, environment } = place;
    const found = readControl(
      known,
      { key, value, headers: Object.fromEntries(headers) },
      { workspace, environment, highest: 0, nowMs: Date.now() },
    );
    if (!found || 'problem' in found || found.message.type !== 'begin') continue;
    const { sealed } = found.message.body as unknown as BeginBody;
    const own = sealed?.for[keys.agentId];
    if (sealed && own !== undefined)
      datasets.set(found.message.runId, { id: sealed.keyId, secret: await unsealBytes(Buffer.from(own, 'base64'), keys.identity) });
  }
  return datasets;
}

export async function* readAll(broker: Broker, topic: string): AsyncGenerator<InRecord, void, undefined> {
  const reader = await broker.reader({ topic, readUncommitted: true, waitMs: 50 });
  try {
    const ends = await reader.askEnds();
    while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end)) yield* await reader.read();
  } finally {
    await reader.close();
  }
}

/** `place`: of an environment with an agent. */
export async function searchBroker(kafka: OwnKafka, needles: Needles, place: TopicPlace, keys: AgentKeys): Promise<Searched> {
  const broker = await openBroker(await resolveBroker('search', kafka.url, () => Promise.resolve(undefined)));
  const found = new Set<string>();
  const look = (where: string, bytes: string | Uint8Array | null): void => {
    if (bytes !== null) for (const name of needles.find(bytes)) found.add(`${name} in ${where}`);
  };
  let [records, opened] = [0, 0];
  try {
    const admin = await broker.admin();
    const topics = await admin.list();
    look('names of topics', topics.join('\n'));
    const datasets = await readDatasetKeys(broker, place, keys);
    const open = { environment: place.environment, publicKey: toPublicKey(Buffer.from(keys.serviceKey, 'hex')) };
    for (const topic of topics)
      for await (const { key, value, headers } of readAll(broker, topic)) {
        records += 1;
        look(`keys of ${topic}`, key);
        look(`values of ${topic}`, value);
        for (const [name, header] of headers) look(`headers of ${topic}`, `${name} ${String(header)}`);
        if (value?.[0] === 0x1f && value[1] === 0x8b) look(`inflated values of ${topic}`, gunzipSync(value));
        const runId = String(headers.get('b-run'));
        const dataset = datasets.get(runId);
        if (!dataset) continue;
        const { lines } = await openBulkRecord(Object.fromEntries(headers), value, { ...open, runId, findKey: () => dataset });
        opened += 1;
        look(`opened values of ${topic}`, lines);
      }
    for (const one of findInFolder(needles, join(kafka.folder, 'data'))) found.add(one.replace(/ in .*/, ' in files of the broker'));
    searchMemory(kafka.pid(), look);
    return { found: [...found].sort(), topics, records, opened };
  } finally {
    await broker.close();
  }
}

/** Everything that it has in its heap, what is no longer used included. */
function searchMemory(pid: number, look: (where: string, bytes: Uint8Array) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-heap-'));
  try {
    execFileSync('jcmd', [String(pid), 'GC.heap_dump', '-all', join(folder, 'heap')], { stdio: 'pipe' });
    look('memory of the broker', readFileSync(join(folder, 'heap')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

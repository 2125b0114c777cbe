// A long log is published from its first entry: `node dist-test/test/soak/event-backfill.js [ENTRIES]` makes one of so many (default a million), has it
// published by a process of its own on a real Kafka, and says how long that took, how much memory it had at most, and whether everything arrived.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { packageFile } from '../../src/kernel/package-root.js';
import { openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { findKafka, startKafka } from '../support/kafka.js';
import { startServiceWorld } from '../support/service.js';

export interface Backfill {
  readonly entries: number;
  readonly seconds: number;
  readonly peakBytes: number;
  /** Records that were no next number of their log. */
  readonly wrong: number;
  readonly arrived: number;
}

export async function backfill(jars: string, entries: number): Promise<Backfill> {
  const kafka = await startKafka(jars);
  const world = await startServiceWorld();
  try {
    await world.startSequencer();
    await world.sql(
      `INSERT INTO bauta.outbox (workspace_id, event)
       SELECT '${world.workspaces.home}', json_build_object('type', 'access.denied', 'at', '2026-11-22T00:00:00.000Z', 'data', json_build_object('n', n, 'of', repeat('a', 300)))
       FROM generate_series(1, ${entries}) n`,
    );
    while ((await world.sql('SELECT FROM bauta.outbox LIMIT 1')).length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    const env = { PATH: process.env['PATH'] ?? '', BROKER: kafka.url, BAUTA_CONN_METADATA: world.urls.service };
    const settings = { BAUTA_EVENTS_BROKER: 'env:BROKER', BAUTA_EVENTS_MS: '50' };
    const program = packageFile('dist-test', 'test', 'support', 'publish-events.js');
    const startedAt = performance.now();
    const child = spawn(process.execPath, [program], { env: { ...env, ...settings }, stdio: ['ignore', 'ignore', 'inherit'] });
    try {
      while ((await world.metadata.findUnpublished(['audit', 'usage', 'lineage'])).length > 0 && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 50));
      const seconds = (performance.now() - startedAt) / 1000;
      const peakBytes = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(child.pid)}/status`, 'utf8'))?.[1]) * 1024;
      return { entries, seconds, peakBytes, ...(await count(kafka.url)) };
    } finally {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  } finally {
    await world.stop();
    await kafka.stop();
  }
}

async function count(url: string): Promise<Pick<Backfill, 'wrong' | 'arrived'>> {
  const broker = await openBroker(await resolveBroker('test', url, () => Promise.resolve(undefined)));
  try {
    const admin = await broker.admin();
    const end = (await admin.offsets('bauta.audit')).reduce((sum, { first, next }) => sum + Number(next - first), 0);
    const reader = await broker.reader({ topic: 'bauta.audit' });
    const next = new Map<string, number>();
    let [read, wrong] = [0, 0];
    while (read < end)
      for (const { headers } of await reader.read()) {
        read += 1;
        const [origin, index] = [String(headers.get('ce_logorigin')), Number(headers.get('ce_id'))];
        if (index > (next.get(origin) ?? 0)) wrong += 1;
        else if (index === (next.get(origin) ?? 0)) next.set(origin, index + 1);
      }
    return { wrong, arrived: [...next.values()].reduce((sum, one) => sum + one, 0) };
  } finally {
    await broker.close();
  }
}

if (process.argv[1] === import.meta.filename) {
  const jars = findKafka();
  if (jars === undefined) process.exit(1);
  process.stdout.write(`${JSON.stringify(await backfill(jars, Number(process.argv[2] ?? 1_000_000)))}\n`);
  process.exit(0);
}

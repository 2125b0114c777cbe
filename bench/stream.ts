// The reference data through a broker beside direct delivery, service and agent as processes of their own, one after the other in one run: from the start
// of the service's process to the target that is published. Usage: node dist/bench/stream.js BROKER [--scale N]     (BROKER: kafka://127.0.0.1:PORT)
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findStreamKey } from '../src/control/stream-key.js';
import { systemClock } from '../src/kernel/clock.js';
import { toPublicBytes } from '../src/kernel/ed25519.js';
import { packageFile } from '../src/kernel/package-root.js';
import { openFileKeys } from '../src/systems/files/files.js';
import { createToken, openBroker, readEnrolment, resolveBroker, toReceiptsTopic } from '../src/systems/kafka/kafka.js';
import { ControlTopic, toReadMessage } from '../src/systems/kafka/stream/control-topic.js';
import { exitForHelp } from './help.js';
import { load, makeRoles, missing, startBench, urlAs } from './reference.js';

exitForHelp(`Usage: node dist/bench/stream.js BROKER [--scale N]

The reference data by direct delivery, then through the broker and an agent; seconds, their ratio, and the bytes on the wire.`);

const url = process.argv[2] ?? '';
const at = process.argv.indexOf('--scale');
const lack = missing();
if (lack !== undefined) {
  process.stderr.write(`the benchmark needs ${lack}\n`);
  process.exit(1);
}
const place = { prefix: `bench${process.pid}`, workspace: 'local', environment: 'bench' };
const folder = mkdtempSync(join(tmpdir(), 'bauta-bench-'));
const home = join(folder, 'home');
const bench = await startBench();
const children: ChildProcess[] = [];
try {
  await makeRoles(bench);
  await load(bench, 'large', at < 0 ? 1 : Number(process.argv[at + 1]));
  await bench.sql('postgres', 'CHECKPOINT');
  const workload = packageFile('bench', 'workload');
  const text = readFileSync(join(workload, 'pipeline.yaml'), 'utf8');
  writeFileSync(join(folder, 'classification.yaml'), readFileSync(join(workload, 'classification.yaml')));
  const [direct, stream] = [join(folder, 'direct.yaml'), join(folder, 'stream.yaml')];
  writeFileSync(direct, text);
  const kafka = `kafka: { prefix: ${place.prefix}, database: streamed, topics: create, replication: 1 }`;
  writeFileSync(
    stream,
    text.replace(/connection: env:TARGET_URL/, `connection: env:BROKER_URL\n  ${kafka}`).replace(/^ {2}sameServer:.*\n/m, ''),
  );
  const environment = { SOURCE_URL: urlAs(bench, 'source', 'large'), TARGET_URL: urlAs(bench, 'target', 'direct'), BROKER_URL: url };
  await enrol();
  const one = await run(direct, environment);
  const other = await run(stream, environment);
  const wire = /told: (.*)/.exec(other.said)?.[1] ?? 'nothing on the wire';
  process.stdout.write(`direct ${one.seconds.toFixed(1)} s, through the broker ${other.seconds.toFixed(1)} s, `);
  process.stdout.write(`ratio ${(other.seconds / one.seconds).toFixed(2)}; ${wire}; ${/peak memory [\d.]+ MB/.exec(other.said)?.[0]}\n`);
} finally {
  for (const child of children) child.kill('SIGKILL');
  await bench.server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function run(file: string, more: Readonly<Record<string, string>>): Promise<{ readonly seconds: number; readonly said: string }> {
  const begun = performance.now();
  const env = { PATH: process.env['PATH'], TMPDIR: tmpdir(), BAUTA_HOME: home, ...more };
  const child = spawn(process.execPath, [packageFile('dist', 'src', 'cli.js'), 'run', '-f', file], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (part: string) => (said += part));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(said);
  return { seconds: (performance.now() - begun) / 1000, said };
}

/** As `bauta agents invite` and the service do. */
async function enrol(): Promise<void> {
  const broker = await openBroker(await resolveBroker('BROKER', url, () => Promise.resolve(undefined)));
  const key = await findStreamKey(openFileKeys(join(home, 'keys'))({ purpose: 'transport', workspace: 'default', environment: 'bench' }));
  const control = new ControlTopic({ broker, place, key, clock: systemClock, replication: 1 });
  await control.take();
  const expiresAt = new Date(systemClock.now() + 600_000).toISOString();
  const { token, invite } = createToken({ ...place, serviceKey: toPublicBytes(key).toString('hex'), expiresAt });
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const env = {
    ...{ PATH: process.env['PATH'], BROKER: url, TARGET: urlAs(bench, 'target', 'streamed'), BAUTA_HOME: join(folder, 'agent') },
    ...{ BAUTA_AGENT_BROKER: 'env:BROKER', BAUTA_AGENT_TARGET: 'env:TARGET', BAUTA_AGENT_TOKEN: tokenFile },
  };
  children.push(spawn(process.execPath, [packageFile('dist', 'src', 'agent.js')], { env, stdio: ['ignore', 'ignore', 'inherit'] }));
  const reader = await broker.reader({ topic: toReceiptsTopic(place), waitMs: 100 });
  for (let asked = false; !asked;) {
    for (const record of await reader.read()) {
      const read = readEnrolment(toReadMessage(record), { ...place, nowMs: systemClock.now(), invites: [invite] });
      if (!read || 'problem' in read) continue;
      const { agentId: runId, publicKey, recipient } = read.request;
      await control.tell({ type: 'enrolled', runId, lastsMs: 86_400_000, body: { publicKey, recipient } });
      asked = true;
    }
  }
  await broker.close();
}

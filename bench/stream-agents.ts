// Agents as processes of their own, enrolled as `bauta agents invite` and the service do it; each has a server of its own, since their databases are called alike.
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { findStreamKey } from '../src/control/stream-key.js';
import { systemClock } from '../src/kernel/clock.js';
import { toPublicBytes } from '../src/kernel/ed25519.js';
import { packageFile } from '../src/kernel/package-root.js';
import { openFileKeys } from '../src/systems/files/files.js';
import {
  type TopicPlace, createToken, openBroker, readEnrolment, resolveBroker, toReceiptsTopic,
} from '../src/systems/kafka/kafka.js'; // prettier-ignore
import { ControlTopic, toReadMessage } from '../src/systems/kafka/stream/control-topic.js';
import { type Bench, makeRoles, startBench, urlAs } from './reference.js';

export interface BenchAgents {
  readonly url: string;
  /** Settings of the allocator. */
  readonly allocator: Readonly<Record<string, string | undefined>>;
  readonly place: TopicPlace & { readonly environment: string };
  /** Of the service. */
  readonly home: string;
  readonly folder: string;
  /** Of the first agent. */
  readonly bench: Bench;
}

export interface BenchAgent {
  readonly pid: number;
  signal(name: NodeJS.Signals): void;
}

const enrolMs = 60_000;

export class Agents {
  readonly all: BenchAgent[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #servers: Bench[] = [];
  #lose: (error: Error) => void = () => undefined;
  /** Rejects when one ends that nobody stopped: whatever waits for it would wait for as long as a run may take. */
  readonly lost = new Promise<never>((_, reject) => (this.#lose = reject));

  constructor(private readonly of: BenchAgents) {
    this.lost.catch(() => undefined);
  }

  /** Until there are so many. Throws when one was not enrolled within a minute. */
  async have(count: number): Promise<void> {
    while (this.all.length < count) this.all.push(await this.#enrol());
  }

  async stop(): Promise<void> {
    this.#lose = () => undefined;
    for (const child of this.#children) child.kill('SIGKILL');
    for (const { server } of this.#servers) await server.stop();
  }

  async #target(): Promise<string> {
    if (this.all.length === 0) return urlAs(this.of.bench, 'target', 'streamed');
    const bench = await startBench();
    this.#servers.push(bench);
    await makeRoles(bench);
    return urlAs(bench, 'target', 'streamed');
  }

  async #enrol(): Promise<BenchAgent> {
    const { url, place, home, folder, allocator } = this.of;
    const target = await this.#target();
    const broker = await openBroker(await resolveBroker('BROKER', url, () => Promise.resolve(undefined)));
    try {
      const key = await findStreamKey(
        openFileKeys(join(home, 'keys'))({ purpose: 'transport', workspace: 'default', environment: place.environment }),
      );
      const control = new ControlTopic({ broker, place, key, clock: systemClock, replication: 1 });
      await control.take();
      const expiresAt = new Date(systemClock.now() + 600_000).toISOString();
      const { token, invite } = createToken({ ...place, serviceKey: toPublicBytes(key).toString('hex'), expiresAt });
      const own = join(folder, `agent${this.all.length + 1}`);
      writeFileSync(`${own}.token`, token, { mode: 0o600 });
      const env = {
        ...allocator,
        ...{ PATH: process.env['PATH'], BROKER: url, TARGET: target, BAUTA_HOME: own },
        ...{ BAUTA_AGENT_BROKER: 'env:BROKER', BAUTA_AGENT_TARGET: 'env:TARGET', BAUTA_AGENT_TOKEN: `${own}.token` },
      };
      const child = spawn(process.execPath, [packageFile('dist', 'src', 'agent.js')], { env, stdio: ['ignore', 'ignore', 'pipe'] });
      this.#children.push(child);
      let said = '';
      const number = this.#children.length;
      child.once('exit', (code, signal) => this.#lose(new Error(`agent ${number} ended (${signal ?? `exit code ${code}`}):\n${said}`)));
      child.stderr.setEncoding('utf8').on('data', (part: string) => (said += part));
      const reader = await broker.reader({ topic: toReceiptsTopic(place), waitMs: 100 });
      const until = performance.now() + enrolMs;
      const requireTime = (): void => {
        if (performance.now() > until) throw new Error(`an agent was not enrolled within ${enrolMs / 1000} s:\n${said}`);
      };
      for (let asked = false; !asked;) {
        requireTime();
        for (const record of await Promise.race([reader.read(), this.lost])) {
          const read = readEnrolment(toReadMessage(record), { ...place, nowMs: systemClock.now(), invites: [invite] });
          if (!read || 'problem' in read) continue;
          const { agentId: runId, publicKey, recipient } = read.request;
          await control.tell({ type: 'enrolled', runId, lastsMs: 86_400_000, body: { publicKey, recipient } });
          asked = true;
        }
      }
      while (!said.includes('is at work')) {
        requireTime();
        await Promise.race([sleep(50), this.lost]);
      }
      return { pid: child.pid ?? 0, signal: (name) => void child.kill(name) };
    } finally {
      await broker.close();
    }
  }
}

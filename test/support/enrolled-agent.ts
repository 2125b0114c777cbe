// An agent that is enrolled and at work, in this process, as `bauta agents invite`, `bauta agent` and `bauta agents list` bring it about.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startAgent } from '../../src/agent/agent.js';
import { findStreamKey } from '../../src/control/stream-key.js';
import { systemClock } from '../../src/kernel/clock.js';
import { toPublicBytes } from '../../src/kernel/ed25519.js';
import { openFileKeys } from '../../src/systems/files/files.js';
import { type TopicPlace, createToken, openBroker, readEnrolment, resolveBroker, toReceiptsTopic } from '../../src/systems/kafka/kafka.js';
import { ControlTopic, toReadMessage } from '../../src/systems/kafka/stream/control-topic.js';

export interface EnrolledAgent {
  /** What it said so far. */
  readonly said: readonly string[];
  stop(): Promise<void>;
}

export interface Enrolled {
  readonly broker: string;
  readonly place: TopicPlace;
  /** Of the service. */
  readonly home: string;
  /** With the agent's role. */
  readonly target: string;
  /** In which its home and its token are made. */
  readonly folder: string;
}

/** MUST be stopped in afterAll. */
export async function enrolAgent({ broker: url, place, home, target, folder }: Enrolled): Promise<EnrolledAgent> {
  const broker = await openBroker(await resolveBroker('env:BROKER', url, () => Promise.resolve(undefined)));
  const own = mkdtempSync(join(folder, 'agent-'));
  const said: string[] = [];
  const stopping = new AbortController();
  let working: Promise<unknown> = Promise.resolve();
  const stop = async (): Promise<void> => {
    stopping.abort();
    await working.catch(() => undefined);
  };
  try {
    const { environment } = place;
    const key = await findStreamKey(openFileKeys(join(home, 'keys'))({ purpose: 'transport', workspace: 'default', environment }));
    const control = new ControlTopic({ broker, place, key, clock: systemClock });
    await control.take();
    const expiresAt = new Date(Date.now() + 600_000).toISOString();
    const { token, invite } = createToken({ ...place, serviceKey: toPublicBytes(key).toString('hex'), expiresAt });
    const tokenFile = join(own, 'token');
    writeFileSync(tokenFile, token, { mode: 0o600 });
    const variables = { BROKER: url, TARGET: target, BAUTA_AGENT_BROKER: 'env:BROKER', BAUTA_AGENT_TARGET: 'env:TARGET' };
    const say = (line: string): void => void said.push(line);
    working = startAgent({ environment: variables, home: join(own, 'home'), tokenFile, signal: stopping.signal, say });
    working.catch((error: unknown) => said.push(String(error)));
    const reader = await broker.reader({ topic: toReceiptsTopic(place), waitMs: 100 });
    for (let asked = false; !asked;) {
      for (const record of await reader.read()) {
        const read = readEnrolment(toReadMessage(record), { ...place, nowMs: Date.now(), invites: [invite] });
        if (!read || 'problem' in read) continue;
        const { agentId: runId, publicKey, recipient } = read.request;
        await control.tell({ type: 'enrolled', runId, lastsMs: 86_400_000, body: { publicKey, recipient } });
        asked = true;
      }
    }
    for (let waited = 0; !said.some((line) => line.includes('is at work')); waited += 50) {
      if (waited > 40_000) throw new Error(`the agent is not at work:\n${said.join('\n')}`);
      await sleep(50);
    }
    return { said, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    await broker.close();
  }
}

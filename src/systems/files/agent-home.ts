// What an agent keeps on its disk, and nothing else is needed after a crash: its keys, whom it believes, the highest number that it was told, and what it was
// told and has not done. Readable by nobody else; whoever has this folder is the agent.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import { syncFolder, writeWhole } from './durable.js';

export interface AgentIdentity {
  readonly agentId: string;
  /** Of its Ed25519 key: 32 bytes. Secret. */
  readonly seed: Uint8Array;
  /** `AGE-SECRET-KEY-1…`. Secret. */
  readonly identity: string;
}

/** Whom the agent believes, and whose topics it reads. */
export interface AgentEnrolment {
  readonly environment: string;
  readonly workspace: string;
  readonly prefix?: string;
  /** In hex. */
  readonly serviceKey: string;
  /** The service has said that it took this agent. */
  readonly enrolled: boolean;
}

interface State {
  /** Of the messages that were accepted. */
  readonly highest: number;
  /** No receipt has this number or a higher one. */
  readonly receipts: number;
}

const numbersAtOnce = 1000;

export class AgentHome {
  private next = 0;
  private reserved = 0;

  private constructor(
    readonly folder: string,
    readonly identity: AgentIdentity,
    private state: State,
  ) {
    this.next = this.reserved = state.receipts;
  }

  /** Makes folder and keys at the first start. Throws AGENT_HOME_INVALID. */
  static async open(folder: string, nowMs: number, newIdentity: () => Promise<string>): Promise<AgentHome> {
    await mkdir(join(folder, 'inbox'), { recursive: true, mode: 0o700 });
    const path = join(folder, 'agent.key');
    const known = await readJson(path);
    if (known === undefined) {
      const made = { agentId: newRunId(nowMs), seed: randomBytes(32).toString('hex'), identity: await newIdentity() };
      await writeWhole(path, JSON.stringify(made));
      await syncFolder(folder);
      return AgentHome.open(folder, nowMs, newIdentity);
    }
    const { agentId, seed, identity } = known as Readonly<Record<string, unknown>>;
    const fits = typeof agentId === 'string' && /^[0-9a-z]{16}$/.test(agentId) && typeof seed === 'string' && /^[0-9a-f]{64}$/.test(seed);
    if (!fits || typeof identity !== 'string') throw toError('AGENT_HOME_INVALID', { file: path });
    const state = ((await readJson(join(folder, 'state.json'))) ?? { highest: 0, receipts: 1 }) as State;
    if (!Number.isSafeInteger(state.highest) || !Number.isSafeInteger(state.receipts))
      throw toError('AGENT_HOME_INVALID', { file: join(folder, 'state.json') });
    return new AgentHome(folder, { agentId, seed: Buffer.from(seed, 'hex'), identity }, state);
  }

  get highest(): number {
    return this.state.highest;
  }

  async readEnrolment(): Promise<AgentEnrolment | undefined> {
    return (await readJson(join(this.folder, 'service.json'))) as AgentEnrolment | undefined;
  }

  async keepEnrolment(enrolment: AgentEnrolment): Promise<void> {
    await this.write('service.json', JSON.stringify(enrolment));
  }

  /** Kept before it is acted on, and before its number counts as seen: killed between the two, it is read and kept again. */
  async accept(sequence: number, text: string): Promise<void> {
    await writeWhole(join(this.folder, 'inbox', toName(sequence)), text);
    await syncFolder(join(this.folder, 'inbox'));
    await this.keepState({ ...this.state, highest: Math.max(sequence, this.state.highest) });
  }

  /** What was accepted and is not done, in its order. */
  async readInbox(): Promise<readonly string[]> {
    const names = (await readdir(join(this.folder, 'inbox'))).filter((name) => /^\d{16}\.json$/.test(name)).sort();
    return Promise.all(names.map((name) => readFile(join(this.folder, 'inbox', name), 'utf8')));
  }

  async done(sequence: number): Promise<void> {
    await rm(join(this.folder, 'inbox', toName(sequence)), { force: true });
  }

  /** Numbers are taken from the disk a thousand at a time: after a crash some are left out, and none is used twice. */
  async nextReceipt(): Promise<number> {
    if (this.next >= this.reserved) {
      this.reserved = this.next + numbersAtOnce;
      await this.keepState({ ...this.state, receipts: this.reserved });
    }
    return this.next++;
  }

  private async keepState(state: State): Promise<void> {
    this.state = state;
    await this.write('state.json', JSON.stringify(state));
  }

  private async write(name: string, text: string): Promise<void> {
    await writeWhole(join(this.folder, name), text);
    await syncFolder(this.folder);
  }
}

const toName = (sequence: number): string => `${String(sequence).padStart(16, '0')}.json`;

/** Undefined where there is none. Throws AGENT_HOME_INVALID: it cannot be read, or others can read it. */
async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw toError('AGENT_HOME_INVALID', { file });
  });
  if (text === undefined) return undefined;
  if (process.platform !== 'win32' && ((await stat(file)).mode & 0o077) !== 0) throw toError('KEY_FILE_UNSAFE', { file });
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw toError('AGENT_HOME_INVALID', { file });
  }
}

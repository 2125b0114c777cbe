// The users' own bundle in force: fetched, checked, kept on disk, and replaced by a newer one without a decision lost. One that is refused changes nothing: the
// one before stays, and whoever listens is told.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { BautaError } from '../../kernel/errors.js';
import type { GateInput } from '../../pipeline/decision.js';
import { toCanonicalJson } from '../../kernel/canonical-json.js';
import type { BundleSource, Fetched } from './bundle-source.js';
import { unreachable } from './bundle-source.js';
import type { Decider, Moment } from './decider.js';
import { PolicyThreads } from './policy-threads.js';
import { parseDenials, type Said, toResult } from './reasons.js';
import { readApart } from './read-apart.js';
import type { Trust } from './user-bundle.js';
import { writeKept } from './write-kept.js';

export interface UserPolicyOptions {
  readonly source: BundleSource;
  readonly trust: Trust;
  /** The rule that says no: `bauta/provision/deny` or `bauta/deploy/deny`. A bundle without it is refused. */
  readonly entrypoint: string;
  /** The last good bundle is kept here. */
  readonly folder: string;
  readonly timeLimitMs: number;
  /** A second thread stands by from the start, where many ask. */
  readonly ready?: boolean;
  /** A bundle was refused or could not be fetched, and the one before stays in force: told once of each bundle, and of each reason that there is none. */
  readonly onRefused?: (refused: Refused) => void;
}

export interface Refused {
  readonly error: BautaError;
  /** Of the bundle; null: none came. */
  readonly digest: string | null;
  readonly inForce: { readonly revision: string; readonly digest: string };
}

/** How long a server may hold the question whether there is a newer bundle. */
const waitSeconds = 60;
const pauseMs = 30_000;

interface InForce {
  readonly bundle: { readonly revision: string; readonly digest: string };
  readonly thread: PolicyThreads;
}

export class UserPolicy implements Decider {
  readonly name = 'user';
  readonly #options: UserPolicyOptions;
  #inForce: InForce | undefined;
  #etag: string | undefined;
  #refused: string | undefined;
  /** What was told last, until a bundle is taken: the reason, and what it was about. */
  #told: string | undefined;
  /** Of the bundle that was fetched last. */
  #fetched = '';
  readonly #stop = new AbortController();

  private constructor(options: UserPolicyOptions) {
    this.#options = options;
  }

  /** Rejects when there is no bundle that may be used: neither at the source nor kept from before. */
  static async open(options: UserPolicyOptions): Promise<UserPolicy> {
    const policy = new UserPolicy(options);
    const kept = await readKept(options.folder);
    try {
      if (kept !== undefined) await policy.#activate(kept).catch(() => undefined);
      await policy.#renew(false);
      return policy;
    } catch (error) {
      if (policy.#inForce !== undefined) {
        policy.#tell(error);
        return policy;
      }
      await policy.close();
      throw error;
    }
  }

  get bundle(): { readonly revision: string; readonly digest: string } {
    const { revision = '', digest = '' } = this.#inForce?.bundle ?? {};
    return { revision, digest };
  }

  get refused(): string | undefined {
    return this.#refused;
  }

  async ask(input: GateInput, moment: Moment): Promise<Said> {
    // The thread of this moment answers, also when another bundle comes into force meanwhile.
    const { thread } = this.#inForce as InForce;
    const { results } = await thread.ask({ entrypoint: this.#options.entrypoint, input: toCanonicalJson(input), ...moment });
    return { reasons: parseDenials(toResult(JSON.parse(results))) };
  }

  /** Looks once whether there is a newer bundle. Never rejects: what is refused is told, and changes nothing. */
  async refresh(hold = false): Promise<'changed' | 'unchanged' | 'refused'> {
    try {
      return (await this.#renew(hold)) ? 'changed' : 'unchanged';
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#tell(error);
      return 'refused';
    }
  }

  /** Looks again and again until it is closed: at once where the server holds the question, else twice a minute. */
  watch(everyMs = pauseMs): void {
    const again = async (): Promise<void> => {
      while (!this.#stop.signal.aborted) {
        const outcome = await this.refresh(true);
        if (outcome !== 'refused' && this.#options.source.holds) continue;
        await pause(everyMs, this.#stop.signal);
      }
    };
    void again();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#inForce?.thread.close();
  }

  async #renew(hold: boolean): Promise<boolean> {
    const { source, folder } = this.#options;
    this.#fetched = '';
    const fetched = await source.ask(this.#etag === '' ? undefined : this.#etag, hold ? waitSeconds : undefined, this.#stop.signal);
    if (fetched === undefined) {
      // The source has nothing else than what is in force: what was refused before is gone.
      this.#refused = this.#told = undefined;
      return false;
    }
    const before = this.#inForce?.bundle.digest;
    await this.#activate(fetched);
    this.#refused = this.#told = undefined;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeKept(folder, fetched);
    return this.#inForce?.bundle.digest !== before;
  }

  /** The new thread is ready before the old one is let go. */
  async #activate({ bytes, etag }: Fetched): Promise<void> {
    const { trust, timeLimitMs, entrypoint } = this.#options;
    const { wasm, data, revision, digest } = await readApart({ bytes, trust, entrypoint }, (read) => (this.#fetched = read));
    const thread = new PolicyThreads({ wasm, data, entrypoints: [entrypoint] }, timeLimitMs, this.#options.ready);
    try {
      await thread.start();
    } catch (error) {
      await thread.close();
      throw error;
    }
    if (this.#stop.signal.aborted) return thread.close();
    const old = this.#inForce?.thread;
    this.#inForce = { bundle: { revision, digest }, thread };
    this.#etag = etag;
    old?.retire();
  }

  #tell(error: unknown): void {
    const known = error instanceof BautaError ? error : unreachable(error);
    this.#refused = known.code;
    const told = `${known.code} ${this.#fetched}`;
    if (told === this.#told) return;
    this.#told = told;
    this.#options.onRefused?.({ error: known, digest: this.#fetched === '' ? null : this.#fetched, inForce: this.bundle });
  }
}

/** What was kept, or undefined; whether it may be used is looked at like at any other. */
async function readKept(folder: string): Promise<Fetched | undefined> {
  try {
    const [bytes, etag] = await Promise.all([readFile(join(folder, 'bundle.tar.gz')), readFile(join(folder, 'etag'), 'utf8')]);
    return { bytes, etag };
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    timer.unref();
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

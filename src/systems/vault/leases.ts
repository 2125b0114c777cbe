// Logins that Vault makes for a while: leased when a run begins, kept alive while it goes on, given back whatever became of it.
import { type BautaError, toError, toKnownError } from '../../kernel/errors.js';
import type { Answer, Ask } from './session.js';

type AskVault = (ask: Ask) => Promise<Answer | undefined>;

/** Where the names of leases are kept while somebody has them. */
export interface LeaseKeeping {
  add(lease: string): Promise<void>;
  remove(lease: string): void;
  findLeft(): readonly string[];
}

/** A Vault that is away may be there again before the lease ends; so often it is asked until then. */
const TRIES = 10;
const GIVE_BACK_MS = 10_000;

interface Next {
  /** When the lease ends unless it is renewed; of performance.now(). */
  readonly endsAt: number;
  readonly renewable: boolean;
  readonly inMs: number;
  /** The last renewal was in vain, and for what. */
  readonly why?: BautaError;
}

export class Leases {
  private readonly held = new Map<string, NodeJS.Timeout | undefined>();
  private readonly stop = new AbortController();

  constructor(
    private readonly ask: AskVault,
    private readonly keeping: LeaseKeeping,
  ) {}

  /** Aborted when a login cannot be kept alive; its reason says why. */
  get lost(): AbortSignal {
    return this.stop.signal;
  }

  /** Takes over what Vault just gave. Throws HOME_UNWRITABLE, and has given it back then. */
  async take(answer: Answer): Promise<void> {
    const { lease_id: id, lease_duration: seconds, renewable } = answer;
    if (typeof id !== 'string' || typeof seconds !== 'number' || seconds <= 0) throw toError('VAULT_ANSWER_REFUSED');
    try {
      await this.keeping.add(id);
    } catch (error) {
      await this.giveBack(id);
      throw error;
    }
    this.held.set(id, undefined);
    this.keep(id, seconds, { endsAt: performance.now() + seconds * 1000, renewable: renewable === true, inMs: (seconds * 1000 * 2) / 3 });
  }

  /** Gives back all of them. What Vault does not take now stays on record for the next start, and ends by its time at the latest. */
  async close(): Promise<void> {
    const ids = [...this.held.keys()];
    for (const timer of this.held.values()) clearTimeout(timer);
    this.held.clear();
    await Promise.all(ids.map((id) => this.giveBack(id)));
  }

  /** Gives back what processes left that are gone. */
  async closeLeft(): Promise<void> {
    await Promise.all(this.keeping.findLeft().map((id) => this.giveBack(id)));
  }

  private async giveBack(id: string): Promise<void> {
    // By the path and not by the body: so a policy can say whose.
    const path = `sys/leases/revoke/${id}`;
    const done = await this.ask({ method: 'POST', path, body: { sync: true }, waitMs: GIVE_BACK_MS }).then(
      () => true,
      (error: unknown) => toKnownError(error).code === 'VAULT_REQUEST_REFUSED',
    );
    if (done) this.keeping.remove(id);
  }

  private keep(id: string, seconds: number, next: Next): void {
    const timer = setTimeout(() => void this.renew(id, seconds, next), Math.min(Math.max(next.inMs, 100), 2_000_000_000));
    timer.unref();
    this.held.set(id, timer);
  }

  private async renew(id: string, seconds: number, { endsAt, renewable, why }: Next): Promise<void> {
    const left = endsAt - performance.now();
    if (left <= 0) return this.lose(id, why ?? toError('VAULT_LEASE_LOST'));
    if (!renewable) return this.keep(id, seconds, { endsAt, renewable, inMs: left });
    try {
      const answer = await this.ask({ method: 'POST', path: 'sys/leases/renew', body: { lease_id: id, increment: seconds }, waitMs: 0 });
      if (!this.held.has(id)) return;
      const granted = answer?.['lease_duration'];
      if (typeof granted !== 'number' || granted <= 0) return this.lose(id, toError('VAULT_LEASE_LOST'));
      // So near to the end that nobody may put off: it is left to come.
      const nearsEnd = granted < seconds / 4;
      const inMs = nearsEnd ? granted * 1000 : (granted * 1000 * 2) / 3;
      this.keep(id, seconds, { endsAt: performance.now() + granted * 1000, renewable: !nearsEnd, inMs });
    } catch (error) {
      if (!this.held.has(id)) return;
      const known = toKnownError(error);
      if (known.class !== 'UnavailableError') return this.lose(id, toError('VAULT_LEASE_LOST'));
      this.keep(id, seconds, { endsAt, renewable, why: known, inMs: Math.min((seconds * 1000) / 3 / TRIES, endsAt - performance.now()) });
    }
  }

  /** It stays held, so that it is given back all the same: Vault may have forgotten it, or only us. */
  private lose(id: string, reason: BautaError): void {
    this.held.set(id, undefined);
    this.stop.abort(reason);
  }
}

// Tokens that are kept, in a run: each batch's values are looked up, and what has none gets one, in one transaction with what the log is told of it.
import { type Clock, systemClock, toTimestamp } from '../../kernel/clock.js';
import { toKnownError } from '../../kernel/errors.js';
import { NotOfForm, type VaultedExchange, type VaultedValues } from '../../pipeline/mask/mask.js';
import { toTokenEnvironment } from '../../pipeline/definition.js';
import type { Plan } from '../../pipeline/plan.js';
import type { KeyProvider } from '../../pipeline/ports.js';
import type { OpenVault } from '../../pipeline/run.js';
import type { Metadata, RunRow, Transaction } from '../../systems/metadata/metadata.js';
import { KeptTokens } from '../tokens/tokens.js';

/** So many values of a domain are exchanged before the log is told again. A worker that is killed leaves no more than these unsaid. */
const SAY_EACH = 100_000;
const TRIES = 3;

type RunOf = Pick<RunRow, 'id' | 'workspaceId'>;

export function toRunVault(metadata: Metadata, run: RunOf): OpenVault {
  return (keys, plan) => new RunVault(metadata, run, keys, plan, systemClock);
}

/** Exchanged, and in no entry of the log yet. */
interface Tally {
  count: number;
  made: number;
}

class RunVault implements VaultedExchange {
  private readonly domains = new Map<string, KeptTokens>();
  private readonly tallies = new Map<string, Tally>();

  constructor(
    private readonly metadata: Metadata,
    private readonly run: RunOf,
    private readonly keys: KeyProvider,
    private readonly plan: Plan,
    private readonly clock: Clock,
  ) {}

  async toTokens({ domain, params, values, subjects }: VaultedValues): Promise<readonly string[]> {
    if (values.length === 0) return [];
    const exchange = this.open(domain, params);
    const known = this.tallies.get(domain);
    const tally = known ?? { count: 0, made: 0 };
    if (!known) this.tallies.set(domain, tally);
    // The first batch is said at once, so that no run exchanges anything that the log knows nothing of.
    const due = !known || tally.count + values.length >= SAY_EACH ? take(tally) : undefined;
    try {
      const { tokens, made } = await this.patiently(async (transaction) => {
        const kept = await exchange.toTokens(transaction, values, subjects);
        if (due) await this.say(transaction, domain, { count: due.count + values.length, made: due.made + kept.made });
        return kept;
      });
      if (!due) add(tally, { count: values.length, made });
      return tokens;
    } catch (error) {
      if (due) add(tally, due);
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const [domain, tally] of this.tallies) {
      const said = take(tally);
      if (said.count > 0) await this.patiently((transaction) => this.say(transaction, domain, said));
    }
  }

  private open(domain: string, params: VaultedValues['params']): KeptTokens {
    const known = this.domains.get(domain);
    if (known) return known;
    const { workspace, pipeline, tokenKeyVersion: keyVersion } = this.plan;
    const environment = toTokenEnvironment(this.plan.environment, this.plan.facts.target.keys);
    const of = { scope: { workspace, environment }, domain, params, purpose: `run of ${pipeline}` };
    const made = new KeptTokens(this.keys, { ...of, ...(keyVersion !== undefined && { keyVersion }) });
    this.domains.set(domain, made);
    return made;
  }

  /** Two transactions that stand in each other's way are no reason to begin a run anew: one of them is tried again. */
  private async patiently<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      let misfit: NotOfForm | undefined;
      try {
        return await this.metadata.within(this.run.workspaceId, (transaction) =>
          work(transaction).catch((error: unknown) => {
            if (error instanceof NotOfForm) misfit = error;
            throw error;
          }),
        );
      } catch (error) {
        // Whatever is not of ours the database is taken to have thrown.
        if (misfit) throw misfit;
        if (tried === TRIES || toKnownError(error).where.sqlState?.startsWith('40') !== true) throw error;
      }
    }
  }

  private say(transaction: Transaction, domain: string, said: Tally): Promise<void> {
    const { pipeline, environment, source } = this.plan;
    const from = `${source.systemIdentifier}/${source.database}`;
    const data = { action: 'tokenise', environment, domain, ...said, keyVersion: null, run: this.run.id, pipeline, source: from };
    return transaction.audit({ type: 'tokens.exchanged', at: toTimestamp(this.clock.now()), data });
  }
}

function take(tally: Tally): Tally {
  const taken = { ...tally };
  Object.assign(tally, { count: 0, made: 0 });
  return taken;
}

function add(tally: Tally, { count, made }: Tally): void {
  tally.count += count;
  tally.made += made;
}

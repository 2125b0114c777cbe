// Asks the gate for those who are told later, and tells them. Every process may look; the lock of its row lets one of them do it. A process that dies
// in between leaves it to another, which tells the same verdict: what was decided is kept before anybody is told.
import type { Settings } from '../../config/settings.js';
import type { BautaError } from '../../kernel/errors.js';
import { toError, toKnownError } from '../../kernel/errors.js';
import { systemClock, toTimestamp } from '../../kernel/clock.js';
import type { GateCallers } from '../../pipeline/gate-callers.js';
import type { HttpClient } from '../../systems/http/http.js';
import type { CallbackRow, Metadata, Verdict } from '../../systems/metadata/metadata.js';
import { type Grants, createReadSecret } from '../references.js';
import { Rounds } from '../rounds.js';
import { createReadStored } from '../stores.js';
import type { Asked } from './asked.js';
import { toComment } from './comment.js';
import type { GateDoors } from './gate-doors.js';
import { findGate } from './gate-facts.js';
import { unseal } from './seal.js';
import { takeDecision } from './take-decision.js';
import { CallAgain, tell } from './tell.js';

export interface CallbackOptions {
  readonly metadata: Metadata;
  readonly doors: GateDoors;
  readonly http: HttpClient;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly grants: Grants;
  readonly serverKey: Uint8Array;
  /** Told of what goes wrong with looking; what goes wrong with a callback is in its row. */
  readonly failed: (error: unknown) => void;
  /** For tests: how long is waited after the first try. */
  readonly firstWaitMs?: number;
}

const LEASE_MS = 30_000;
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [5_000, 600_000];
const KEPT_DAYS = 90;
/** The comment of GitHub. */
const LIMIT = 1024;

export class CallbackSender {
  private readonly rounds: Rounds;

  constructor(private readonly options: CallbackOptions) {
    this.rounds = new Rounds(() => this.lookOnce(), options.settings.BAUTA_NOTIFY_MS, options.failed);
  }

  /** Never throws. */
  look(): Promise<void> {
    return this.rounds.run();
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async lookOnce(): Promise<void> {
    const { metadata, failed } = this.options;
    const due = await metadata.query<{ workspace_id: string; id: string }>('SELECT * FROM bauta.find_due_callbacks()');
    await Promise.all(due.map(({ workspace_id, id }) => this.deliver(workspace_id, id).catch(failed)));
  }

  private async deliver(workspaceId: string, id: string): Promise<void> {
    const { metadata } = this.options;
    const row = await metadata.within(workspaceId, ({ callbacks }) => callbacks.claim(id, LEASE_MS));
    if (!row) return;
    const told = await this.answer(workspaceId, row).catch((error: unknown) => toKnownError(error));
    await this.record(workspaceId, row, told);
  }

  /** The verdict that was told. */
  private async answer(workspaceId: string, row: CallbackRow): Promise<Verdict> {
    const { metadata, http, settings, environment, grants, serverKey } = this.options;
    const nowMs = Date.now();
    if (nowMs > row.untilAt.getTime()) throw toError('CALLBACK_LATE');
    const { callers = {} } = (await metadata.within(workspaceId, (transaction) => findGate(transaction, row.gate))).gate;
    const isGood = row.verdict !== null && nowMs < Date.parse(row.verdict.expiresAt);
    const verdict = isGood && row.verdict ? row.verdict : await this.decide(workspaceId, row, callers);
    const read = createReadSecret({
      ...{ environment, settings, grants, workspace: await metadata.workspaceName(workspaceId) },
      readStored: createReadStored(settings, environment),
    });
    const token = row.sealed === null ? undefined : unseal(row.sealed, `${workspaceId} ${row.id}`, serverKey);
    await tell({ http, nowMs, read, callers, row, verdict, token });
    return verdict;
  }

  /** Durable before anybody is told. */
  private async decide(workspaceId: string, { id, gate, via, asked, place }: CallbackRow, callers: GateCallers): Promise<Verdict> {
    const { metadata, doors } = this.options;
    if (!callers[via]) throw toError('CALLER_UNKNOWN', { name: via });
    const { person } = place as { readonly person?: string };
    const asking = { workspaceId, via, ...(person === undefined ? {} : { personId: person }) };
    const answer = await takeDecision({ metadata, doors, clock: systemClock }, asking, gate, asked as unknown as Asked);
    const { decisionId, allow, expiresAt } = answer;
    const verdict = { decisionId, allow, expiresAt, comment: toComment(gate, answer, LIMIT) };
    await metadata.within(workspaceId, ({ callbacks }) => callbacks.decide(id, verdict));
    return verdict;
  }

  private async record(workspaceId: string, { id, gate, via, attempts, untilAt }: CallbackRow, told: Verdict | BautaError): Promise<void> {
    await this.options.metadata.within(workspaceId, async (transaction) => {
      if ('class' in told && told.class === 'UnavailableError') {
        const usual = Math.min((this.options.firstWaitMs ?? FIRST_WAIT_MS) * 2 ** (attempts - 1), LONGEST_WAIT_MS);
        const wait = Math.max(usual * (0.75 + Math.random() / 2), told instanceof CallAgain ? told.afterMs : 0);
        // The last try is at the end, not after it.
        const left = untilAt.getTime() - Date.now();
        return transaction.callbacks.retry(id, left > 2_000 ? Math.min(wait, left - 1_000) : wait, told.code);
      }
      const error = 'class' in told ? told.code : null;
      await transaction.callbacks.end(id, error === null ? 'told' : 'dead', error);
      const said = 'class' in told ? { error } : { decision: told.decisionId, allow: told.allow };
      const data = { callback: id, gate, via, attempts, ...said };
      await transaction.audit({ type: error === null ? 'callback.told' : 'callback.dead', at: toTimestamp(Date.now()), data });
      await transaction.callbacks.forget(KEPT_DAYS);
    });
  }
}

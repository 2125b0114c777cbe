// Decisions are taken back by what happens afterwards: a finding, drift, the end of a version, of evidence or of a waiver. What happened was noted in
// its own transaction; every process looks, and the row of the deployment lets one of them flip its decision, with everything that follows from it.
import { randomUUID } from 'node:crypto';

import { type Clock, toTimestamp } from '../../kernel/clock.js';
import type { Decision, GateInput } from '../../pipeline/decision.js';
import type { DecisionRecord } from '../../pipeline/gate/gate.js';
import type { Deployment, Metadata, Transaction } from '../../systems/metadata/metadata.js';
import { tellMark } from '../datasets/datasets.js';
import { Rounds, forEach } from '../rounds.js';
import type { GateDoors } from './gate-doors.js';
import { type KnownToday, toNextEnd, toQuestionToday, toSubjectsOf } from './same-question.js';

const LOOK_MS = 1000;
/** Of clocks, and of transactions that began before and ended after. */
const OVERLAP_MS = 60_000;

export interface FlipClockOptions {
  readonly metadata: Metadata;
  readonly doors: GateDoors;
  readonly clock: Clock;
  /** Told of every failure; the next look tries again. */
  readonly failed: (error: unknown) => void;
  /** For tests: how often it looks by itself; 0: never. */
  readonly lookMs?: number;
}

export class FlipClock {
  private readonly rounds: Rounds;
  private seenTo = Date.now();

  constructor(private readonly options: FlipClockOptions) {
    this.rounds = new Rounds(() => this.lookOnce(), options.lookMs ?? LOOK_MS, options.failed);
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
    const found = await metadata.query<{ workspace_id: string }>('SELECT workspace_id FROM bauta.find_rechecks()');
    await forEach(found, failed, ({ workspace_id }) => this.checkAll(workspace_id));
    await this.forgetFlipped();
  }

  private async checkAll(workspaceId: string): Promise<void> {
    const { metadata, failed } = this.options;
    const { happened, deployments } = await metadata.within(workspaceId, (transaction) => transaction.deployments.toCheck());
    let unchecked = 0;
    const note = (error: unknown): void => {
      unchecked++;
      failed(error);
    };
    await forEach(deployments, note, (one) => this.check(workspaceId, one));
    // Only now: whoever dies before, or could not ask about one of them, leaves it to the next look.
    if (happened.length > 0 && unchecked === 0)
      await metadata.within(workspaceId, (transaction) => transaction.deployments.forget(happened));
  }

  /** Whoever flipped it: what this process remembers of it is not answered any more. */
  private async forgetFlipped(): Promise<void> {
    const { metadata, doors } = this.options;
    const before = Date.now();
    const found = await metadata.query<{ workspace_id: string; gate: string; environment: string; service: string }>(
      'SELECT workspace_id, gate, environment, service FROM bauta.find_flips($1)',
      [new Date(this.seenTo - OVERLAP_MS)],
    );
    for (const { workspace_id, gate, environment, service } of found) doors.memory.forget(workspace_id, gate, environment, service);
    this.seenTo = before;
  }

  private async check(workspaceId: string, deployment: Deployment): Promise<void> {
    const { metadata, doors, clock } = this.options;
    const nowMs = clock.now();
    const { row, dataset } = await metadata.within(workspaceId, async ({ decisions, datasets }) => ({
      row: await decisions.find(deployment.decisionId),
      dataset: deployment.dataset === null ? undefined : await datasets.find(deployment.dataset),
    }));
    if (!row) return;
    const question = (row.record as unknown as DecisionRecord).input;
    const today: KnownToday = { evidence: await doors.readEvidence(workspaceId, toSubjectsOf(question), nowMs), dataset, nowMs };
    const { added, revokes } = await this.compare(question, toQuestionToday(question, today));
    await metadata.within(workspaceId, async (transaction) => {
      if (added.length === 0) await transaction.deployments.stands(deployment, toNextEnd(today));
      else await flip(transaction, { deployment, added, revokes, nowMs });
    });
  }

  /** By the policy of today, both: what a newer policy has against the old question is nothing that happened. */
  private async compare(
    then: GateInput,
    today: GateInput,
  ): Promise<{ readonly added: Decision['reasons']; readonly revokes: readonly string[] }> {
    const policy = await this.options.doors.getPolicy();
    const [before, now] = [await policy.decide(then), await policy.decide(today)];
    const known = new Set(before.reasons.map(({ code }) => code));
    return {
      added: now.reasons.filter(({ code }) => !known.has(code)),
      revokes: (now.revokes ?? []).filter((code) => !known.has(code)),
    };
  }
}

interface Flipping {
  readonly deployment: Deployment;
  readonly added: Decision['reasons'];
  readonly revokes: readonly string[];
  readonly nowMs: number;
}

/** All of it or nothing: the flip, the revocation, the entry of the log, and what channels are told. */
async function flip(transaction: Transaction, { deployment, added, revokes, nowMs }: Flipping): Promise<void> {
  const { decisionId, gate, environment, service, commit, image } = deployment;
  const revoked = revokes.length > 0 && deployment.dataset !== null ? await findRevocable(transaction, deployment.dataset) : undefined;
  const [key, at, codes] = [randomUUID(), toTimestamp(nowMs), [...new Set(added.map(({ code }) => code))]];
  const flipped = await transaction.deployments.flip(deployment, {
    ...{ decisionId, key, at: new Date(nowMs), reasons: added, revoked: revoked?.runId ?? null },
  });
  if (!flipped) return;
  if (revoked) {
    await transaction.datasets.revoke(revoked.runId);
    const reason = `the decision ${decisionId} of the gate ${gate} was flipped: ${revokes.join(', ')}`;
    await tellMark(transaction, revoked, { type: 'dataset.revoked', reason }, nowMs);
  }
  const data = { decision: decisionId, gate, environment, service, commit, image, codes, revoked: revoked?.runId ?? null };
  await transaction.auditAll([{ event: { type: 'deployment.flipped', at, data }, key }]);
  const told = { decision: decisionId, gate, environment, service, ...(codes[0] === undefined ? {} : { code: codes[0] }) };
  await transaction.notifications.note({ type: 'deployment.flipped', at, data: told });
}

async function findRevocable({ datasets }: Transaction, runId: string): Promise<Awaited<ReturnType<Transaction['datasets']['lock']>>> {
  const row = await datasets.lock(runId);
  return row?.revokedAt === null && row.droppedAt === null ? row : undefined;
}

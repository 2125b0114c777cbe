// One step of a playbook, taken once more: each looks what is still to be done and does that, so that taking it twice changes nothing.
import type { Clock } from '../../kernel/clock.js';
import { toTimestamp } from '../../kernel/clock.js';
import type { Json } from '../../kernel/canonical-json.js';
import type { ErrorView } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';
import type { PlaybookStep } from '../../pipeline/playbook.js';
import type { DatasetRow, ErrandRow, IncidentRow, IncidentStep, StepState, Transaction } from '../../systems/metadata/metadata.js';
import { openApproval } from '../approvals/approvals.js';
import { tellMark } from '../datasets/datasets.js';
import { giveBack } from '../environments/environments.js';
import { requestCollection, requestQuarantine, settleLost, toThrown } from '../errands/errands.js';
import { cancelRun } from '../runs/runs.js';
import type { LiftingFreeze } from './incident-consequence.js';

export interface Taking {
  readonly transaction: Transaction;
  readonly incident: IncidentRow;
  readonly step: IncidentStep;
  readonly steps: readonly IncidentStep[];
  readonly clock: Clock;
  readonly approvalHours: number;
}

/** `asked`: somebody else is at it, and it is looked at again. */
export interface Taken {
  readonly state: StepState;
  readonly detail?: Json;
  /** What a worker was asked for; null: nothing any more. */
  readonly errand?: string | null;
  readonly error?: ErrorCode;
}

/** Throws what was in the way. */
export const takeStep = (taking: Taking): Promise<Taken> => ways[taking.step.step](taking);

const ways: Readonly<Record<PlaybookStep, (taking: Taking) => Promise<Taken>>> = {
  freeze,
  'flip-gates': flipGates,
  'revoke-credentials': revokeCredentials,
  'stop-agents': stopAgents,
  quarantine,
  'collect-evidence': (taking) => collect(taking, 'evidence'),
  'breach-worksheet': (taking) => collect(taking, 'worksheet'),
  'open-approval': askToLift,
  notify,
};

/** That nothing new begins holds since the incident was opened; what is under way is ended. */
async function freeze({ transaction, incident: { environment, pipeline, answeredBy }, clock, step }: Taking): Promise<Taken> {
  const open = await transaction.incidents.openRuns(environment, pipeline);
  for (const id of open) await cancelRun(transaction, id, { actor: answeredBy, nowMs: clock.now() });
  const left = await transaction.incidents.openRuns(environment, pipeline);
  const { runs = [] } = (step.detail ?? {}) as { readonly runs?: readonly string[] };
  return { state: left.length === 0 ? 'done' : 'asked', detail: { runs: [...new Set([...runs, ...open])] } };
}

/** Versions that are current. A run that was under way may have published one a moment ago: until none is, it is looked at again. */
const findCurrent = ({ transaction, incident: { environment, pipeline } }: Taking): Promise<readonly DatasetRow[]> =>
  transaction.datasets.list(50, { pipeline, environments: [environment] });

const isSettled = ({ steps }: Taking): boolean => steps.every(({ step, endedAt }) => step !== 'freeze' || endedAt !== null);

/** A version that is revoked is refused by every gate, and deployments that stand by it are flipped. */
async function flipGates(taking: Taking): Promise<Taken> {
  const { transaction, incident, clock, step } = taking;
  const { versions = [] } = (step.detail ?? {}) as { readonly versions?: readonly string[] };
  const flipped: string[] = [...versions];
  for (const { runId } of await findCurrent(taking)) {
    const row = await transaction.datasets.lock(runId);
    if (!row || row.revokedAt !== null || row.droppedAt !== null) continue;
    await transaction.datasets.revoke(runId);
    await tellMark(transaction, row, { type: 'dataset.revoked', reason: `incident ${incident.id}` }, clock.now());
    flipped.push(runId);
  }
  return { state: isSettled(taking) ? 'done' : 'asked', detail: { versions: flipped } };
}

/** Clones with their logins and links; what was handed out of an archive is refused from `flip-gates` on, and what somebody has already is with him. */
async function revokeCredentials({ transaction, incident, clock, step }: Taking): Promise<Taken> {
  const { environment, pipeline, answeredBy: actor } = incident;
  const { clones = [] } = (step.detail ?? {}) as { readonly clones?: readonly string[] };
  const there = (await transaction.clones.list(environment, 10_000)).filter((one) => one.pipeline === pipeline && one.endedAt === null);
  for (const { id } of there) {
    const row = await transaction.clones.find(id, 'FOR UPDATE');
    if (row?.state === 'making' || row?.state === 'ready') await giveBack(transaction, row, { nowMs: clock.now(), why: 'asked', actor });
  }
  return { state: there.length === 0 ? 'done' : 'asked', detail: { clones: [...new Set([...clones, ...there.map(({ id }) => id)])] } };
}

/** Of the environment: they are sent nothing more, and nobody new gets in. What an agent has loaded stays where it is. */
async function stopAgents({ transaction, incident: { environment, answeredBy: actor }, clock }: Taking): Promise<Taken> {
  const at = toTimestamp(clock.now());
  const agents = (await transaction.agents.of(environment)).filter(({ revokedAt }) => revokedAt === null);
  for (const { agentId } of agents)
    if (await transaction.agents.revoke(environment, agentId, actor))
      await transaction.audit({ type: 'agent.revoked', at, actor, data: { environment, agent: agentId } });
  const invitations = await transaction.agents.endInvites(environment);
  const isNothing = agents.length === 0 && invitations === 0;
  return { state: isNothing ? 'skipped' : 'done', detail: { agents: agents.map(({ agentId }) => agentId), invitations } };
}

/** By a worker, which alone has the connection: nobody of the environment may connect any more, and sessions are ended. */
async function quarantine(taking: Taking): Promise<Taken> {
  const { transaction, incident, clock } = taking;
  const before = await ended(taking);
  if (before === 'under way') return { state: 'asked' };
  // A broker's consumers are not ours to stop: `stop-agents` is what there is.
  if (before?.error && (before.error as unknown as ErrorView).code === 'STREAM_CANNOT')
    return { state: 'skipped', error: 'STREAM_CANNOT', errand: null };
  if (before?.error) throw toThrown(before.error);
  const current = await findCurrent(taking);
  const [next] = current.filter(({ quarantinedAt }) => quarantinedAt === null);
  const run = next && (await transaction.runs.find(next.runId));
  const detail = { versions: current.filter(({ quarantinedAt }) => quarantinedAt !== null).map(({ runId }) => runId) };
  if (!run) return { state: !isSettled(taking) ? 'asked' : current.length === 0 ? 'skipped' : 'done', detail, errand: null };
  const { id } = await requestQuarantine(transaction, run, { requestedBy: incident.answeredBy, nowMs: clock.now() });
  return { state: 'asked', errand: id, detail };
}

async function collect(taking: Taking, what: 'evidence' | 'worksheet'): Promise<Taken> {
  const { transaction, incident, clock } = taking;
  const before = await ended(taking);
  if (before === 'under way') return { state: 'asked' };
  if (before?.error) throw toThrown(before.error);
  if (before) return { state: 'done', detail: before.result, errand: null };
  const wanted = { what, incident: incident.id, from: toTimestamp(incident.evidenceFrom.getTime()), to: toTimestamp(clock.now()) };
  const { environment, answeredBy: requestedBy } = incident;
  const { id } = await requestCollection(transaction, { environment, requestedBy, nowMs: clock.now(), wanted });
  return { state: 'asked', errand: id };
}

/** What the worker came to; undefined: none was asked since the last try. */
async function ended({ transaction, step: { errand, state } }: Taking): Promise<ErrandRow | 'under way' | undefined> {
  if (errand === null || state === 'waiting') return undefined;
  const row = await settleLost(transaction, errand);
  return row.endedAt === null ? 'under way' : row;
}

async function askToLift({ transaction, incident, clock, approvalHours }: Taking): Promise<Taken> {
  const { id, rule, environment, pipeline, openedBy } = incident;
  const subject: LiftingFreeze = { incident: id, rule, environment, dataset: pipeline };
  const authorIds = openedBy === null ? [] : [openedBy];
  const wanted = {
    kind: 'incident' as const,
    requestedBy: openedBy,
    authorIds,
    environments: [environment],
    subject,
    thing: { ...subject },
  };
  const approval = await openApproval(transaction, wanted, { nowMs: clock.now(), hours: approvalHours });
  return { state: 'done', detail: { approval: approval.id } };
}

async function notify({ transaction, incident, steps, clock }: Taking): Promise<Taken> {
  const { id, rule, environment, pipeline } = incident;
  const failed = steps.filter(({ state }) => state === 'failed').map(({ step }) => step);
  const data = { incident: id, rule, environment, pipeline, ...(failed.length === 0 ? {} : { step: failed.join(', ') }) };
  await transaction.notifications.note({ type: 'incident.carried-out', at: toTimestamp(clock.now()), data });
  return { state: 'done', detail: { failed } };
}

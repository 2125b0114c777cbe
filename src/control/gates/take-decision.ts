// One decision about a deployment: facts, policy, record, answer. Nobody is answered before record and entry of the log are durable, and what could not
// be decided is no answer but an error.
import { randomUUID } from 'node:crypto';

import { type Clock, toTimestamp } from '../../kernel/clock.js';
import type { Json } from '../../kernel/canonical-json.js';
import { digestJson } from '../../kernel/digest.js';
import { BautaError, toError } from '../../kernel/errors.js';
import type { Decision, GateInput } from '../../pipeline/decision.js';
import type { GateCallers } from '../../pipeline/gate-callers.js';
import { type DecisionRecord, toDecisionRecord } from '../../pipeline/gate/gate.js';
import type { AuditEvent, Metadata } from '../../systems/metadata/metadata.js';
import { type Asked, digestOf } from './asked.js';
import type { Booked } from './decision-book.js';
import type { GateDoors } from './gate-doors.js';
import { type GateFacts, readFacts } from './gate-facts.js';
import { type Answer, toAnswer } from './to-answer.js';

/** Path of the question in the bundle; the manifest's entrypoint is the same. */
const path = 'deploy/gate/decision';

export interface DecisionDoors {
  readonly metadata: Metadata;
  readonly doors: GateDoors;
  readonly clock: Clock;
}

/** Who asks: a person, or a native caller, which may leave out what a pipeline said of the same before. */
export interface Asking {
  readonly workspaceId: string;
  readonly personId?: string;
  readonly via?: keyof GateCallers;
}

export async function takeDecision(opened: DecisionDoors, asking: Asking, name: string, asked: Asked): Promise<Answer> {
  const { answer, ...booked } = await weigh(opened, asking, name, asked);
  const place = await opened.doors.book.keep(asking.workspaceId, booked);
  return place ? { ...answer, log: place } : answer;
}

/** What would be decided. Nothing of it is kept: nobody may go ahead by it. */
export async function weigh(
  { metadata, doors, clock }: DecisionDoors,
  asking: Asking,
  name: string,
  said: Asked,
): Promise<Booked & { readonly answer: Answer }> {
  const { workspaceId, via } = asking;
  const nowMs = clock.now();
  const facts = await readFacts(metadata, doors.readEvidence, { workspaceId, name, asked: said, recalls: via !== undefined, nowMs });
  const { asked } = facts;
  const { decision, tookNs } = await decideOrThrow(doors, facts.question);
  const answer = toAnswer(decision, facts, nowMs);
  const record = toRecord(decision, facts.question, { nowMs, tookNs });
  const row = {
    ...{ id: decision.decisionId, key: randomUUID(), gate: name, environment: asked.environment, service: asked.service },
    ...{ decidedAt: new Date(nowMs), allow: answer.allow, enforced: answer.enforced ?? true },
    answer: answer as unknown as Json,
    record: record as unknown as Json,
  };
  const { commit = null, image = null } = asked;
  const deployment = {
    ...{ gate: name, environment: asked.environment, service: asked.service, decisionId: row.id, decidedAt: row.decidedAt, commit },
    ...{ image: image === null ? null : digestOf(image), dataset: facts.dataset?.runId ?? null },
  };
  return { answer, row, event: toEvent({ asking, facts, answer, record }), ...(decision.allow ? { deployment } : {}) };
}

async function decideOrThrow(doors: GateDoors, question: GateInput): Promise<{ readonly decision: Decision; readonly tookNs: number }> {
  const startedAt = performance.now();
  try {
    const policy = await doors.getPolicy();
    const decision = await policy.decide(question);
    return { decision, tookNs: Math.round((performance.now() - startedAt) * 1e6) };
  } catch (error) {
    throw toError('DEPLOYMENT_UNDECIDED', { name: error instanceof BautaError ? error.code : 'the policy failed' });
  }
}

function toRecord(decision: Decision, question: GateInput, { nowMs, tookNs }: { nowMs: number; tookNs: number }): DecisionRecord {
  const record = toDecisionRecord(decision, question, { atMs: nowMs, metrics: { timer_server_handler_ns: tookNs } });
  return { ...record, path, result: toResult(decision) };
}

/** What has to be the same when it is taken again. */
export function toResult({ allow, reasons, score, missing }: Decision): Json {
  return { allow, reasons, score, missing } as unknown as Json;
}

interface Told {
  readonly asking: Asking;
  readonly facts: GateFacts;
  readonly answer: Answer;
  readonly record: DecisionRecord;
}

/** Names, codes, counts and digests. What a gate does not name the caller may have made up: its name stays out of the log. */
function toEvent({ asking: { personId: actor, via }, facts, answer, record }: Told): AuditEvent {
  const inScope = !answer.reasons.some(({ code }) => code === 'GATE_OUT_OF_SCOPE');
  const { environment, service, commit = null, image = null } = facts.asked;
  const data: Readonly<Record<string, Json>> = {
    ...{ decision: answer.decisionId, gate: facts.gate.name, gateVersion: facts.version },
    ...{ environment: inScope ? environment : null, service: inScope ? service : null, commit },
    ...{ image: image === null ? null : digestOf(image), dataset: facts.dataset?.runId ?? null },
    ...{ allow: answer.allow, enforced: answer.enforced ?? true, codes: [...new Set(answer.reasons.map(({ code }) => code))] },
    ...{ score: answer.score, threshold: answer.threshold, waived: answer.waived.map(({ evidenceId }) => evidenceId) },
    ...{ policy: { ...answer.policy }, ...(answer.others.length === 0 ? {} : { others: answer.others }) },
    ...{ inputsDigest: answer.inputsDigest, recordDigest: digestJson(record as unknown as Json) },
    expiresAt: answer.expiresAt,
    ...(via === undefined ? {} : { via }),
  };
  return { type: 'deployment.decided', at: toTimestamp(Date.parse(answer.evaluatedAt)), ...(actor === undefined ? {} : { actor }), data };
}

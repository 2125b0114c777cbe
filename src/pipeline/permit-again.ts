// What was allowed once is asked again before it is used again: a version that becomes current anew, is cloned or is handed out was decided on by
// the policy of its day. The question is the one that its run asked, with the time, keys and sources of now.
import { toSqlName } from '../kernel/sql-name.js';
import type { Json } from '../kernel/canonical-json.js';
import type { Clock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import type { Journal } from './audit/audit.js';
import type { Decision, GateInput } from './decision.js';
import { type KnownSource, decide } from './gate/gate.js';
import { readErasureFacts } from './pending-erasure.js';
import { isRevoked } from './mark-version.js';
import type { AuditSink, DatasetVersion, KeyProvider, Policy } from './ports.js';

/** The event in which a run keeps its question, right before it publishes. */
export const questionType = 'gate.asked';

const dayMs = 86_400_000;

export interface PermitDoors {
  readonly sink: AuditSink;
  readonly policy: Policy;
  readonly keys: Pick<KeyProvider, 'expiresAt'>;
  readonly clock: Clock;
}

type Used = Pick<DatasetVersion, 'target' | 'version' | 'runId' | 'planDigest'>;

/** Tells the log what was decided. Throws DATASET_REVOKED, ERASURE_PENDING, GATE_DENIED_AGAIN, or GATE_QUESTION_MISSING where the log does not have the question of the version. */
export async function permitAgain(
  doors: PermitDoors,
  journal: Journal,
  used: Used,
  knownSources: readonly KnownSource[] = [],
): Promise<Decision> {
  const { target, version } = used;
  const decision = await decideAgain(doors, journal, used, knownSources);
  if (decision.allow) return decision;
  const codes = decision.reasons.map(({ code }) => code);
  const [own] = codes.filter(isOwn);
  const where = { stage: 'gate', name: target, amount: String(version) };
  throw own ? toError(own, where) : toError('GATE_DENIED_AGAIN', { ...where, expected: codes.join(', ') });
}

/** What the policy says of it today, told to the log. Throws GATE_QUESTION_MISSING, or DATASET_REVOKED of a version that was. */
export async function decideAgain(
  doors: PermitDoors,
  journal: Journal,
  { target, version, runId, planDigest }: Used,
  knownSources: readonly KnownSource[] = [],
): Promise<Decision> {
  const asked = (await doors.sink.read([questionType], runId)).map(({ data }) => data['input'] as unknown as GateInput);
  // Of several attempts the one that published has its plan in the version's comment.
  const question = asked.findLast((input) => input['planDigest'] === planDigest);
  const revoked = await isRevoked(doors.sink, runId);
  // Without a question nobody is asked; what is known without one is the better reason.
  if (!question)
    throw toError(revoked ? 'DATASET_REVOKED' : 'GATE_QUESTION_MISSING', { stage: 'gate', name: target, amount: String(version) });
  const { systemIdentifier: server } = question['target'] as { readonly systemIdentifier: string };
  const nowMs = doors.clock.now();
  const { version: keyVersion } = question['key'] as { readonly version: number };
  const erasure = await readErasureFacts(doors.sink, { server, target, run: runId });
  const decision = await decide(doors.policy, {
    ...question,
    ...{ nowMs, today: Math.floor(nowMs / dayMs) },
    key: { version: keyVersion, expiresAtMs: await doors.keys.expiresAt(keyVersion) },
    knownSources: mergeSources(question['knownSources'] as unknown as readonly KnownSource[], knownSources),
    again: { ...erasure, revoked },
  });
  await journal.append('gate', 'gate.asked-again', { target, version, planDigest, decision: decision as unknown as Json });
  return decision;
}

const isOwn = (code: string): code is 'DATASET_REVOKED' | 'ERASURE_PENDING' => code === 'DATASET_REVOKED' || code === 'ERASURE_PENDING';

/** Those of then and those of now: what became a source since may not be what the copy goes to. */
function mergeSources(then: readonly KnownSource[], now: readonly KnownSource[]): Json {
  const all = [...then, ...now].map(({ systemIdentifier, address, database }) => ({ systemIdentifier, address, database }));
  return [...new Map(all.map((one) => [toSqlName(one.systemIdentifier, one.address, one.database), one])).values()];
}

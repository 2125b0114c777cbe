// What is answered about a deployment: the decision, the mode of the gate, and until when the answer may be gone by.
import type { Schema } from '../../documents/documents.js';
import { toTimestamp } from '../../kernel/clock.js';
import { digestJson } from '../../kernel/digest.js';
import type { Decision } from '../../pipeline/decision.js';
import type { GateFacts } from './gate-facts.js';

const text: Schema = { type: 'string' };
const instant: Schema = { type: 'string', format: 'date-time' };
const object = (properties: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
});
const evidenceId: Schema = { type: ['string', 'null'], description: 'the evidence that it is about' };
const percent: Schema = { type: 'number', minimum: 0, maximum: 100, description: 'with two decimals, rounded down' };

export const answerSchema: Schema = object(
  {
    allow: { type: 'boolean' },
    status: { type: 'string', enum: ['SUCCEEDED', 'TERMINAL'] },
    ...{ score: percent, threshold: percent },
    reasons: {
      type: 'array',
      items: object({
        ...{ code: text, controlIds: { type: 'array', items: text }, message: text },
        ...{ points: { type: 'integer', description: 'what it costs of the score; 0: it is beside the score' }, evidenceId, hint: text },
      }),
    },
    missing: { type: 'array', items: text, description: 'names of the evidence that there is none of' },
    items: {
      type: 'array',
      description: 'of the score: what each earned of its points, in points with two decimals',
      items: object({ code: text, points: { type: 'integer' }, earned: { type: 'number' }, evidenceId }),
    },
    waived: {
      type: 'array',
      description: 'evidence out of which waivers took findings',
      items: object({ evidenceId: text, findings: { type: 'integer' }, until: { ...instant, type: ['string', 'null'] } }),
    },
    decisionId: { type: 'string', format: 'uuid' },
    policy: object({ bundle: text, revision: text, digest: text }),
    others: {
      type: 'array',
      description: 'bundles of your own that were asked beside it, and had to have nothing against it',
      items: object(
        { name: text, revision: text, digest: text },
        { refused: { ...text, description: 'why a newer one is not in force, as a code' } },
      ),
    },
    ...{ evaluatedAt: instant, expiresAt: instant, inputsDigest: text },
    log: object({
      origin: { type: ['string', 'null'] },
      index: { type: ['integer', 'null'], description: 'null: it is not signed yet; GET /v1/decisions/{id} says it' },
    }),
  },
  {
    kept: { type: 'boolean', description: 'true: the metadata database is away, and this is what was answered before' },
    enforced: { type: 'boolean', description: 'false: the gate only advises' },
    wouldDeny: { type: 'array', items: text, description: 'where it is not enforced: codes of the reasons' },
  },
);

export interface Answer {
  readonly allow: boolean;
  readonly status: 'SUCCEEDED' | 'TERMINAL';
  readonly score: number;
  readonly threshold: number;
  readonly reasons: Decision['reasons'];
  readonly missing: readonly string[];
  readonly items: readonly {
    readonly code: string;
    readonly points: number;
    readonly earned: number;
    readonly evidenceId: string | null;
  }[];
  readonly waived: readonly { readonly evidenceId: string; readonly findings: number; readonly until: string | null }[];
  readonly enforced?: boolean;
  readonly wouldDeny?: readonly string[];
  readonly decisionId: string;
  readonly policy: { readonly bundle: string; readonly revision: string; readonly digest: string };
  readonly others: NonNullable<Decision['others']>;
  readonly evaluatedAt: string;
  readonly expiresAt: string;
  readonly inputsDigest: string;
  readonly log: { readonly origin: string | null; readonly index: number | null };
}

/** MUST be given the decision of the question in `facts`. */
export function toAnswer(decision: Decision, facts: GateFacts, nowMs: number): Answer {
  const { gate, question, evidence } = facts;
  const { hundredths = 0, items = [] } = decision.score ?? {};
  const advises = !decision.allow && isAdvising(gate.advise?.until, nowMs);
  const allow = decision.allow || advises;
  const counting = new Set(items.flatMap((item) => item.evidenceId ?? []));
  return {
    ...{ allow, status: allow ? ('SUCCEEDED' as const) : ('TERMINAL' as const) },
    ...{ score: hundredths / 100, threshold: gate.threshold, reasons: decision.reasons, missing: decision.missing ?? [] },
    items: items.map(({ earned, ...item }) => ({ ...item, earned: earned / 100 })),
    waived: evidence
      .filter(({ id, waived }) => counting.has(id) && waived > 0)
      .map(({ id, waived, waivedUntilMs }) => ({
        ...{ evidenceId: id, findings: waived, until: waivedUntilMs === null ? null : toTimestamp(waivedUntilMs) },
      })),
    ...(advises ? { enforced: false, wouldDeny: [...new Set(decision.reasons.map(({ code }) => code))] } : {}),
    decisionId: decision.decisionId,
    policy: { bundle: 'bauta', ...decision.policy },
    others: decision.others ?? [],
    ...{ evaluatedAt: toTimestamp(nowMs), expiresAt: toTimestamp(toEnd(facts, counting, nowMs)) },
    ...{ inputsDigest: digestJson(question), log: { origin: null, index: null } },
  };
}

/** Until the end of that day, UTC. */
function isAdvising(until: string | undefined, nowMs: number): boolean {
  return until !== undefined && nowMs < Date.parse(`${until}T00:00:00Z`) + 86_400_000;
}

/** As long as the gate says, and no longer than what it rests on: the version, the evidence, its waivers, the days of advice. */
function toEnd({ gate, evidence, dataset }: GateFacts, counting: ReadonlySet<string>, nowMs: number): number {
  const ends = [nowMs + gate.validForMs, ...(gate.dataset.required && dataset ? [dataset.expiresAt.getTime()] : [])];
  for (const { id, type, receivedAtMs, madeAtMs, waivedUntilMs } of evidence.filter((item) => counting.has(item.id))) {
    const from = Math.min(receivedAtMs, madeAtMs ?? receivedAtMs);
    for (const requirement of gate.evidence) if (requirement.type === type) ends.push(from + requirement.maxAgeMs);
    if (waivedUntilMs !== null && counting.has(id)) ends.push(waivedUntilMs);
  }
  if (isAdvising(gate.advise?.until, nowMs)) ends.push(Date.parse(`${gate.advise?.until ?? ''}T00:00:00Z`) + 86_400_000);
  // What has ended already makes the answer a no, which is good until it is asked again.
  return Math.min(...ends.filter((end) => end > nowMs));
}

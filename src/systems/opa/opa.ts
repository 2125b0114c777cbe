// The Policy port over OPA's wasm: the committed bundle, verified, evaluated in a thread that can be killed.
import { randomUUID } from 'node:crypto';

import { toCanonicalJson } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import { packageFile } from '../../kernel/package-root.js';
import type { Decision, GateInput } from '../../pipeline/decision.js';
import type { Policy } from '../../pipeline/ports.js';
import { readBundle } from './bundle.js';
import { PolicyThread } from './policy-thread.js';

type Reason = Decision['reasons'][number];

export interface OpaOptions {
  /** The folder with manifest, wasm and sources; default: `policies` of this package. */
  readonly folder?: string;
  /** After this the evaluation is killed and the answer is a no. Default 5 seconds; a plan of 2,000 columns takes a small part of one. */
  readonly timeLimitMs?: number;
}

/** Of the policy by which the gate of this release decides. Rejects when it is not the one that its manifest names. */
export async function readPolicyDigest(folder = packageFile('policies')): Promise<string> {
  return (await readBundle(folder)).digest;
}

/** MUST be closed. Rejects when a file is missing or not the one that the manifest names, or when the policy does not load. */
export async function openPolicy(options: OpaOptions = {}): Promise<Policy> {
  const bundle = await readBundle(options.folder ?? packageFile('policies'));
  const { wasm, entrypoint } = bundle;
  const thread = new PolicyThread({ wasm, data: '{}', entrypoints: [entrypoint] }, options.timeLimitMs ?? 5000);
  const policy = { revision: bundle.revision, digest: bundle.digest };
  try {
    await thread.start();
  } catch (error) {
    await thread.close();
    throw error;
  }
  return {
    bundle: policy,
    decide: async (input: GateInput): Promise<Decision> => {
      const decisionId = randomUUID();
      const { results } = await thread.ask({ entrypoint, input: toCanonicalJson(input), nowNs: toNowNs(input), seed: decisionId });
      return { decisionId, ...parseResult(JSON.parse(results)), policy };
    },
    close: () => thread.close(),
  };
}

/** What now is to a policy: the instant that stands in the question, and so in its record. */
function toNowNs(input: GateInput): bigint {
  const { nowMs } = input;
  return typeof nowMs === 'number' && Number.isSafeInteger(nowMs) ? BigInt(nowMs) * 1_000_000n : 0n;
}

/** OPA's result set, strictly: one result with a boolean, and reasons exactly when it is no. An undefined decision is an empty set. */
function parseResult(value: unknown): Pick<Decision, 'allow' | 'reasons'> {
  const results: unknown[] = Array.isArray(value) ? value : [];
  if (results.length === 0) throw toError('POLICY_UNDEFINED');
  const result = results.length === 1 ? (results[0] as { result?: unknown } | null)?.result : undefined;
  const { allow, reasons } = (result ?? {}) as { allow?: unknown; reasons?: unknown };
  if (typeof allow !== 'boolean' || !Array.isArray(reasons) || allow !== (reasons.length === 0)) throw toError('POLICY_ANSWER_UNUSABLE');
  return { allow, reasons: reasons.map(parseReason).sort(compareReasons) };
}

/** By code, then by what it says: the order in which sets are iterated in wasm says nothing. */
function compareReasons(a: Reason, b: Reason): number {
  const [first, second] = [`${a.code}\n${a.message}`, `${b.code}\n${b.message}`];
  return first < second ? -1 : first > second ? 1 : 0;
}

function parseReason(value: unknown): Reason {
  const { code, controlIds, message, hint } = (value ?? {}) as Record<string, unknown>;
  const controls: unknown[] = Array.isArray(controlIds) ? controlIds : [undefined];
  if (![code, message, hint, ...controls].every((text) => typeof text === 'string')) throw toError('POLICY_ANSWER_UNUSABLE');
  return { code, controlIds: controls, message, hint } as Reason;
}

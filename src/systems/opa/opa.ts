// The Policy port over OPA: the committed bundle, verified, evaluated in a thread that can be killed; and beside it the users' own bundle and a server, where there
// are any. All of them are asked, and all have to have nothing against it.
import { randomUUID } from 'node:crypto';

import { toCanonicalJson } from '../../kernel/canonical-json.js';
import { packageFile } from '../../kernel/package-root.js';
import type { Decision, GateInput } from '../../pipeline/decision.js';
import type { Policy } from '../../pipeline/ports.js';
import { archiveLimits } from './archive.js';
import { readBundle } from './bundle.js';
import type { Decider } from './decider.js';
import { PolicyThreads } from './policy-threads.js';
import { compareReasons, parseDecision, parseDeployment, toResult } from './reasons.js';
import { openRemote, type RemoteOptions } from './remote.js';
import { userEntrypoints } from './user-bundle.js';
import { toNowNs } from './rules.js';
import { type Refused, UserPolicy, type UserPolicyOptions } from './user-policy.js';

export { type Cause, type Explained, explainReason } from './explain.js';
export { type Built, type RuleTest, buildBundle, testRules } from './opa-program.js';
export type { Refused };
export { openRules, type Question, type Rules, type SpokenRule } from './rules.js';
/** Of a bundle as it comes. */
export const bundleLimitBytes = archiveLimits.packedBytes;

export { type BundleSource, fileSource, httpSource, type Send } from './bundle-source.js';

/** In the order of the manifest's entrypoints. */
const questions = ['provision', 'exchange', 'deploy'] as const;
type Asked = (typeof questions)[number];

export interface OpaOptions {
  /** The folder with manifest, wasm and sources; default: `policies` of this package. */
  readonly folder?: string;
  /**
   * What is asked: the gate's question about a plan, whether values may be exchanged outside of a run, or whether a
   * version may be deployed. Default: `provision`.
   */
  readonly question?: Asked;
  /** After this an evaluation is killed and the answer is a no. Default 5 seconds; a plan of 2,000 columns takes a small part of one. */
  readonly timeLimitMs?: number;
  /** A bundle whose rule for this question, `bauta/provision/deny` or `bauta/deploy/deny`, adds reasons; of exchanges there is none. */
  readonly user?: Omit<UserPolicyOptions, 'timeLimitMs' | 'entrypoint' | 'ready'>;
  readonly remote?: Omit<RemoteOptions, 'timeLimitMs'>;
  /** Looks for newer bundles until it is closed; without it only the one at the beginning counts. */
  readonly watch?: boolean;
}

/** Of the policy by which the gate of this release decides. Rejects when it is not the one that its manifest names. */
export async function readPolicyDigest(folder = packageFile('policies')): Promise<string> {
  return (await readBundle(folder)).digest;
}

/** MUST be closed. Rejects when a policy is missing, not the one that it should be, or does not load. */
export async function openPolicy(options: OpaOptions = {}): Promise<Policy> {
  const timeLimitMs = options.timeLimitMs ?? 5000;
  const deciders: Decider[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(deciders.map((decider) => decider.close()));
  };
  try {
    const own = await openOwn(
      options.folder ?? packageFile('policies'),
      options.question ?? 'provision',
      timeLimitMs,
      options.watch === true,
    );
    deciders.push(own);
    if (options.user !== undefined) {
      const entrypoint = userEntrypoints[options.question === 'deploy' ? 'deploy' : 'provision'];
      const user = await UserPolicy.open({ ...options.user, timeLimitMs, entrypoint, ready: options.watch === true });
      deciders.push(user);
      if (options.watch === true) user.watch();
    }
    if (options.remote !== undefined) deciders.push(openRemote({ ...options.remote, timeLimitMs }));
    const { question = 'provision' } = options;
    return { bundle: own.bundle, decide: (input, decisionId) => decideByAll(deciders, question, input, decisionId), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function decideByAll(
  deciders: readonly Decider[],
  question: Asked,
  input: GateInput,
  decisionId: string = randomUUID(),
): Promise<Decision> {
  const moment = { nowNs: toNowNs(input), seed: decisionId };
  const said = await Promise.all(deciders.map((decider) => decider.ask(input, moment)));
  // What others have against a deployment stands beside the score.
  const beside = question === 'deploy' ? { points: 0, evidenceId: null } : {};
  const all = said.flatMap(({ reasons }) => reasons.map((reason) => ({ ...beside, ...reason }))).sort(compareReasons);
  const [own, ...others] = deciders.map(({ name, bundle, refused }) => ({
    name,
    ...bundle,
    ...(refused === undefined ? {} : { refused }),
  }));
  const policy = { revision: own?.revision ?? '', digest: own?.digest ?? '' };
  // Of the rules of this release, where the question is about a deployment.
  const { score, missing, revokes } = said[0] ?? {};
  return {
    decisionId,
    allow: all.length === 0,
    reasons: all,
    ...(score && { score }),
    ...(missing && { missing }),
    ...(revokes && { revokes }),
    policy,
    ...(others.length === 0 ? {} : { others }),
  };
}

async function openOwn(folder: string, question: Asked, timeLimitMs: number, ready: boolean): Promise<Decider> {
  const { wasm, entrypoints, revision, digest } = await readBundle(folder);
  const entrypoint = entrypoints[questions.indexOf(question)] ?? '';
  const thread = new PolicyThreads({ wasm, data: '{}', entrypoints: [entrypoint] }, timeLimitMs, ready);
  try {
    await thread.start();
  } catch (error) {
    await thread.close();
    throw error;
  }
  return {
    name: 'bauta',
    bundle: { revision, digest },
    ask: async (input, moment) => {
      const { results } = await thread.ask({ entrypoint, input: toCanonicalJson(input), ...moment });
      const result = toResult(JSON.parse(results));
      return question === 'deploy' ? parseDeployment(result) : { reasons: parseDecision(result) };
    },
    close: () => thread.close(),
  };
}

// `bauta decisions replay ID`: the same question to the same policies, at the time and under the id of the record. The answer has to be the same.
import { parseSettings } from '../config/settings.js';
import { toError } from '../kernel/errors.js';
import type { Decision, GateInput } from '../pipeline/decision.js';
import type { DecisionRecord } from '../pipeline/gate/gate.js';
import { openGatePolicy } from '../control/open-policy.js';
import { readDecision } from '../systems/files/files.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { decisionsAt } from './decisions-remote.js';
import { findServer } from './server.js';
import { paint, stripControls, writeJson } from './print.js';

export interface DecisionsOptions extends GlobalOptions {
  readonly id: string;
}

/** At a service those about deployments; here, one about a plan again. */
export async function decisions(
  action: string,
  id: string | undefined,
  options: GlobalOptions & { readonly gate?: string; readonly count?: number },
): Promise<number> {
  const server = await findServer(options);
  if (server) return decisionsAt(server, action, id, options);
  if (action !== 'replay' || id === undefined) throw toError('OPTION_MISSING', { name: '--server', expected: 'bauta decisions --help' });
  return replayDecision({ ...options, id });
}

interface Answer {
  readonly allow: boolean;
  readonly reasons: Decision['reasons'];
}

/** Exit codes: 0 the same answer · 1 another one · 3 no such record, or the policies of it are not here. */
export async function replayDecision(options: DecisionsOptions): Promise<number> {
  const settings = parseSettings(process.env);
  const home = options.home ?? settings.BAUTA_HOME;
  const record = (await readDecision(home, options.id)) as DecisionRecord;
  if (record.labels['server_digest'] !== undefined) throw toError('DECISION_POLICY_DIFFERS', { name: 'a server' });
  const then = record.result as unknown as Answer;
  const now = await askAgain(record, home, settings);
  const same = JSON.stringify(toAnswer(then)) === JSON.stringify(toAnswer(now));
  if (wantsJson(options)) writeJson({ decisionId: record.decision_id, same, then: { ...now, ...then }, now });
  else print(record, then, now, same);
  return same ? 0 : 1;
}

const toAnswer = ({ allow, reasons }: Answer): Answer => ({ allow, reasons });

async function askAgain(record: DecisionRecord, home: string, settings: ReturnType<typeof parseSettings>): Promise<Decision> {
  const withUser = record.labels['user_digest'] !== undefined;
  const policy = await openGatePolicy({ settings, home, environment: process.env, kept: withUser ? 'only' : 'none' });
  try {
    const decision = await policy.decide(record.input satisfies GateInput, record.decision_id);
    const digests = { policy_digest: decision.policy.digest, ...toDigests(decision) };
    for (const [name, digest] of Object.entries(digests)) {
      // Another policy may well say something else, and that would prove nothing.
      if (record.labels[name] !== digest) throw toError('DECISION_POLICY_DIFFERS', { name: name.replace(/_digest$/, '') });
    }
    return decision;
  } finally {
    await policy.close();
  }
}

function toDigests({ others = [] }: Decision): Record<string, string> {
  return Object.fromEntries(others.map(({ name, digest }) => [`${name}_digest`, digest]));
}

function print(record: DecisionRecord, then: Answer, now: Answer, same: boolean): void {
  const word = ({ allow, reasons }: Answer): string => (allow ? 'allow' : `deny: ${reasons.map(({ code }) => code).join(', ')}`);
  process.stdout.write(`decision ${record.decision_id} of ${record.timestamp}, policy ${record.bundles.bauta.revision}\n`);
  process.stdout.write(stripControls(`then: ${word(then)}`) + '\n');
  process.stdout.write(stripControls(`now:  ${word(now)}`) + '\n');
  process.stdout.write(same ? `${paint('the same', 32, process.stdout)}\n` : `${paint('not the same', 31, process.stdout)}\n`);
}

// `bauta policy diff BEFORE AFTER`: what other rules would have decided. Both are asked the questions of decisions that were taken, or of a folder of them.
import { join } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { BautaError, InputError } from '../kernel/errors.js';
import type { Decision } from '../pipeline/decision.js';
import { openRules, type Rules } from '../systems/opa/opa.js';
import { wantsJson } from './context.js';
import { type PolicyCase, readCaseFiles, readCases } from './policy-cases.js';
import type { PolicyOptions } from './policy-options.js';
import { paint, stripControls, toCount, writeJson } from './print.js';
import { findServer } from './server.js';

interface Side {
  /** Null: it could not decide, which is a no. */
  readonly allow: boolean | null;
  readonly codes: readonly string[];
}

interface Change {
  readonly id: string;
  readonly question: string;
  readonly before: Side;
  readonly after: Side;
  /** Reasons as `CODE: message`. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export async function diffRules(first: string | undefined, second: string | undefined, options: PolicyOptions): Promise<number> {
  if (first === undefined) throw new InputError('OPTION_MISSING', { name: 'the bundles', expected: 'bauta policy --help' });
  const { BAUTA_HOME, BAUTA_POLICY_MS: timeLimitMs } = parseSettings(process.env);
  const home = options.home ?? BAUTA_HOME;
  // One alone is held against what is in force here.
  const [from, to] = second === undefined ? [join(home, 'policy', 'bundle.tar.gz'), first] : [first, second];
  const cases =
    options.inputs === undefined
      ? await readCases(home, await findServer(options), options.count ?? 200)
      : await readCaseFiles(options.inputs);
  const before = await openRules(from, timeLimitMs);
  try {
    const after = await openRules(to, timeLimitMs);
    try {
      return tell(before, after, cases.length, await compare(before, after, cases), options);
    } finally {
      await after.close();
    }
  } finally {
    await before.close();
  }
}

interface Compared {
  readonly changes: readonly Change[];
  /** Questions that neither has a rule for. */
  readonly notAsked: number;
}

async function compare(before: Rules, after: Rules, cases: readonly PolicyCase[]): Promise<Compared> {
  const changes: Change[] = [];
  let notAsked = 0;
  for (const one of cases) {
    const sides = [before, after].filter(({ questions }) => questions.includes(one.question));
    if (sides.length === 0) notAsked++;
    const [old, now] = [await ask(before, one), await ask(after, one)];
    const [added, removed] = [now.filter((line) => !old.includes(line)), old.filter((line) => !now.includes(line))];
    if (added.length + removed.length > 0)
      changes.push({ id: one.id, question: one.question, before: toSide(old), after: toSide(now), added, removed });
  }
  return { changes, notAsked };
}

/** Reasons as lines. Rules that have nothing for a question add none to it; what they cannot decide is a reason by its code. */
async function ask(rules: Rules, { question, input, decisionId }: PolicyCase): Promise<readonly string[]> {
  if (!rules.questions.includes(question)) return [];
  try {
    return (await rules.ask(question, input, decisionId)).map(toLine);
  } catch (error) {
    if (error instanceof BautaError) return [`${error.code}: ${error.message}`];
    throw error;
  }
}

const toLine = ({ code, message }: Decision['reasons'][number]): string => `${code}: ${message}`;
const toCode = (line: string): string => line.slice(0, line.indexOf(':'));
const toSide = (lines: readonly string[]): Side => {
  const codes = [...new Set(lines.map(toCode))];
  return { allow: codes.some((code) => code.startsWith('POLICY_')) ? null : codes.length === 0, codes };
};

const refOf = ({ name, revision, digest }: Rules): object => ({ name, revision, digest });

function tell(before: Rules, after: Rules, asked: number, { changes, notAsked }: Compared, options: PolicyOptions): number {
  if (wantsJson(options)) writeJson({ before: refOf(before), after: refOf(after), asked, notAsked, changes, findings: [] });
  else {
    const word = ({ allow }: Side): string => (allow === null ? 'undecided' : allow ? 'allow' : 'deny');
    const lines = changes.flatMap(({ id, before: old, after: now, added, removed }) => [
      `${stripControls(id)}  ${word(old) === word(now) ? word(now) : `${word(old)} → ${word(now)}`}`,
      ...removed.map((line) => `  ${paint('-', 31, process.stdout)} ${stripControls(line)}`),
      ...added.map((line) => `  ${paint('+', 32, process.stdout)} ${stripControls(line)}`),
    ]);
    const head = `${stripControls(before.revision)} → ${stripControls(after.revision)}: ${changes.length} of ${toCount(asked, 'decision')} would change`;
    const rest = notAsked === 0 ? [] : [`${toCount(notAsked, 'question')} neither has a rule for`];
    process.stdout.write(`${[head, ...rest, ...lines].join('\n')}\n`);
  }
  return changes.length === 0 ? 0 : 1;
}

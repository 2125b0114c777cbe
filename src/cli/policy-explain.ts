// `bauta policy explain`: which rules spoke against a decision, on which members of the question and parameters each rests, and what would take it away.
import { access } from 'node:fs/promises';
import { join } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { InputError } from '../kernel/errors.js';
import { packageFile } from '../kernel/package-root.js';
import type { Decision } from '../pipeline/decision.js';
import { type Explained, explainReason, openRules, type Rules, type SpokenRule } from '../systems/opa/opa.js';
import { wantsJson } from './context.js';
import { type PolicyCase, readCase, readCaseFiles } from './policy-cases.js';
import type { PolicyOptions } from './policy-options.js';
import { paint, stripControls, toCount, writeJson } from './print.js';
import { findServer } from './server.js';

type Spoken = Pick<Decision['reasons'][number], 'code' | 'message' | 'hint' | 'controlIds'> & {
  readonly by: Rules['name'];
  readonly rule: SpokenRule | null;
  readonly restsOn: Explained['causes'];
  /** Not every member was tried. */
  readonly partly: boolean;
};

export async function explainDecision(id: string | undefined, options: PolicyOptions): Promise<number> {
  const { BAUTA_HOME, BAUTA_POLICY_MS: timeLimitMs } = parseSettings(process.env);
  const home = options.home ?? BAUTA_HOME;
  const one = await findCase(id, home, options);
  const places = [packageFile('policies'), ...(await findBundle(one, home, options))];
  const asked: { readonly name: string; readonly revision: string; readonly digest: string }[] = [];
  const reasons: Spoken[] = [];
  for (const place of places) {
    const rules = await openRules(place, timeLimitMs);
    try {
      if (!rules.questions.includes(one.question)) continue;
      asked.push({ name: rules.name, revision: rules.revision, digest: rules.digest });
      reasons.push(...(await explainAll(rules, one)));
    } finally {
      await rules.close();
    }
  }
  // Of other rules than decided then, this is what they would say now.
  const labels = one.record?.labels;
  const sameRules =
    labels === undefined ? null : asked.every(({ name, digest }) => labels[name === 'bauta' ? 'policy_digest' : 'user_digest'] === digest);
  const answer = {
    decision: one.record ? one.id : null,
    question: one.question,
    allow: reasons.length === 0,
    sameRules,
    rules: asked,
    reasons,
  };
  if (wantsJson(options)) writeJson({ ...answer, findings: [] });
  else process.stdout.write(`${toText(answer)}\n`);
  return 0;
}

async function findCase(id: string | undefined, home: string, options: PolicyOptions): Promise<PolicyCase> {
  if (id !== undefined && options.inputs === undefined) return readCase(id, home, await findServer(options));
  if (id !== undefined || options.inputs === undefined)
    throw new InputError('OPTION_MISSING', { name: 'the decision, or --inputs', expected: 'bauta policy --help' });
  const [one, ...more] = await readCaseFiles(options.inputs);
  if (one === undefined || more.length > 0) throw new InputError('OPTION_INVALID', { name: '--inputs', expected: 'one file' });
  return one;
}

/** The bundle that is named, or the one that is in force here for this question. */
async function findBundle(one: PolicyCase, home: string, options: PolicyOptions): Promise<readonly string[]> {
  if (options.bundle !== undefined) return [options.bundle];
  const kept = join(home, one.question === 'deploy' ? 'policy-deploy' : 'policy', 'bundle.tar.gz');
  return (await access(kept).then(
    () => true,
    () => false,
  ))
    ? [kept]
    : [];
}

async function explainAll(rules: Rules, { question, input, decisionId }: PolicyCase): Promise<readonly Spoken[]> {
  const all = await rules.ask(question, input, decisionId);
  const spoken: Spoken[] = [];
  for (const reason of all) {
    const { causes, partly } = await explainReason({ rules, question, input, decisionId }, reason, all);
    const { code, message, hint, controlIds } = reason;
    const rule = rules.findRule(code, question) ?? null;
    // What somebody could change stands first.
    const restsOn = [...causes.filter(({ instead }) => instead !== undefined), ...causes.filter(({ instead }) => instead === undefined)];
    spoken.push({ code, message, hint, controlIds, by: rules.name, rule, restsOn, partly });
  }
  return spoken;
}

interface Answer {
  readonly decision: string | null;
  readonly question: string;
  readonly allow: boolean;
  readonly sameRules: boolean | null;
  readonly rules: readonly { readonly name: string; readonly revision: string }[];
  readonly reasons: readonly Spoken[];
}

function toText({ decision, question, allow, sameRules, rules, reasons }: Answer): string {
  const word = allow ? paint('allow', 32, process.stdout) : paint('deny', 31, process.stdout);
  const about = question === 'deploy' ? 'a deployment' : 'a plan';
  return [
    `${word}: ${toCount(reasons.length, 'reason')} against ${about}${decision === null ? '' : `, decision ${decision}`}`,
    `rules: ${rules.map(({ name, revision }) => `${name} ${stripControls(revision)}`).join(', ')}`,
    ...(sameRules === false ? ['the decision was taken by other rules; this is what these say of it'] : []),
    ...reasons.flatMap(toLines).map((line) => stripControls(line)),
  ].join('\n');
}

const MOST = 12;

function toLines({ code, message, hint, rule, by, restsOn, partly }: Spoken): readonly string[] {
  const at = rule ? `${rule.title ?? by}${rule.severity === null ? '' : ` (${rule.severity})`}, ${rule.file}:${rule.line}` : by;
  const causes = restsOn.slice(0, MOST).map(({ member, value, instead }) => {
    const shown = `${member} = ${toShort(value)}`;
    return instead === undefined ? shown : `${shown}; with ${toShort(instead)} it would be gone`;
  });
  if (restsOn.length > MOST) causes.push(`and ${restsOn.length - MOST} more; --json has all`);
  if (causes.length === 0) causes.push('nothing that is there: something is missing');
  if (partly) causes.push('not every member was tried, the question is large');
  return [
    '',
    `${code}  ${message}`,
    `  rule      ${at}`,
    ...causes.map((line, n) => `  ${n === 0 ? 'rests on' : '        '}  ${line}`),
    `  →         ${hint}`,
  ];
}

function toShort(value: unknown): string {
  if (Array.isArray(value) && value.length > 3) return `a list of ${value.length}`;
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

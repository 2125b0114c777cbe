// `bauta policy test|build|explain|diff`: for who writes rules, or wants to know what they do. Nothing that is asked here is a decision.
import { parseSettings } from '../config/settings.js';
import { InputError, toError } from '../kernel/errors.js';
import { packageFile } from '../kernel/package-root.js';
import { buildBundle, testRules } from '../systems/opa/opa.js';
import { wantsJson } from './context.js';
import { diffRules } from './policy-diff.js';
import { explainDecision } from './policy-explain.js';
import type { PolicyOptions } from './policy-options.js';
import { paint, stripControls, toBytesText, toCount, toTable, writeJson } from './print.js';
import { readReferenceText } from './reference-text.js';

/** Exit codes: 0 · of test 1 when one failed · of diff 1 when a decision would change. */
export async function policy(action: string, what: readonly string[], options: PolicyOptions): Promise<number> {
  const [first, second] = what;
  if (action === 'explain') return explainDecision(first, options);
  if (action === 'diff') return diffRules(first, second, options);
  if (options.server !== undefined)
    throw toError('COMMAND_NOT_REMOTE', { name: `policy ${action}`, expected: 'policy explain, policy diff' });
  return action === 'test' ? test(first ?? packageFile('policies'), options) : build(first, options);
}

function test(folder: string, options: PolicyOptions): number {
  const tests = testRules(folder);
  const failed = tests.filter(({ passed }) => !passed);
  if (wantsJson(options)) writeJson({ passed: tests.length - failed.length, failed: failed.length, tests, findings: [] });
  else {
    const rows = failed.map(({ name, file, line }) => ['failed', name, `${file}:${line}`]);
    if (rows.length > 0) process.stdout.write(`${stripControls(toTable(rows), '\n')}\n`);
    const word =
      tests.length === 0 ? 'there is no test' : `${toCount(tests.length - failed.length, 'test')} passed, ${failed.length} failed`;
    process.stdout.write(`${paint(word, failed.length === 0 && tests.length > 0 ? 32 : 31, process.stdout)}\n`);
  }
  // Rules without a test were not tested.
  return failed.length === 0 && tests.length > 0 ? 0 : 1;
}

async function build(folder: string | undefined, options: PolicyOptions): Promise<number> {
  if (folder === undefined) throw new InputError('OPTION_MISSING', { name: 'the folder of rules', expected: 'bauta policy --help' });
  const { out = 'bundle.tar.gz', signingKey, revision } = options;
  const { BAUTA_POLICY_KEY: key } = parseSettings(process.env);
  const signing = signingKey === undefined ? {} : { key: await readReferenceText('--signing-key', signingKey) };
  const bundle = await buildBundle(folder, out, { ...signing, ...(revision === undefined ? {} : { revision }) });
  if (wantsJson(options)) writeJson({ bundle, findings: [] });
  else {
    const lines = [
      ['bundle', `${bundle.file}, ${toBytesText(bundle.bytes)}, revision ${bundle.revision}`],
      ['digest', bundle.digest],
      ['asked at', bundle.entrypoints.join(', ')],
      [
        'signed',
        bundle.signed
          ? 'yes'
          : `no: it is taken only with a reason in BAUTA_POLICY_UNSIGNED${key === '' ? '' : ', and not beside BAUTA_POLICY_KEY'}`,
      ],
    ];
    process.stdout.write(`${stripControls(toTable(lines, ''), '\n')}\n`);
  }
  return 0;
}

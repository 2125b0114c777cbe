// `bauta policy`: rules are tested, built, explained and compared as somebody who writes them would do it, with the example that comes along.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { fileSource, openPolicy } from '../../src/systems/opa/opa.js';
import { decide, toDecisionRecord } from '../../src/pipeline/gate/gate.js';
import { keepDecision } from '../../src/systems/files/files.js';
import { type Said, bauta } from '../support/tiny-source.js';
import { deployTable, validDeployment } from './deploy-table.js';
import { hasOpa, itWithOpa } from './opa-binary.js';
import { columns, question } from './question.js';

let home: string;
let bundle: string;
let key: string;
const saturday = validDeployment;
const monday = { ...validDeployment, nowMs: (validDeployment['nowMs'] as number) + 2 * 86_400_000 };
const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-policy.json'), 'utf8')) as object;
const fits = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);

const run = (words: readonly string[], env: Record<string, string> = {}): Promise<Said> =>
  bauta(['policy', ...words, '--home', home], { cwd: packageFile('.'), env: { PATH: process.env['PATH'] ?? '', ...env } });

/** What it says for programs, of the published form. */
async function ask<T>(exitCode: number, ...words: readonly string[]): Promise<T> {
  const said = await run([...words, '--json']);
  const value = JSON.parse(said.stdout) as T;
  expect([fits(value), fits.errors]).toEqual([true, null]);
  expect([said.exitCode, said.stderr]).toEqual([exitCode, exitCode > 1 ? said.stderr : '']);
  return value;
}
const write = (name: string, value: unknown): string => {
  writeFileSync(join(home, name), JSON.stringify(value));
  return join(home, name);
};

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'bauta-rules-'));
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  key = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  writeFileSync(join(home, 'key.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  bundle = join(home, 'bundle.tar.gz');
  if (hasOpa)
    expect(
      (await run(['build', packageFile('examples', 'policy'), '--out', bundle, '--signing-key', `file:${home}/key.pem`])).exitCode,
    ).toBe(0);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

itWithOpa(
  'tests run, those of this release and of the example; one that fails is named with its line, and none at all is no success',
  async () => {
    expect(await ask(0, 'test', packageFile('examples', 'policy'))).toMatchObject({ passed: 7, failed: 0 });
    expect(await ask<{ passed: number }>(0, 'test')).toMatchObject({ failed: 0 });
    const broken = join(home, 'broken');
    cpSync(packageFile('examples', 'policy'), broken, { recursive: true });
    const path = join(broken, 'deploy', 'deploy_test.rego');
    writeFileSync(path, readFileSync(path, 'utf8').replace('7999', '8001'));
    const { tests } = await ask<{ tests: { name: string; passed: boolean; line: number }[] }>(1, 'test', broken);
    expect(tests.filter(({ passed }) => !passed)).toMatchObject([{ name: 'data.bauta.deploy_test.test_a_hair_below_is_not', line: 30 }]);
    mkdirSync(join(home, 'untested'));
    writeFileSync(join(home, 'untested', 'a.rego'), 'package a\n');
    expect((await run(['test', join(home, 'untested')])).exitCode).toBe(1);
  },
);

itWithOpa('a bundle is built with manifest, entrypoints and signature, and is taken at once by who has the public key', async () => {
  const trust = { key, unsignedReason: '' };
  const policy = await openPolicy({ question: 'deploy', user: { source: fileSource(bundle), trust, folder: join(home, 'kept') } });
  try {
    const denied = await policy.decide(saturday);
    // As every reason of a deployment it says what it costs of the score: nothing, it is beside it.
    expect(denied).toMatchObject({
      allow: false,
      reasons: [{ code: 'QUIET_DAY', points: 0, evidenceId: null }],
      others: [{ name: 'user' }],
    });
    expect(denied.score).toMatchObject({ hundredths: 10_000 });
    expect((await policy.decide(monday)).reasons.map(({ code }) => code)).not.toContain('QUIET_DAY');
    // It can only add: what the rules of this release deny stays denied.
    for (const [, asked, codes] of deployTable.slice(0, 20)) {
      const said = (await policy.decide(asked)).reasons.map(({ code }) => code);
      expect(said).toEqual(expect.arrayContaining([...codes]));
    }
  } finally {
    await policy.close();
  }
});

itWithOpa('what the compiler does not take is told by it, and a key that is none is refused', async () => {
  mkdirSync(join(home, 'wrong'));
  writeFileSync(join(home, 'wrong', 'a.rego'), 'package bauta.deploy\n\nimport rego.v1\n\ndeny contains x if http.send({})\n');
  const refused = await run(['build', join(home, 'wrong'), '--out', join(home, 'wrong.tar.gz')]);
  expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringMatching(/a\.rego:5(.|\n)*OPA_REFUSED/)]);
  const other = await run(['build', packageFile('examples', 'policy'), '--out', join(home, 'o.tar.gz'), '--signing-key', 'env:NONE'], {
    NONE: 'x',
  });
  expect([other.exitCode, other.stderr]).toEqual([3, expect.stringContaining('POLICY_SIGNING_KEY_UNUSABLE')]);
  writeFileSync(join(home, 'wrong', 'a.rego'), 'package elsewhere\n');
  const nowhere = await run(['build', join(home, 'wrong'), '--out', join(home, 'wrong.tar.gz')]);
  expect([nowhere.exitCode, nowhere.stderr]).toEqual([3, expect.stringContaining('POLICY_BUNDLE_ENTRYPOINT')]);
});

it('without opa on PATH building and testing say so; explaining needs none', async () => {
  const none = { PATH: '' };
  for (const words of [['test'], ['build', packageFile('examples', 'policy')]]) {
    const said = await run(words, none);
    expect([said.exitCode, said.stderr]).toEqual([3, expect.stringContaining('OPA_MISSING')]);
  }
  const said = await run(['explain', '--inputs', write('q.json', columns({ tag: 'pii.mail' }))], none);
  expect([said.exitCode, said.stdout]).toEqual([0, expect.stringContaining('input.columns[0].tag = "pii.mail"')]);
});

interface Explained {
  readonly allow: boolean;
  readonly sameRules: boolean | null;
  readonly reasons: readonly {
    readonly code: string;
    readonly by: string;
    readonly rule: { readonly file: string; readonly severity: string } | null;
    readonly restsOn: readonly { readonly member: string; readonly instead?: unknown }[];
  }[];
}

it('a decision that was taken is explained: the rule with its file, the members it rests on, and what would change it', async () => {
  const policy = await openPolicy();
  const input = question({ key: { version: 2, expiresAtMs: null } });
  const decision = await decide(policy, input);
  await policy.close();
  await keepDecision(home, toDecisionRecord(decision, input, { atMs: 5 }));
  const explained = await ask<Explained>(0, 'explain', decision.decisionId);
  expect(explained).toMatchObject({ allow: false, sameRules: true });
  const differs = explained.reasons.find(({ code }) => code === 'KEY_VERSION_DIFFERS');
  expect(differs).toMatchObject({ by: 'bauta', rule: { file: 'policies/key/version/version.rego', severity: 'high' } });
  expect(differs?.restsOn).toEqual(
    expect.arrayContaining([
      { member: 'input.keyVersion', value: 1, instead: 2 },
      { member: 'input.key.version', value: 2, instead: 1 },
    ]),
  );
  // Every value that is named as a way out is one.
  const changed = { ...input, keyVersion: 2 };
  expect(await ask(0, 'explain', '--inputs', write('changed.json', changed))).toMatchObject({ allow: true, sameRules: null, reasons: [] });
});

itWithOpa('a reason of one’s own rests on parameters, and a team changes one without Rego: what that changes is shown before', async () => {
  const wide = {
    ...question(),
    columns: Array.from({ length: 501 }, (_, n) => ({ ...(question()['columns'] as object[])[0], column: `c${n}`, unique: false })),
  };
  const file = write('wide.json', wide);
  const { reasons } = await ask<Explained>(0, 'explain', '--inputs', file, '--bundle', bundle);
  const own = reasons.find(({ code }) => code === 'PLAN_TOO_WIDE');
  expect(own).toMatchObject({ by: 'user', rule: { severity: 'medium' } });
  expect(own?.restsOn).toMatchObject([{ member: 'data.plan.columns', value: 500, instead: 501 }, { member: 'input.columns' }]);
  const rules = join(home, 'ours');
  cpSync(packageFile('examples', 'policy'), rules, { recursive: true });
  const data = JSON.parse(readFileSync(join(rules, 'data.json'), 'utf8')) as { plan: { columns: number }; quiet: { weekdays: string[] } };
  writeFileSync(
    join(rules, 'data.json'),
    JSON.stringify({ ...data, plan: { columns: 501 }, quiet: { ...data.quiet, weekdays: ['Monday'] } }),
  );
  const after = join(home, 'after.tar.gz');
  await ask(0, 'build', rules, '--out', after);
  const cases = join(home, 'cases');
  mkdirSync(cases);
  for (const [name, value] of Object.entries({ wide, saturday, monday, odd: { input: question() } }))
    writeFileSync(join(cases, `${name}.json`), JSON.stringify(value));
  const { changes } = await ask<{ changes: { id: string; before: { allow: boolean }; after: { allow: boolean }; added: string[] }[] }>(
    1,
    'diff',
    bundle,
    after,
    '--inputs',
    cases,
  );
  expect(changes.map(({ id, before, after: now }) => [id.replace(/^.*\//, ''), before.allow, now.allow])).toEqual([
    ['monday.json', true, false],
    ['saturday.json', false, true],
    ['wide.json', false, true],
  ]);
  expect(changes[0]?.added).toEqual(['QUIET_DAY: nothing goes to prod-eu on a Monday']);
  expect(await ask(0, 'diff', bundle, bundle, '--inputs', cases)).toMatchObject({ asked: 4, notAsked: 0, changes: [] });
});

it('nothing to ask, or nothing that can be asked, is no comparison', async () => {
  const policies = packageFile('policies');
  const empty = join(home, 'empty');
  mkdirSync(empty);
  expect((await run(['diff', policies, policies, '--inputs', empty])).stderr).toContain('POLICY_CASES_MISSING');
  const odd = await run(['diff', policies, policies, '--inputs', write('odd.json', { some: 'thing' })]);
  expect([odd.exitCode, odd.stderr]).toEqual([3, expect.stringContaining('POLICY_CASE_UNREADABLE')]);
});

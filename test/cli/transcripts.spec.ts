// What a user sees, kept as text: test/cli/transcripts/*.txt. UPDATE_TRANSCRIPTS=1 writes them anew; the diff is what changed for people.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type TinyWorld, bauta, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const folder = packageFile('test', 'cli', 'transcripts');
const commands = [
  'plan',
  'run',
  'check',
  'apply',
  'runs',
  'approvals',
  'gate',
  'policy',
  'people',
  'detokenize',
  'apikeys',
  'keys',
  'datasets',
  'environments',
  'rollback',
  'expire',
  'drift',
  'hold',
  'revoke',
  'erase',
  'evidence',
  'waivers',
  'anomalies',
  'incidents',
  'attest',
  'load',
  'pull',
  'classify',
  'demo',
  'doctor',
  'audit',
  'report',
  'breach',
  'witness',
  'breakglass',
  'access',
  'schedules',
  'reports',
  'completion',
];

let world: TinyWorld;
let env: Record<string, string>;
let fine: string;
let denied: string;
beforeAll(async () => {
  world = await startTinyWorld();
  env = {
    SOURCE_URL: await world.source('shop_production'),
    TARGET_URL: world.target('tiny_dev'),
    // A key of its own makes other pseudonyms; the previews below show some.
    BAUTA_HOME: join(world.folder, 'home'),
  };
  mkdirSync(join(world.folder, 'home', 'keys'), { recursive: true, mode: 0o700 });
  fine = world.documents();
  denied = world.documents({ 'pipeline.yaml': pipelineText.replace('allows: [pii]', 'allows: [quasi]') });
}, 60_000);
afterAll(() => world.stop());

/** What differs from run to run, as a word. */
function normalise(text: string): string {
  return (
    text
      .replaceAll(fine, 'pipeline.yaml')
      .replaceAll(denied, 'denied.yaml')
      .replace(/sha256:[0-9a-f]{64}/g, 'sha256:DIGEST')
      .replace(/provision-[0-9a-f]{16}/g, 'provision-REVISION')
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'DECISION')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/bauta\.invalid\/[0-9a-f]{12}\/\d{4}/g, 'ORIGIN')
      .replace(/"size":\d+,"root":"[^"]+"/g, '"size":0,"root":"ROOT"')
      .replace(/— bauta\.invalid\/[0-9a-f]{12} [\w+/=]+/g, '— LOG SIGNATURE')
      .replace(/("?nonce\\?":\\?")[0-9a-f]{32}/g, '$1NONCE')
      .replace(/(systemIdentifier\\?":\\?")\d+/g, '$1SERVER')
      .replace(/127\.0\.0\.1:\d+/g, 'ADDRESS')
      .replace(/[0-9][0-9a-hjkmnp-tv-z]{15}\b/g, 'RUN')
      .replace(/"(bytes|seconds|rowsPerSecond|peakRssBytes)":[\d.]+/g, '"$1":0')
      .replace(
        /in [\d.]+ s \([\d,]+ rows\/s while they moved, peak memory [\d.]+ [kMG]B\)/g,
        'in N s (N rows/s while they moved, peak memory N MB)',
      )
      .replace(/^(ok +Node +).*$/gm, '$1VERSION')
      .replace(/[\d.]+ kB/g, 'N kB')
      .replace(/\d+ of (\d+) came out as they were/g, 'N of $1 came out as they were')
      .replace(/"unchanged":\d+/g, '"unchanged":N')
      // What is measured depends on the pseudonyms, and they on the keys of this test's home.
      .replace(/"privacy":\{.*?\},"decision"/g, '"privacy":{},"decision"')
      .replace(/^privacy .*(\n {4}.*)*/gm, 'privacy')
  );
}

async function record(name: string, ...words: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await bauta(words, { env, cwd: world.folder });
  const text = normalise(`$ ${['bauta', ...words].join(' ')}\nexit ${exitCode}\n\n── stdout\n${stdout}\n── stderr\n${stderr}`);
  const file = join(folder, `${name}.txt`);
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
  for (const line of text.split('\n')) if (!line.startsWith('{')) expect(line.trimEnd()).toBe(line);
}

describe('help says what each command is for, with examples', () => {
  it('bauta --help', () => record('help', '--help'));
  it('bauta', () => record('nothing'));
  it.each(commands)('bauta %s --help', (command) => record(`help-${command}`, command, '--help'));
});

describe('a first day', () => {
  it('a slip of the finger', () => record('slip', 'rnu', '-f', 'pipeline.yaml'));
  it('doctor', () => record('doctor', 'doctor', '-f', fine));
  it('plan', () => record('plan', 'plan', '-f', fine));
  it('no dataset yet', () => record('datasets-none', 'datasets', '-f', fine));
  it('run', () => record('run', 'run', '-f', fine));
  it('run again, for a program', () => record('run-json', 'run', '--json', '-f', fine));
  it('datasets, after going back', async () => {
    await record('rollback', 'rollback', '-f', fine);
    await record('datasets', 'datasets', '-f', fine);
  });
  it('attest, in a test job: with and without the key, and after a test wrote a row', async () => {
    await record('attest', 'attest', 'env:TARGET_URL', '--key', 'home/log.pub');
    await record('attest-no-key', 'attest', 'env:TARGET_URL');
    await world.server.sql('tiny_dev', `UPDATE app.product SET title = 'Product' WHERE sku = 'P7'`);
    await record('drift', 'drift', '-f', fine);
    await record('attest-changed', 'attest', 'env:TARGET_URL', '--key', 'home/log.pub');
    await record('attest-json', 'attest', 'env:TARGET_URL', '--key', 'home/log.pub', '--nonce', '00112233445566aa', '--json');
    await record('attest-unknown', 'attest', 'env:SOURCE_URL', '--key', 'home/log.pub');
  });
  it('expire: nothing has, and the current version is withdrawn', async () => {
    await record('expire-nothing', 'expire', '-f', fine);
    await record('expire-reason', 'expire', '-f', fine, '--withdraw', '1');
    await record('expire', 'expire', '-f', fine, '--withdraw', '1', '--reason', 'a column was kept by mistake');
    await record('expire-dry-run', 'expire', '-f', fine, '--withdraw', '2', '--dry-run');
  });
  it('going back twice', () => record('rollback-twice', 'rollback', '-f', fine));
  it('a denied plan', () => record('plan-denied', 'plan', '-f', denied));
  it('a denied run', () => record('run-denied', 'run', '-f', denied));
});

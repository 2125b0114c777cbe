// What the commands write with --json, against docs/schema/output-*.json: when all goes well, when it is denied, and when it cannot even begin.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { type TinyWorld, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
let world: TinyWorld;
let env: Record<string, string>;
let fine: string;
let denied: string;
let broken: string;
beforeAll(async () => {
  world = await startTinyWorld();
  env = { SOURCE_URL: await world.source('json_production'), TARGET_URL: world.target('json_dev'), BAUTA_HOME: join(world.folder, 'home') };
  fine = world.documents({
    'pipeline.yaml': `${pipelineText}overrides: [{ columns: ['app."order".note'], transform: redact, scope: value, reason: tests of the search need the words, expires: 2031-01-01 }]\n`,
  });
  denied = world.documents({ 'pipeline.yaml': pipelineText.replace('allows: [pii]', 'allows: [quasi]') });
  broken = world.documents({ 'classification.yaml': classificationText.replace('note: pii.free-text', 'note: pii.fre-text') });
}, 60_000);
afterAll(() => world.stop());

/** Runs the words with --json; exactly one object of the command's form must come out. */
async function look(exitCode: number, command: string, ...words: string[]): Promise<Record<string, unknown>> {
  const said = await bauta([command, ...words, '--json'], { env, cwd: world.folder });
  const output = JSON.parse(said.stdout) as Record<string, unknown>;
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', `output-${command}.json`), 'utf8')) as object;
  const validate = ajv.getSchema(command) ?? ajv.addSchema(schema, command).getSchema(command);
  if (!validate) throw new Error('no schema');
  expect([validate(output), validate.errors]).toEqual([true, null]);
  expect([command, ...words, said.exitCode]).toEqual([command, ...words, exitCode]);
  return output;
}

it('when all goes well', async () => {
  expect(await look(0, 'datasets', '-f', fine)).toMatchObject({ datasets: [] });
  const planned = await look(0, 'plan', '-f', fine, '--sample', '2');
  // Redaction is told with what it misses, everywhere.
  expect(JSON.stringify(planned)).toContain('"recallPercent":71');
  expect(planned['findings']).toMatchObject([{ code: 'PLAN_BEST_EFFORT', where: { amount: expect.stringContaining('recall 71 %') } }]);
  const { decisionId } = planned['decision'] as { decisionId: string };
  expect(await look(0, 'decisions', 'replay', decisionId)).toMatchObject({ decisionId, same: true, then: { allow: true } });
  expect(await look(0, 'doctor', '-f', fine)).toMatchObject({ ok: true });
  expect(await look(0, 'run', '-f', fine)).toMatchObject({ state: 'published', findings: [{ code: 'PLAN_BEST_EFFORT' }] });
  await look(0, 'run', '-f', fine);
  expect(await look(0, 'clones', 'list', '-f', fine)).toEqual({ clones: [], findings: [] });
  await look(3, 'clones', 'make', '-f', fine, '--for', 'pr-1');
  expect(await look(0, 'check', '-f', fine)).toMatchObject({ passed: true, database: 'json_dev', version: 2, checks: [] });
  const some = `checks:
  - { name: people, kind: rowCount, table: app.person, min: 1, maxChangePercent: 5 }
  - { name: dear, kind: range, table: app.product, columns: price, min: 5 }
  - { name: broken, kind: sql, sql: SELECT 1 / 0 }\n`;
  const checked = world.documents({ 'pipeline.yaml': pipelineText + some });
  expect(await look(1, 'check', '-f', checked, '--rows', '1')).toMatchObject({
    checks: [{ earlier: { version: 1 } }, { outcome: 'fail' }, { outcome: 'not-run', sqlState: '22012' }],
    rows: [{ check: 'dear', columns: ['sku', 'price'] }],
  });
  expect(await look(1, 'run', '-f', checked)).toMatchObject({ state: 'withheld', checks: [{}, {}, {}] });
  await look(0, 'rollback', '-f', fine);
  expect(await look(0, 'datasets', '-f', fine)).toMatchObject({ datasets: [{ state: 'previous' }, { state: 'current' }] });
  expect(await look(0, 'expire', '-f', fine)).toEqual({ versions: [], findings: [] });
  expect(await look(0, 'expire', '-f', fine, '--withdraw', '2', '--dry-run')).toMatchObject({ versions: [{ attestation: null }] });
  expect(await look(0, 'expire', '-f', fine, '--withdraw', '2', '--reason', 'it was rolled back')).toMatchObject({
    versions: [{ why: 'withdrawn', attestation: { dropped: [{ kind: 'database', seen: 'gone' }] } }],
  });
  expect(await look(0, 'datasets', '-f', fine)).toMatchObject({ datasets: [{ version: 1, state: 'current' }] });
  expect(await look(0, 'drift', '-f', fine)).toMatchObject({ state: 'as published', version: 1, tables: [] });
  const suggested = await look(0, 'classify', '--source', 'env:SOURCE_URL');
  expect(JSON.stringify(suggested['suggestions'])).toContain('"person"');
  // With the pipeline, only what it includes is looked at.
  const apart = world.documents({ 'pipeline.yaml': `${pipelineText}exclude: [app.person]\n` });
  const scoped = await look(0, 'classify', '--source', 'env:SOURCE_URL', '-f', apart);
  expect(JSON.stringify(scoped['suggestions'])).toContain('"order"');
  expect(JSON.stringify(scoped['suggestions'])).not.toContain('"person"');
  expect(await look(0, 'classify', '-f', fine, '--check', '--schema', 'env:SOURCE_URL')).toMatchObject({ passed: true });
  expect(await look(0, 'classify', '-f', fine, '--source', 'env:SOURCE_URL', '--confirm', 'app.person', '--by', 'Ada')).toHaveProperty(
    'confirmed',
  );
}, 120_000);

it('when the gate denies: run and plan say 2, and so does doctor, for which nothing is broken', async () => {
  expect(await look(2, 'run', '-f', denied)).toMatchObject({ state: 'denied', decision: { allow: false } });
  await look(2, 'plan', '-f', denied);
  expect(await look(2, 'doctor', '-f', denied)).toMatchObject({ ok: false, findings: [] });
}, 60_000);

it('when the documents cannot be used, a server is away, or the target is the source', async () => {
  for (const command of ['run', 'plan', 'datasets', 'rollback', 'expire']) await look(3, command, '-f', join(world.folder, 'nowhere.yaml'));
  await look(3, 'plan', '-f', broken);
  const unfit = world.documents({
    'pipeline.yaml': `${pipelineText}checks: [{ name: a, kind: notNull, table: app.persn, columns: id }]\n`,
  });
  expect(await look(3, 'check', '-f', unfit)).toMatchObject({
    findings: [{ code: 'PLAN_TABLE_UNKNOWN', where: { expected: 'app.person' } }],
  });
  await look(3, 'doctor', '-f', broken);
  await look(3, 'classify', '-f', broken, '--check', '--schema', 'env:SOURCE_URL');
  await look(3, 'classify', '--source', 'env:NOT_THERE');
  const away = env['SOURCE_URL'];
  env['SOURCE_URL'] = 'postgres://bauta_source:x@127.0.0.1:1/production';
  for (const command of ['run', 'plan', 'doctor']) await look(1, command, '-f', fine);
  await look(1, 'classify', '--source', 'env:SOURCE_URL');
  env['SOURCE_URL'] = away ?? '';
  env['TARGET_URL'] = world.target('json_production');
  expect(await look(3, 'run', '-f', fine)).toMatchObject({
    state: 'failed',
    findings: expect.arrayContaining([expect.objectContaining({ code: 'TARGET_IS_SOURCE' })]),
  });
}, 60_000);

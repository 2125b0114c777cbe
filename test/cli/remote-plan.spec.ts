// `bauta --server` of plan, datasets and rollback: a service says what this machine says, word for word, and does what it does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import type { ErrandWorker } from '../../src/control/errands/errands.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type ServiceWorld, startErrandWorker, startRunWorker, startServiceWorld } from '../support/service.js';
import { type Said, type TinyWorld, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let errands: ErrandWorker;
let env: Record<string, string> = {};
const files: Record<string, string> = {};

/** `near` and `away` are the same, but for their names, which are of one length. */
const named = (name: string): string =>
  pipelineText
    .replace('name: tiny', `name: ${name}`)
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', `env:BAUTA_CONN_${name.toUpperCase()}`);
const gap = classificationText.replace('name: tiny', 'name: gap').replace(', born: pii.date-of-birth', '');

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  // Reading this table takes a minute, by the budget of rows.
  const big = `CREATE TABLE app.slow (id int PRIMARY KEY, note text); INSERT INTO app.slow SELECT i, repeat('x', 200) FROM generate_series(1, 60000) i; ANALYZE`;
  const connections = {
    BAUTA_CONN_SOURCE: await tiny.source('shop'),
    BAUTA_CONN_BIG: await tiny.source('big', big),
    ...Object.fromEntries(
      ['near', 'away', 'denied', 'slow', 'failed'].map((name) => [`BAUTA_CONN_${name.toUpperCase()}`, tiny.target(name)]),
    ),
  };
  env = {
    ...connections,
    AUTHOR: await world.person('ada', ['policy-admin', 'viewer']),
    TOKEN: await world.person('olga', ['operator', 'viewer']),
    APPROVER: await world.person('pia', ['approver']),
    WATCHER: await world.person('vic', ['viewer']),
    ELSEWHERE: await world.person('elsa', ['operator@prod', 'viewer@prod']),
    FOREIGNER: await world.person('fay', ['operator', 'viewer'], 'foreign'),
    BAUTA_TOKEN: 'env:TOKEN',
    // One machine for both: its keys are the worker's.
    BAUTA_HOME: join(tiny.folder, 'home'),
  };
  const documents: Record<string, Record<string, string>> = {
    near: { 'pipeline.yaml': named('near') },
    away: { 'pipeline.yaml': named('away') },
    denied: { 'pipeline.yaml': named('denied').replace('allows: [pii]', 'allows: [quasi]') },
    failed: { 'pipeline.yaml': named('failed').replace('classification: tiny', 'classification: gap'), 'classification.yaml': gap },
    slow: {
      'pipeline.yaml': named('slow')
        .replace('env:BAUTA_CONN_SOURCE', 'env:BAUTA_CONN_BIG')
        .replace('classification: tiny', 'classification: slow\ninclude: [app.slow]'),
      'classification.yaml': 'kind: Classification\nname: slow\ntables: { app.slow: { columns: { id: pii.key, note: pii.free-text } } }\n',
    },
  };
  for (const [name, texts] of Object.entries(documents)) files[name] = tiny.documents(texts);
  for (const name of ['away', 'denied', 'failed', 'slow']) {
    const applied = await there(['apply', '-f', files[name]!], { BAUTA_TOKEN: 'env:AUTHOR' });
    expect([applied.exitCode, applied.stderr]).toEqual([0, '']);
  }
  const more = { BAUTA_SOURCE_ROWS_PER_SECOND: '1000' };
  worker = await startRunWorker(world, env['BAUTA_HOME']!, connections, more);
  errands = await startErrandWorker(world, env['BAUTA_HOME']!, connections, more);
}, 60_000);
afterAll(async () => {
  await errands.stop();
  await worker.stop();
  await world.stop();
  await tiny.stop();
});

const there = (words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Said> =>
  bauta(words, { cwd: tiny.folder, env: { ...env, BAUTA_SERVER: world.url, ...more } });
const here = (...words: string[]): Promise<Said> => bauta(words, { cwd: tiny.folder, env });

function parse({ stdout }: Said, command: string): Record<string, unknown> {
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', `output-${command}.json`), 'utf8')) as object;
  const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  const said = JSON.parse(stdout) as Record<string, unknown>;
  expect([fits(said), fits.errors]).toEqual([true, null]);
  return said;
}

/** A document has its name there where it has its file here; and what differs from run to run. */
const normalise = (text: string): string =>
  text
    .replace(/(classification\.yaml|Classification gap version 1):\d+/g, 'DOCUMENT')
    .replace(/"file":"(classification\.yaml|Classification gap version 1)","line":\d+/g, '"file":"DOCUMENT"')
    .replace(/"decisionId":"[0-9a-f-]{36}"/, '"decisionId":"ID"')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]{8,12}Z/g, 'AT')
    .replace(/\b[0-9a-hjkmnp-tv-z]{16}\b/g, 'RUN')
    .replace(/sha256:[0-9a-f]{64}/g, 'DIGEST')
    .replace(/\b(near|away)(?=\b|_)/g, 'DB')
    .replace(/(DB_bauta_)\w+/g, '$1RUN');

const say = ({ exitCode, stdout, stderr }: Said): unknown => [exitCode, normalise(stdout), normalise(stderr)];

describe('bauta plan', () => {
  it.each([
    ['may go ahead', 'away', 0],
    ['the gate denies', 'denied', 2],
    ['is refused', 'failed', 3],
  ])(
    'that %s is at a service what it is here',
    async (_, name, exitCode) => {
      const [far, near] = [await there(['plan', name]), await here('plan', '-f', files[name]!)];
      expect(near.exitCode).toBe(exitCode);
      expect(say(far)).toEqual(say(near));
      const [farJson, nearJson] = [await there(['plan', name, '--json']), await here('plan', '-f', files[name]!, '--json')];
      parse(farJson, 'plan');
      // The digest, too: it is one plan.
      const digest = ({ stdout }: Said): unknown => (JSON.parse(stdout) as { planDigest: unknown }).planDigest;
      expect([far.exitCode, digest(farJson), normalise(farJson.stdout)]).toEqual([exitCode, digest(nearJson), normalise(nearJson.stdout)]);
    },
    60_000,
  );

  it('of a file is that of what is applied there, or it is said what differs', async () => {
    expect((await there(['plan', '-f', files['away']!])).exitCode).toBe(0);
    const other = tiny.documents({ 'pipeline.yaml': named('away').replace('retentionDays: 30', 'retentionDays: 31') });
    const said = await there(['plan', '-f', other]);
    expect([said.exitCode, said.stdout, said.stderr]).toEqual([3, '', expect.stringContaining('error: DOCUMENTS_NOT_APPLIED')]);
  });

  it('takes the lock beside the classification for a document of its own', async () => {
    const kept = /    keep:\n      - \{ columns: \[sku.*\n/;
    const classification = `${classificationText.replace('name: tiny', 'name: locked').replace(`  app.product:\n`, '').replace(kept, '')}patterns: { "app.product.*": none }\n`;
    const confirmed = { tag: 'none', by: 'Ada', at: '2026-11-01T00:00:00Z' };
    const lock = (...columns: string[]): string =>
      JSON.stringify({ version: 1, columns: Object.fromEntries(columns.map((name) => [`app.product.${name}`, confirmed])) });
    const texts = {
      'pipeline.yaml': named('locked').replace('env:BAUTA_CONN_LOCKED', 'env:BAUTA_CONN_AWAY').replace('classification: tiny', 'classification: locked'), // prettier-ignore
      'classification.yaml': classification,
      'classification.lock': lock('sku', 'title', 'price'),
    };
    const file = tiny.documents(texts);
    const applied = await there(['apply', '-f', file], { BAUTA_TOKEN: 'env:AUTHOR' });
    // Whoever says of a column by hand that it is nothing has somebody agree to it.
    expect([applied.exitCode, applied.stdout]).toEqual([2, expect.stringContaining('create     ClassificationLock locked, version 1\n')]);
    const [id = ''] = /[0-9a-f-]{36}$/m.exec(applied.stdout) ?? [];
    expect((await there(['approvals', 'approve', id], { BAUTA_TOKEN: 'env:APPROVER' })).exitCode).toBe(0);
    const [far, near] = [await there(['plan', '-f', file]), await here('plan', '-f', file)];
    expect(near.exitCode).toBe(0);
    expect(say(far)).toEqual(say(near));
    const less = tiny.documents({ ...texts, 'classification.lock': lock('sku', 'title') });
    const said = await there(['plan', '-f', less]);
    expect([said.exitCode, said.stderr]).toEqual([3, expect.stringContaining('DOCUMENT_NOT_APPLIED: ClassificationLock locked is not')]);
  });

  it.each([
    ['rows', ['plan', 'away', '--sample', '3'], {}, 3, 'COMMAND_LINE_INVALID'],
    ['no pipeline', ['plan'], {}, 3, 'OPTION_MISSING'],
    ['a pipeline that is not there', ['plan', 'nothing'], {}, 3, 'RESOURCE_UNKNOWN'],
    ['a pipeline of another workspace', ['plan', 'away'], { BAUTA_TOKEN: 'env:FOREIGNER' }, 3, 'RESOURCE_UNKNOWN'],
    ['one who only looks', ['plan', 'away'], { BAUTA_TOKEN: 'env:WATCHER' }, 2, 'ACCESS_DENIED'],
    ['one of another environment', ['plan', 'away'], { BAUTA_TOKEN: 'env:ELSEWHERE' }, 2, 'ACCESS_DENIED'],
  ])('is refused for %s, and says so', async (_, words, more, exitCode, code) => {
    const said = await there([...words, '--json'], more);
    expect([said.exitCode, parse(said, 'plan')]).toMatchObject([exitCode, { plan: null, error: { code } }]);
    expect(said.stderr).toMatch(new RegExp(`error: ${code}: .*\\nhint:  .+`));
  });
});

describe('bauta datasets and bauta rollback', () => {
  const both = async (command: string, ...words: string[]): Promise<[Said, Said]> => [
    await there([command, 'away', ...words]),
    await here(command, '-f', files['near']!, ...words),
  ];

  it('say of an empty target what they say here', async () => {
    for (const command of ['datasets', 'rollback']) {
      const [far, near] = await both(command);
      expect(say(far)).toEqual(say(near));
      const [farJson, nearJson] = await both(command, '--json');
      parse(farJson, command);
      expect(say(farJson)).toEqual(say(nearJson));
    }
    expect((await world.told('rollback.failed'))[0]).toMatchObject({ data: { pipeline: 'away', code: 'ROLLBACK_NOTHING' } });
  });

  it('show two versions, take back the newer one once, and the log of the workspace tells who did it', async () => {
    for (let i = 0; i < 2; i++) {
      expect((await there(['run', 'away'])).exitCode).toBe(0);
      expect((await here('run', '-f', files['near']!)).exitCode).toBe(0);
    }
    const [far, near] = await both('datasets');
    expect(near.stdout).toMatch(/near +2 +current +signed .*\n.*near +1 +previous +signed /);
    expect(say(far)).toEqual(say(near));
    const [back, backHere] = await both('rollback');
    expect([backHere.exitCode, backHere.stdout]).toEqual([0, 'rolled back: near is version 1 again\n']);
    expect(say(back)).toEqual(say(backHere));
    const [after, afterHere] = await both('datasets', '--json');
    expect(parse(after, 'datasets')['datasets']).toMatchObject([{ version: 2, state: 'previous' }, { version: 1, state: 'current' }]); // prettier-ignore
    expect(say(after)).toEqual(say(afterHere));
    // It is the older one that expires, and whose source is looked at, again.
    const versions = `SELECT version, replaced_at IS NULL AS current FROM bauta.dataset_version WHERE pipeline = 'away' ORDER BY version`;
    expect(await world.sql(versions)).toEqual([{ version: 1, current: true }, { version: 2, current: false }]); // prettier-ignore
    const [again, againHere] = await both('rollback');
    expect(say(again)).toEqual(say(againHere));
    expect(againHere.exitCode).toBe(3);

    const [person] = await world.sql(`SELECT id FROM bauta.person WHERE name = 'olga'`);
    const told = await world.told('rollback.requested', 'dataset.rolled-back.intended', 'dataset.rolled-back.done', 'rollback.done');
    const id = told.find(({ type }) => type === 'rollback.done')?.data['rollback'];
    const actor = person?.['id'];
    // In the log the actor is one of the data.
    const of = told.filter(({ runId, data }) => runId === id || data['rollback'] === id);
    expect(of.map(({ type, actor: by, data }) => ({ type, data: { actor: by, ...data } }))).toMatchObject([
      { type: 'rollback.requested', data: { pipeline: 'away', environment: 'dev', actor } },
      { type: 'dataset.rolled-back.intended', data: { environment: 'dev', target: 'away', from: 2, actor } },
      { type: 'dataset.rolled-back.done', data: { from: 2, actor } },
      { type: 'rollback.done', data: { pipeline: 'away', actor } },
    ]);
  }, 120_000);

  it('take nothing back while a run is at work there, and list what it makes', async () => {
    const { body } = await world.ask('POST', '/v1/runs', { token: env['TOKEN']!, json: { pipeline: 'slow' } });
    for (let i = 0; i < 200; i++) {
      const listed = await there(['datasets', 'slow']);
      if (/slow +1 +staging +none/.test(listed.stdout)) break;
      expect([listed.exitCode, i < 100]).toEqual([0, true]);
    }
    const far = await there(['rollback', 'slow']);
    expect([far.exitCode, far.stderr]).toEqual([1, expect.stringContaining('error: TARGET_BUSY: another run or roll-back works on the target slow')]); // prettier-ignore
    expect(say(far)).toEqual(say(await here('rollback', '-f', files['slow']!)));
    expect((await there(['runs', 'cancel', String(body['id'])])).exitCode).toBe(0);
  }, 60_000);

  it.each([
    ['a roll-back by one who only looks', 'rollback', 'WATCHER', 2, 'ACCESS_DENIED'],
    ['a roll-back in another environment', 'rollback', 'ELSEWHERE', 2, 'ACCESS_DENIED'],
    ['a roll-back from another workspace', 'rollback', 'FOREIGNER', 3, 'RESOURCE_UNKNOWN'],
    ['the versions of another environment', 'datasets', 'ELSEWHERE', 2, 'ACCESS_DENIED'],
    ['the versions of another workspace', 'datasets', 'FOREIGNER', 3, 'RESOURCE_UNKNOWN'],
  ])('refuse %s', async (_, command, who, exitCode, code) => {
    const said = await there([command, 'away', '--json'], { BAUTA_TOKEN: `env:${who}` });
    expect([said.exitCode, parse(said, command)]).toMatchObject([exitCode, { findings: [{ code }], error: { code } }]);
  });
});

// A person is erased from the copies of a pipeline at a service: found by pseudonym, dropped with a receipt, and named nowhere but in the request.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { ErrandClock } from '../../src/control/errands/errands.js';
import { systemClock } from '../../src/kernel/clock.js';
import { type Answer, type ServiceWorld, startErrandWorker, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, bauta, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
const workers: { stop(): Promise<void> }[] = [];
const tokens: Record<string, string> = {};
const email = `${canary}17@canary.net`;
const odd = `${canary}-is-no-number`;

/** Numbers of persons that no foreign key says are theirs. */
const withoutForeignKey = `  app.call:
    columns: { caller: pii.key }
`;

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  for (const text of [email, odd]) world.secret(text);
  home = mkdtempSync(join(tmpdir(), 'bauta-subjects-'));
  for (const [name, role] of Object.entries({ author: 'policy-admin', operator: 'operator', viewer: 'viewer', requester: 'requester' }))
    tokens[name] = await world.person(name, [role]);
  const pipeline = pipelineText
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET\n  keepVersions: 2')
    .replace('import: [classification.yaml]\n', '');
  const other = pipeline.replace('name: tiny', 'name: nightly').replace('_TARGET', '_OTHER');
  const text = [pipeline, other, `${classificationText}${withoutForeignKey}`].join('---\n');
  const applied = await world.ask('POST', '/v1/apply', { token: tokens['author']!, text, headers: { 'content-type': 'application/yaml' } });
  expect([applied.status, applied.status === 200 ? '' : applied.body]).toEqual([200, '']);
  const connections = {
    BAUTA_CONN_SOURCE: await tiny.source(
      'shop',
      'CREATE TABLE app.call AS SELECT i AS caller FROM generate_series(10, 30) i; ANALYZE app.call',
    ),
    BAUTA_CONN_TARGET: tiny.target('copy'),
    BAUTA_CONN_OTHER: tiny.target('other'),
  };
  workers.push(await startRunWorker(world, home, connections), await startErrandWorker(world, home, connections));
}, 90_000);
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

const ask = (method: string, path: string, who: string, json?: object): Promise<Answer> =>
  world.ask(method, path, { token: tokens[who]!, ...(json === undefined ? {} : { json }) });

async function ended(path: string): Promise<Record<string, unknown>> {
  for (const startedAt = performance.now(); performance.now() - startedAt < 60_000;) {
    const { body } = await ask('GET', path, 'operator');
    if (body['endedAt'] !== null) return body;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it does not end');
}
async function run(): Promise<void> {
  const { body } = await ask('POST', '/v1/runs', 'operator', { pipeline: 'tiny' });
  expect((await ended(`/v1/runs/${String(body['id'])}`))['state']).toBe('published');
}
async function erase(more: object): Promise<Record<string, unknown>> {
  const asked = await ask('POST', '/v1/subjects/erase', 'operator', { pipeline: 'tiny', reason: 'request 2026/17', ...more });
  expect([asked.status, asked.headers.get('location')]).toEqual([202, `/v1/subjects/erase/${String(asked.body['id'])}`]);
  return ended(`/v1/subjects/erase/${String(asked.body['id'])}`);
}
async function versions(): Promise<readonly string[]> {
  const { body } = await ask('GET', '/v1/datasets?pipeline=tiny', 'operator');
  return (body['items'] as { version: number; state: string }[]).map(({ version, state }) => `${version} ${state}`);
}

it('refuses what finds nobody before anything is done, and says where and never who', async () => {
  await run();
  await run();
  const of = (column: string, value: string): object => ({ subject: [{ table: 'app.person', column, value }] });
  for (const [code, wanted] of [
    ['SUBJECT_VALUE_UNFIT', of('id', odd)],
    ['SUBJECT_COLUMN_UNFIT', of('full_name', odd)],
    ['SUBJECT_COLUMN_UNFIT', of('height', odd)],
  ] as const)
    expect(await erase(wanted)).toMatchObject({ result: null, error: { code } });
  const wrong = await ask('POST', '/v1/subjects/erase', 'operator', {
    pipeline: 'tiny',
    reason: 'r',
    subject: [{ table: 1, column: [], value: [odd] }],
  });
  expect([wrong.status, JSON.stringify(wrong.body).includes(canary)]).toEqual([422, false]);
  for (const who of ['viewer', 'requester'])
    expect((await ask('POST', '/v1/subjects/erase', who, { pipeline: 'tiny', reason: 'r' })).status).toBe(403);
  expect([await versions(), await world.told('erasure.requested')]).toEqual([['2 current', '1 previous'], []]);
}, 60_000);

it('looks for the person for whoever may ask, changes nothing, and tells the log how many identifiers', async () => {
  const subject = [{ table: 'app.person', column: 'email', value: email }];
  const asked = await ask('POST', '/v1/subjects/reach', 'operator', { pipeline: 'tiny', subject });
  expect([asked.status, asked.headers.get('location')]).toEqual([202, `/v1/subjects/reach/${String(asked.body['id'])}`]);
  const { result, error } = await ended(`/v1/subjects/reach/${String(asked.body['id'])}`);
  expect(error).toBeNull();
  const columns = [{ table: 'app.person', column: 'email', rows: 1, by: 'value' }];
  expect(result).toMatchObject({
    traced: expect.arrayContaining([
      expect.objectContaining({ version: 1, columns }),
      expect.objectContaining({ version: 2, columns }),
    ]) as unknown,
    ...{ identifiers: 1, others: ['nightly'], environment: 'dev', beyond: { backups: { says: 'unknown' } } },
  });
  expect((await ask('POST', '/v1/subjects/reach', 'viewer', { pipeline: 'tiny', subject })).status).toBe(403);
  const told = await world.told('person.looked-for');
  expect(told.map(({ data }) => [data['identifiers'], data['copies']])).toEqual([[1, 2]]);
  expect(await versions()).toEqual(['2 current', '1 previous']);
}, 60_000);

it('finds the person in every version, drops what may hold them, has the rest replaced, and tells it in counts', async () => {
  await tiny.server.sql('shop', 'DELETE FROM app."order" WHERE person_id = 17; DELETE FROM app.person WHERE id = 17');
  const subject = [
    { table: 'app.person', column: 'id', value: '17' },
    { table: 'app.person', column: 'email', value: email },
  ];
  const { result, error } = await erase({ subject, how: 'refresh' });
  expect(error).toBeNull();
  // Order 17 is somebody else's: its table counts its own rows. What nobody says is told as such.
  const columns = [
    { table: 'app.call', column: 'caller', rows: 1, by: 'unknown' },
    { table: 'app.order', column: 'person_id', rows: 2, by: 'foreign-key' },
    { table: 'app.person', column: 'id', rows: 1, by: 'foreign-key' },
    { table: 'app.person', column: 'email', rows: 1, by: 'value' },
  ];
  expect(result).toMatchObject({
    traced: expect.arrayContaining([
      { version: 2, run: expect.any(String), of: 'current', for: null, columns, why: null },
      { version: 1, run: expect.any(String), of: 'previous', for: null, columns, why: null },
    ]) as unknown,
    dropped: [{ version: 1 }],
    left: [{ version: 2, state: 'current', why: 'current' }],
    ...{ completed: false, shredded: 0, others: ['nightly'], beyond: { backups: { says: 'unknown' }, topics: { says: 'unknown' } } },
  });
  const { run: refreshing, erasure } = result as { run: string; erasure: string };
  expect((await ended(`/v1/runs/${refreshing}`))['state']).toBe('published');
  // What replaced it also dropped it: nobody had to ask again.
  expect(await versions()).toEqual(['3 current']);
  const told = await world.told('erasure.requested', 'erasure.receipt', 'erasure.completed');
  expect(told.map(({ type, data }) => [type, data['erasure']])).toEqual(
    ['erasure.requested', 'erasure.receipt', 'erasure.completed'].map((type) => [type, erasure]),
  );
  expect(await tiny.server.sql('copy', 'SELECT count(*)::int AS n FROM app.person')).toEqual([{ n: 179 }]);
  // Nothing that was handed over is left, and nothing could open it.
  const left = await world.sql(
    `SELECT count(*)::int AS n FROM bauta.errand WHERE kind = 'erase' AND (handed IS NOT NULL OR recipient IS NOT NULL)`,
  );
  expect(left).toEqual([{ n: 0 }]);
}, 90_000);

it('the command line asks for it there, reads who it is from a file, and never says it', async () => {
  const file = join(home, 'person.json');
  writeFileSync(file, JSON.stringify([{ table: 'app.person', column: 'email', value: email }]));
  const words = ['erase', 'tiny', '--server', world.url, '--token', 'env:T', '--reason', 'request 2026/18', '--subject', file];
  const said = await bauta(words, { env: { T: tokens['operator']! } });
  expect([said.exitCode, said.stderr]).toEqual([1, '']);
  expect(said.stdout).toContain('current version 3: no row with a pseudonym of the person');
  expect(said.stdout).toContain('nightly reads the same source');
  expect(said.stdout).not.toContain(canary);
  const back = await ask('POST', '/v1/rollbacks', 'operator', { pipeline: 'tiny' });
  expect(back.status).toBe(202);
  await ended(`/v1/rollbacks/${String(back.body['id'])}`);
}, 60_000);

it('what was erased is told, too, while an incident lets nothing new be made', async () => {
  await world.sql(
    `INSERT INTO bauta.incident (workspace_id, id, rule, environment, pipeline, playbook, playbook_version, opened_at, answered_by, evidence_from, frozen_at)
       SELECT workspace_id, '0000000000000001', 'manual', 'dev', 'tiny', 'pii-leak', 0, now(), id, now(), now() FROM bauta.person WHERE name = 'operator'`,
  );
  const { result, error } = await erase({ subject: [{ table: 'app.person', column: 'email', value: email }], how: 'refresh' });
  expect(error).toBeNull();
  expect(result).toMatchObject({ run: null, shredded: 0, completed: false, left: [{ state: 'current', why: 'current' }] });
  const { erasure } = result as { erasure: string };
  expect((await world.told('erasure.receipt')).map(({ data }) => data['erasure'])).toContain(erasure);
}, 90_000);

it('tells and carries out what is left, once, when the metadata database goes away after the drops', async () => {
  // Its server ends the worker's session, twice, at the very statement that leaves the receipt.
  await world.sql(`CREATE SEQUENCE public.receipts;
    CREATE FUNCTION public.cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
      IF nextval('public.receipts') <= 2 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
      RETURN NEW; END $$;
    CREATE TRIGGER cut BEFORE INSERT ON bauta.outbox FOR EACH ROW WHEN (NEW.event ->> 'type' = 'erasure.receipt') EXECUTE FUNCTION public.cut()`);
  const { id, result, error } = await erase({ subject: [{ table: 'app.person', column: 'email', value: email }], how: 'drop' });
  await world.sql('DROP TRIGGER cut ON bauta.outbox');
  expect([error, result]).toEqual([null, expect.objectContaining({ shredded: 0 })]);
  expect(await world.sql('SELECT last_value::int AS times FROM public.receipts')).toEqual([{ times: 3 }]);
  const told = await world.told('erasure.receipt', 'subject-erasure.done', 'subject-erasure.failed');
  expect(told.filter(({ data }) => data['subject-erasure'] === id).map(({ type }) => type).sort()).toEqual([
    ...['erasure.receipt', 'subject-erasure.done'],
  ]); // prettier-ignore
}, 90_000);

it('tells, without anybody asking, that one has failed whose worker is gone, and not of one that is heard again', async () => {
  for (const id of ['gonegonegonegone', 'lateandherenow00'])
    await world.sql(`INSERT INTO bauta.errand (workspace_id, id, kind, pipeline, environment, documents, requested_by, wanted, created_at, started_at, heard_at)
      SELECT workspace_id, '${id}', kind, pipeline, environment, documents, requested_by, wanted, now() - interval '3 min', now() - interval '3 min', now() - interval '2 min'
      FROM bauta.errand WHERE kind = 'erase' LIMIT 1`);
  const clock = new ErrandClock({ metadata: world.metadata, clock: systemClock, failed: (error) => expect(error).toBeUndefined() });
  await clock.stop();
  const failed = async (): Promise<unknown> =>
    (await world.told('subject-erasure.failed'))
      .filter(({ data }) => /^(gone|late)/.test(String(data['subject-erasure'])))
      .map(({ data }) => `${String(data['subject-erasure'])} ${String(data['code'])}`);
  expect(await failed()).toEqual([]);
  await world.sql(`UPDATE bauta.errand SET heard_at = now() + interval '10 min' WHERE id = 'lateandherenow00'`);
  for (let look = 0; look < 2; look += 1) await clock.look();
  expect(await failed()).toEqual(['gonegonegonegone ERRAND_ABANDONED']);
});

// What there is of each environment: for those of a document and those that only a pipeline names, in pages, for whoever may look at them.
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { packageFile } from '../../src/kernel/package-root.js';
import { Metadata } from '../../src/systems/metadata/metadata.js';
import { countRowsRead } from '../support/rows-read.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { bauta } from '../support/tiny-source.js';

const OLD = 5000;
let world: ServiceWorld;
let [vic, dev, ada, stranger] = ['', '', '', ''];
beforeAll(async () => {
  world = await startServiceWorld();
  vic = await world.person('vic', ['viewer']);
  dev = await world.person('dev-only', ['viewer@dev']);
  ada = await world.person('ada', ['policy-admin']);
  stranger = await world.person('stranger', ['viewer'], 'foreign');
  const text =
    'kind: Environment\nname: test\nconnection: env:BAUTA_CONN_T\nclass: test\nowner: team\npurpose: tests\nregion: eu\nallows: [pii]\n';
  const { status, body } = await world.ask('POST', '/v1/apply', { token: ada, text, headers: { 'content-type': 'application/yaml' } });
  expect([status, body['findings']]).toEqual([200, undefined]);
  const [{ id: person } = {}] = await world.sql(`SELECT id FROM bauta.person WHERE name = 'ada'`);
  const home = world.workspaces.home;
  await world.sql(`
    INSERT INTO bauta.run (id, workspace_id, pipeline, documents, environment, state, ended_at)
      SELECT lpad(i::text, 16, '0'), '${home}', 'shop', '[{"kind":"Pipeline","name":"shop","version":3}]', 'dev', 'published', now()
      FROM generate_series(1, ${OLD + 2}) i;
    INSERT INTO bauta.dataset_version (workspace_id, run_id, pipeline, environment, documents, catalogue_digest, policy_digest, policy_revision, server,
        target, version, expires_at, published_at, replaced_at, readers, rows_drift, rows_looked_at)
      SELECT '${home}', lpad(i::text, 16, '0'), 'shop', 'dev', '{"Pipeline shop":"sha256:1","Rulebook strict":"sha256:2"}', 'sha256:c', 'sha256:p', 'r7', 's',
        'shop_dev', i, now() + interval '10 days 1 hour', now() - interval '3 hours', CASE WHEN i <= ${OLD} + 1 THEN now() END,
        '{"at":"2026-11-21T10:00:00.000Z","roles":[{"role":"shop_dev_rw","sessions":2}]}',
        CASE WHEN i = ${OLD} + 2 THEN '["app.person: rows differ"]'::json END, now()
      FROM generate_series(1, ${OLD + 2}) i;
    INSERT INTO bauta.hold (workspace_id, run_id, reason, placed_by, until)
      VALUES ('${home}', lpad('${OLD + 1}', 16, '0'), 'sha256:r', '${String(person)}', now() + interval '1 year'),
        ('${home}', lpad('7', 16, '0'), 'sha256:r', '${String(person)}', now() - interval '1 year');
    INSERT INTO bauta.clone (id, workspace_id, environment, pipeline, purpose, hours, requested_by, state, version, database, expires_at, ended_at)
      VALUES ('c1', '${home}', 'dev', 'shop', 'pr-1', 4, '${String(person)}', 'ready', 1, 'c1', '2030-01-01T00:00:00Z', NULL),
        ('c2', '${home}', 'dev', 'shop', 'pr-2', 4, '${String(person)}', 'ready', 1, 'c2', '2030-01-02T00:00:00Z', NULL),
        ('c3', '${home}', 'dev', 'shop', 'pr-3', 4, '${String(person)}', 'dropped', 1, 'c3', '2031-01-01T00:00:00Z', now());
    ANALYZE`);
});
afterAll(() => world.stop());

const list = async (token: string, query = ''): Promise<Record<string, unknown>> =>
  (await world.ask('GET', `/v1/environments${query}`, { token })).body;
const namesOf = (body: Record<string, unknown>): unknown[] => (body['items'] as { name: string }[]).map(({ name }) => name);

it('says of each environment which versions there are, what made them, who reads them, and what is out of the ordinary', async () => {
  const { items } = await list(vic);
  expect(items).toMatchObject([
    {
      ...{ name: 'dev', document: null, clones: { count: 2, until: '2030-01-02T00:00:00.000Z' } },
      datasets: [
        {
          ...{ version: OLD + 2, state: 'current', target: 'shop_dev', ageSeconds: expect.any(Number), expired: false, heldUntil: null },
          ...{ rowsDrifted: ['app.person: rows differ'], policy: { revision: 'r7', digest: 'sha256:p' } },
          documents: [
            { kind: 'Pipeline', name: 'shop', version: 3, digest: 'sha256:1' },
            { kind: 'Rulebook', name: 'strict', version: null, digest: 'sha256:2' },
          ],
          readers: { at: '2026-11-21T10:00:00.000Z', roles: [{ role: 'shop_dev_rw', sessions: 2 }] },
        },
        // Another one took its place, and it stays because it is held; a hold that is over keeps nothing.
        { version: OLD + 1, state: 'previous', heldUntil: expect.any(String) },
      ],
    },
    { name: 'test', document: { version: 1, author: 'ada' }, datasets: [], clones: { count: 0, until: null } },
  ]);
  const [first] = (items as { datasets: { ageSeconds: number }[] }[])[0]?.datasets ?? [];
  expect(first?.ageSeconds).toBeGreaterThanOrEqual(3 * 3600);
  const { body } = await world.ask('GET', '/v1/environments/dev/inventory', { token: vic });
  expect({ ...body, datasets: [] }).toEqual({ ...(items as object[])[0], datasets: [] });
  // The document stays what it was, with its own ETag.
  const { body: document } = await world.ask('GET', '/v1/environments/test', { token: vic });
  expect(document).toMatchObject({ kind: 'Environment', version: 1, document: { class: 'test' } });
});

it('goes through them page by page', async () => {
  const first = await list(vic, '?limit=1');
  const second = await list(vic, `?limit=1&cursor=${String(first['next'])}`);
  const third = await list(vic, `?limit=1&cursor=${String(second['next'])}`);
  expect([first, second, third].map(namesOf)).toEqual([['dev'], ['test'], []]);
});

it('shows nobody an environment that he may not look at, and nobody another workspace', async () => {
  expect(namesOf(await list(dev))).toEqual(['dev']);
  expect((await world.ask('GET', '/v1/environments/test/inventory', { token: dev })).status).toBe(403);
  expect(namesOf(await list(stranger))).toEqual([]);
  expect((await world.ask('GET', '/v1/environments/dev/inventory', { token: stranger })).status).toBe(404);
  expect((await world.ask('GET', '/v1/environments/nowhere/inventory', { token: vic })).status).toBe(404);
});

it('reads no row of a version that is gone, however many there were', async () => {
  const metadata = await Metadata.open(world.urls.service, 1);
  try {
    const read = await countRowsRead({ server: world.server, metadata }, 'dataset_version', () =>
      metadata.within(world.workspaces.home, async ({ environments, datasets }) => {
        const names = (await environments.list(50)).map(({ name }) => name);
        expect(await datasets.inEnvironments(names, new Date())).toHaveLength(2);
      }),
    );
    expect(read).toBeLessThanOrEqual(20);
  } finally {
    await metadata.close();
  }
});

it('is a table on the command line, and JSON of its published form', async () => {
  const at = ['--server', world.url, '--token', 'env:TOKEN'];
  const said = await bauta(['environments', ...at], { env: { TOKEN: vic } });
  expect([said.exitCode, said.stderr]).toEqual([0, '']);
  const [head, ...lines] = said.stdout.split('\n');
  expect(head).toMatch(/^ENVIRONMENT +TARGET +VERSION +AGE +STATE +RULEBOOKS +POLICY +READERS +CLONES$/);
  expect(lines[0]).toMatch(/^dev +shop_dev +5002 +3 h +drifted, expires in 10 days +strict +r7 +shop_dev_rw \(2\) +2$/);
  expect(lines[1]).toMatch(/^dev +shop_dev +5001 +3 h +previous, expires in 10 days, held until 20\d\d-\S+ +strict/);
  expect(lines[2]).toMatch(/^test +nothing published +0$/);
  const json = await bauta(['environments', ...at, '--json'], { env: { TOKEN: vic } });
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-environments.json'), 'utf8')) as object;
  const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  expect([fits(JSON.parse(json.stdout)), fits.errors]).toEqual([true, null]);
  const away = await bauta(['environments'], { env: { TOKEN: vic } });
  expect([away.exitCode, away.stderr]).toEqual([3, expect.stringContaining('OPTION_MISSING')]);
}, 30_000);

// What people wrote stands in one place of the metadata database, where it can be erased: neither a run's end nor what it told while it went keeps
// another copy; and who is let out of the service sees no more of a run that goes.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { toFinding } from '../../src/kernel/errors.js';
import { type Answer, type ServiceWorld, readEverything, startServiceWorld } from '../support/service.js';

const branch = 'feature/of-mirabelle.yaml';
const reason = 'mirabelle said that it may';
const finding = toFinding('COLUMN_UNTAGGED', { file: branch, table: 'shop.person' });
const summary = { state: 'failed', findings: [finding], decision: { allow: false, waivers: [{ reason }] } };
const told = { kind: 'prepared', warnings: [finding], plan: null, decision: null };
let world: ServiceWorld;
const tokens: Record<string, string> = {};
const ended = '0000000000000001';
const going = '0000000000000002';

beforeAll(async () => {
  world = await startServiceWorld();
  await world.startSequencer();
  for (const role of ['viewer', 'operator', 'administrator']) tokens[role] = await world.person(role, [role]);
  await world.metadata.within(world.workspaces.home, async ({ runs, log }) => {
    for (const id of [ended, going]) {
      await runs.insert({ id, pipeline: 'shop', documents: [], environment: 'dev', requestedBy: null, dueAt: null });
      await runs.transition(id, { to: 'planning' });
    }
    await runs.tell(ended, 1, told as never);
    await runs.transition(ended, { to: 'failed', summary });
    // As the run's own entries in the log have it, and a plan that somebody asked for.
    await log.keepText(branch);
    await log.keepText(reason);
  });
  await world.sql(`INSERT INTO bauta.errand (id, workspace_id, kind, pipeline, environment, documents, requested_by, ended_at, result)
    SELECT 'plan-1', workspace_id, 'plan', 'shop', 'dev', '[]', id, now(), '{"reason":"${reason}"}' FROM bauta.person WHERE name = 'viewer'`);
});
afterAll(() => world.stop());

const get = (path: string): Promise<Answer> => world.ask('GET', path, { token: tokens['viewer'] ?? '' });
const places = async (): Promise<number> =>
  (await readEverything((text) => world.sql(text))).filter((row) => row.includes('mirabelle')).length;
const toldOf = async (): Promise<unknown> => {
  const { body } = await get(`/v1/runs/${ended}/events`);
  const [, data = ''] = /event: told\ndata: (.*)\n/.exec(String(body['text'])) ?? [];
  return (JSON.parse(data) as { told: unknown }).told;
};

it('is shown as it was, and kept apart', async () => {
  expect((await get(`/v1/runs/${ended}`)).body['summary']).toEqual(summary);
  expect(((await get('/v1/runs')).body['items'] as { summary: unknown }[]).map((run) => run.summary)).toEqual([null, summary]);
  expect(await toldOf()).toEqual(told);
  const kept = await world.sql(`SELECT text FROM bauta.erasable_text`);
  expect(await places()).toBe(kept.length + 1);
  expect(JSON.stringify(await world.sql('SELECT summary FROM bauta.run'))).not.toContain('mirabelle');
});

it('is gone everywhere when it was erased at one place', async () => {
  for (const text of [branch, reason]) {
    const rows = await world.sql(`SELECT commitment FROM bauta.erasable_text WHERE text = '${text}' ORDER BY commitment`);
    const commitments = rows.map(({ commitment }) => String(commitment));
    const erase = (commitment?: string): Promise<Answer> =>
      world.ask('POST', '/v1/audit/log/texts/erase', { token: tokens['operator'] ?? '', json: { commitment, reason: 'asked for it' } });
    expect((await erase(commitments[0])).status).toBe(200);
    // Each of them was, and the log says which.
    for (const commitment of commitments) expect((await erase(commitment)).body).toEqual({ of: commitment, entry: null });
    const [done] = (await world.told('text.erased.done')).slice(-1);
    expect([done?.data['of'], ...(done?.data['also'] as string[])].sort()).toEqual(commitments);
  }
  expect(await places()).toBe(0);
  const gone = toFinding('COLUMN_UNTAGGED', { file: '[erased]', table: 'shop.person' });
  expect((await get(`/v1/runs/${ended}`)).body['summary']).toEqual({
    ...{ state: 'failed', findings: [gone], decision: { allow: false, waivers: [{ reason: '[erased]' }] } },
  });
  expect(await toldOf()).toEqual({ ...told, warnings: [gone] });
});

it('no stream goes on for somebody whose token was revoked', async () => {
  const [token] = await world.sql(
    `SELECT t.id FROM bauta.token t JOIN bauta.person p ON p.id = t.person_id WHERE p.name = 'viewer' AND p.workspace_id = '${world.workspaces.home}'`,
  );
  const startedAt = performance.now();
  const following = get(`/v1/runs/${going}/events`);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await world.ask('DELETE', `/v1/apikeys/${String(token?.['id'])}`, { token: tokens['administrator'] ?? '' });
  expect(String((await following).body['text'])).toContain('event: state');
  expect(performance.now() - startedAt).toBeLessThan(8000);
  expect((await get(`/v1/runs/${going}/events`)).status).toBe(401);
}, 20_000);

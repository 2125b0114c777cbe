// What a service does by itself for all workspaces: where it goes wrong for one of them, the others are served all the same, and it is said.
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { ApprovalExpiry } from '../../src/control/approvals/approvals.js';
import { consequences } from '../../src/control/consequences.js';
import { DatasetClock } from '../../src/control/datasets/datasets.js';
import { Notifier } from '../../src/control/notifications/notifications.js';
import { Grants } from '../../src/control/references.js';
import { systemClock } from '../../src/kernel/clock.js';
import { HttpClient } from '../../src/systems/http/http.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';

const settings = parseSettings({ BAUTA_NOTIFY_MS: '60000' });
const failures: unknown[] = [];
const failed = (error: unknown): void => void failures.push(error);
let world: ServiceWorld;
let [home, foreign] = ['', ''];
beforeAll(async () => {
  world = await startServiceWorld();
  ({ home, foreign } = world.workspaces);
  // Nothing of home can be changed, as where its rows were damaged or somebody holds them.
  await world.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.workspace_id = '${home}' THEN RAISE EXCEPTION 'home' USING ERRCODE = '55000'; END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$`);
  for (const table of ['notice', 'approval', 'dataset_version'])
    await world.sql(`CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON bauta.${table} FOR EACH ROW EXECUTE FUNCTION refuse()`);
}, 60_000);
beforeEach(() => void failures.splice(0));
afterAll(() => world.stop());

/** Home's comes first: it is looked at first. */
const both = async (insert: (workspace: string, i: number) => string): Promise<void> => {
  for (const [i, workspace] of [home, foreign].entries()) await world.sql(insert(workspace, i));
};
const of = async (sql: string): Promise<readonly unknown[]> => (await world.sql(sql)).map(({ it: found }) => found);

it('a notice that cannot be taken keeps nobody else from being told', async () => {
  const event = JSON.stringify({ type: 'anomaly.found', at: '2026-11-22T10:00:00.000Z', data: {} });
  await both((workspace) => `INSERT INTO bauta.notice (workspace_id, event) VALUES ('${workspace}', '${event}')`);
  const notifier = new Notifier({ metadata: world.metadata, http: new HttpClient({ hosts: '' }), settings, environment: {}, grants: Grants.usual, failed }); // prettier-ignore
  await notifier.look();
  await notifier.stop();
  expect(await of('SELECT workspace_id AS it FROM bauta.notice')).toEqual([home]);
  expect(failures).toHaveLength(1);
});

it('an approval that cannot be ended keeps no other one open', async () => {
  await both(
    (workspace, i) =>
      `INSERT INTO bauta.approval (workspace_id, kind, digest, subject, expires_at) VALUES ('${workspace}', 'documents', 'x', '{}', now() - interval '${9 - i} s')`,
  );
  const expiry = new ApprovalExpiry(world.metadata, consequences, failed);
  await expiry.look();
  await expiry.stop();
  expect(await of('SELECT state AS it FROM bauta.approval ORDER BY expires_at')).toEqual(['waiting', 'expired']);
  expect(failures).toHaveLength(1);
});

it('a version that cannot be asked to be dropped keeps no other one beyond its time', async () => {
  const hour = "interval '1 hour'";
  await both(
    (workspace, i) =>
      `INSERT INTO bauta.run (workspace_id, id, pipeline, environment, documents, state, ended_at)
         VALUES ('${workspace}', '000000000000000${i}', 'shop', 'dev', '[{"kind":"Pipeline","name":"shop","version":1}]', 'published', now());
       INSERT INTO bauta.dataset_version (workspace_id, run_id, pipeline, environment, documents, catalogue_digest, policy_digest, server, target, version,
           expires_at, published_at)
         VALUES ('${workspace}', '000000000000000${i}', 'shop', 'dev', '{}', '', '', '1', 'dev', 1, now() - ${hour} * ${9 - i}, now() - 20 * ${hour})`,
  );
  const datasets = new DatasetClock({ metadata: world.metadata, settings, clock: systemClock, failed });
  await datasets.look();
  await datasets.stop();
  const asked = await of(
    'SELECT expired_told_at IS NOT NULL AND drop_asked_at IS NOT NULL AS it FROM bauta.dataset_version ORDER BY expires_at',
  );
  expect(asked).toEqual([false, true]);
  // That it has expired, that it is to be dropped, and that it is to be looked at.
  expect(failures).toHaveLength(3);
});

// Pagila as rows: a sink that knows the records alone rebuilds every table, and each is the one that direct delivery brings.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { Plan } from '../../src/pipeline/plan.js';
import { type Broker, openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { sinkTopic } from '../support/connect-sink.js';
import { hasDebianServer } from '../support/debian-server.js';
import { findKafka, shareKafka } from '../support/kafka.js';
import { hasPagila, provisionPagila, startPagila } from '../support/pagila.js';
import { startTestServer } from '../support/server.js';
import { type Sample, type World, requirePublished } from '../support/shop.js';

const jars = findKafka();
const possible = jars !== undefined && hasDebianServer() && hasPagila();

(possible ? describe : describe.skip)('Pagila as rows', () => {
  let sample: Sample;
  let world: World;
  let broker: Broker;
  let plan: Plan;

  beforeAll(async () => {
    const [server, kafka] = await Promise.all([startTestServer(), shareKafka(jars as string)]);
    sample = await startPagila(server);
    world = await sample.world('pagila_rows');
    plan = await provisionPagila(world);
    await server.create('sink');
    broker = await openBroker(await resolveBroker('env:BROKER_URL', kafka.url, () => Promise.resolve(undefined)));
    const rows = 'kafka: { prefix: pagila, encoding: rows, topics: create, partitions: 2, rows: { format: connect-json, numeric: text } }';
    world.edit('pipeline.yaml', 'connection: env:TARGET_URL', `connection: env:BROKER_URL\n  ${rows}`);
    world.edit('pipeline.yaml', '  sameServer: a test on one machine, where source and target are databases of one server\n', '');
    requirePublished(await world.provision({ settings: { BROKER_URL: kafka.url } }));
  }, 180_000);
  afterAll(async () => {
    await broker?.close();
    await sample?.stop();
  });

  it('are, table by table, what direct delivery brings', async () => {
    const roots = plan.tables.filter(({ schema, name }) => !/^payment_p/.test(name) && schema === 'public');
    let compared = 0;
    for (const { schema, name, columns } of roots) {
      const rows = await sinkTopic(broker, `pagila.local.test.rows.${schema}.${name}`, sample.server.url('sink'));
      const list = (direct: boolean): string =>
        columns
          .map(({ name: column, type }) => {
            const own = `"${column}"${direct && type.base === 'timestamptz' ? ` AT TIME ZONE 'UTC'` : ''}`;
            // As it is printed: a cast would take the blanks of a char away.
            return `CASE WHEN "${column}" IS NULL THEN 'NULL' ELSE concat(${own}) END`;
          })
          .join(` || '|' || `);
      const digest = (direct: boolean): string =>
        `SELECT count(*)::int AS n, md5(string_agg(line, E'\\n' ORDER BY line COLLATE "C")) AS sum FROM (SELECT ${list(direct)} AS line FROM ${schema}."${name}") x`;
      const [direct] = await world.copy(digest(true));
      if (rows === undefined) {
        expect([name, direct?.['n']]).toEqual([name, 0]);
        continue;
      }
      const [sunk] = await sample.server.sql('sink', digest(false));
      expect([name, sunk]).toEqual([name, direct]);
      compared += rows;
    }
    expect(compared).toBeGreaterThan(40_000);
  }, 60_000);
});

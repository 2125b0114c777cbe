// Databases that nobody here wrote, through a broker: what an agent publishes is, byte for byte, what direct delivery publishes, and so is what a sink
// rebuilds that knows the records of rows alone.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import type { Plan } from '../../src/pipeline/plan.js';
import { type Broker, openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { sinkTopic } from '../support/connect-sink.js';
import { type DebianServer, debianProgram, hasDebianServer, startDebianServer } from '../support/debian-server.js';
import { type EnrolledAgent, enrolAgent } from '../support/enrolled-agent.js';
import { type TestKafka, findKafka, shareKafka } from '../support/kafka.js';
import { hasPagila, provisionPagila, startPagila } from '../support/pagila.js';
import { findWhatDiffers } from '../support/same-copy.js';
import { type Sample, type World, requirePublished, toWorld } from '../support/shop.js';

const jars = findKafka();
const possible = jars !== undefined && hasDebianServer() && hasPagila();
const workload = packageFile('..', 'shared', 'bench', 'reference.sql');

(possible ? describe : describe.skip)('through a broker', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-through-'));
  const agents: EnrolledAgent[] = [];
  let kafka: TestKafka;
  let server: DebianServer;
  let sample: Sample;
  let pagila: World;
  let broker: Broker;
  let plan: Plan;

  beforeAll(async () => {
    [server, kafka] = await Promise.all([startDebianServer(), shareKafka(jars as string)]);
    sample = await startPagila(server);
    pagila = await sample.world('pagila');
    broker = await openBroker(await resolveBroker('env:BROKER_URL', kafka.url, () => Promise.resolve(undefined)));
    plan = await provisionPagila(pagila);
  }, 180_000);
  afterAll(async () => {
    for (const agent of agents) await agent.stop();
    await broker?.close();
    await sample?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Of a world that direct delivery has provisioned: the same documents by the broker and an agent, into another database of that server. */
  async function findWhatTheAgentChanges(world: World, environment: string): Promise<string[]> {
    const streamed = world.target.replace(/_dev$/, '_streamed');
    const place = { prefix: streamed.replaceAll('_', ''), workspace: 'local', environment };
    const target = sample.url('bauta_target', streamed);
    agents.push(await enrolAgent({ broker: kafka.url, place, home: world.home, target, folder }));
    sendTo(world, `{ prefix: ${place.prefix}, database: ${streamed}, topics: create, partitions: 2 }`);
    requirePublished(await world.provision({ settings: { BROKER_URL: kafka.url } }));
    return findWhatDiffers(server, world.target, streamed);
  }

  function sendTo(world: World, options: string): void {
    const text = readFileSync(world.file, 'utf8').replace(/^ {2}(sameServer|kafka): .*\n/gm, '');
    writeFileSync(world.file, text.replace(/connection: env:(TARGET|BROKER)_URL/, `connection: env:BROKER_URL\n  kafka: ${options}`));
  }

  it('an agent publishes Pagila as direct delivery does: rows, sequences, comments, rights, roles, and what pg_dump writes', async () => {
    expect(await findWhatTheAgentChanges(pagila, 'test')).toEqual([]);
    expect(server.dump('pagila_streamed', '-s').length).toBeGreaterThan(40_000);
  }, 120_000);

  it('an agent publishes the reference data as direct delivery does', async () => {
    await server.create('reference_production');
    const load = ['-q', '-X', '-v', 'ON_ERROR_STOP=1', '-v', 'scale=0.005', '-d', server.url('reference_production'), '-f', workload];
    execFileSync(debianProgram('psql'), load, { stdio: ['ignore', 'ignore', 'pipe'] });
    const documents = join(folder, 'reference');
    cpSync(packageFile('bench', 'workload'), documents, { recursive: true });
    const world = toWorld(server, documents, {
      SOURCE_URL: sample.url('bauta_source', 'reference_production'),
      TARGET_URL: sample.url('bauta_target', 'reference_dev'),
    });
    requirePublished(await world.provision());
    expect(await findWhatTheAgentChanges(world, 'bench')).toEqual([]);
    expect(await world.copy('SELECT count(*)::int AS n FROM orders')).toEqual([{ n: 15_000 }]);
  }, 120_000);

  it('two copies that differ in a value, a right, a comment or a sequence are told apart', async () => {
    const changes = [
      `UPDATE film SET title = 'another' WHERE film_id = 1`,
      `GRANT SELECT ON actor TO pagila_streamed_ro WITH GRANT OPTION`,
      `COMMENT ON TABLE actor IS 'of the copy'`,
      `SELECT setval('actor_actor_id_seq', 7)`,
      `ALTER ROLE pagila_streamed_ro CONNECTION LIMIT 7`,
    ];
    for (const change of changes) await server.sql('pagila_streamed', change);
    const found = (await findWhatDiffers(server, 'pagila_dev', 'pagila_streamed')).map((text) => text.slice(0, text.indexOf(':')));
    for (const name of ['rows of "public"."film"', 'sequences', 'comments', 'roles', 'pg_dump -s']) expect(found).toContain(name);
    expect(found).not.toContain('rows of "public"."actor"');
  });

  it('a sink that knows the records of rows alone rebuilds what direct delivery brings, table by table', async () => {
    sendTo(pagila, '{ prefix: pagila, encoding: rows, topics: create, partitions: 2, rows: { format: connect-json, numeric: text } }');
    requirePublished(await pagila.provision({ settings: { BROKER_URL: kafka.url } }));
    await server.create('sink');
    const roots = plan.tables.filter(({ schema, name }) => !/^payment_p/.test(name) && schema === 'public');
    let compared = 0;
    for (const { schema, name, columns } of roots) {
      const rows = await sinkTopic(broker, `pagila.local.test.rows.${schema}.${name}`, server.url('sink'));
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
      const [direct] = await pagila.copy(digest(true));
      if (rows === undefined) {
        expect([name, direct?.['n']]).toEqual([name, 0]);
        continue;
      }
      const [sunk] = await server.sql('sink', digest(false));
      expect([name, sunk]).toEqual([name, direct]);
      compared += rows;
    }
    expect(compared).toBeGreaterThan(40_000);
  }, 120_000);
});

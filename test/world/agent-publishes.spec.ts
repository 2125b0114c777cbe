// The agent on a real broker and a real server: from a token to a published version, back, and away.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { AgentWorld, until } from '../support/agent-world.js';
import { findFreePort } from '../support/free-port.js';
import { findKafka, shareKafka } from '../support/kafka.js';

const jars = findKafka();
const itHere = jars === undefined ? it.skip : it;
let world: AgentWorld;

beforeAll(async () => {
  if (jars !== undefined) world = await AgentWorld.start(await shareKafka(jars), 'agentone', 3000);
}, 120_000);
afterAll(() => world?.stop());

const rowsOf = async (database: string): Promise<unknown> =>
  (
    await world.server.sql(
      database,
      `SELECT (SELECT count(*)::int FROM public."order") AS orders, (SELECT count(*)::int FROM "Sales; DROP"."cust""omer") AS customers`,
    )
  )[0];

itHere(
  'enrols by a token, loads while the stream grows, verifies, publishes on command, and what is there is what was sent',
  async () => {
    const agent = await world.enrolled('a', 'shop_dev');
    expect(world.agents.size).toBe(1);
    const shipment = await world.prepare('shop_dev', 1, { sealed: true });
    await world.ship(shipment, async () => {
      await world.heard('loading', shipment.runId);
      expect(await world.server.sql('postgres', `SELECT 1 FROM pg_database WHERE datname = 'shop_dev'`)).toEqual([]);
    });
    await world.heard('published', shipment.runId, agent.id());
    expect(await rowsOf('shop_dev')).toEqual({ orders: 3000, customers: 300 });
    const copied = `SELECT md5(string_agg(t::text, '|' ORDER BY id)) AS sum FROM public."order" t`;
    expect(await world.server.sql('shop_dev', copied)).toEqual(await world.server.sql('source_agentone', copied));
    expect(world.receipts.map(({ type }) => type).filter((type) => type !== 'loading')).toEqual(['loaded', 'verified', 'published']);
    expect(await world.server.sql('shop_dev', 'SELECT version FROM bauta.dataset')).toEqual([{ version: 1 }]);
  },
  120_000,
);

itHere(
  'keeps the version before, goes back to it when it is told, and drops what has expired with an attestation',
  async () => {
    const [first] = world.receipts.filter(({ type }) => type === 'published');
    await world.server.sql('shop_dev', 'SELECT 1');
    const second = await world.prepare('shop_dev', 2);
    await world.ship(second);
    await world.heard('published', second.runId);
    expect(await world.server.sql('shop_dev', 'SELECT version FROM bauta.dataset')).toEqual([{ version: 2 }]);
    await world.tell('rollback', second.runId, { reason: 'ROLLBACK' }, 1);
    expect((await world.heard('rolled-back', second.runId)).body).toMatchObject({ version: 1 });
    expect(await world.server.sql('shop_dev', 'SELECT version FROM bauta.dataset')).toEqual([{ version: 1 }]);
    await world.tell('expire', second.runId, { reason: 'EXPIRED' }, 2);
    const { body } = await world.heard('expired', second.runId);
    expect(body).toMatchObject({ attestation: { dropped: [{ kind: 'database', seen: 'gone' }] } });
    // A command of a sweep takes nothing away that is published.
    await world.tell('withdraw', first!.runId, { reason: 'RUN_DEAD' }, 1);
    expect(await world.failed(first!.runId)).toEqual(['AGENT_PUBLISHED']);
    expect(await rowsOf('shop_dev')).toEqual({ orders: 3000, customers: 300 });
  },
  120_000,
);

itHere(
  'leaves nothing of a run that is withdrawn or superseded while it loads, and is ready for the next',
  async () => {
    const [withdrawn, superseded, last] = [
      await world.prepare('shop_dev', 3),
      await world.prepare('shop_dev', 4),
      await world.prepare('shop_dev', 5),
    ];
    for (const shipment of [withdrawn, superseded]) {
      await world.createTopic(shipment);
      await world.tell('begin', shipment.runId, shipment.begin, shipment.begin.version);
      await world.write(shipment, shipment.records.slice(0, 20));
      await world.heard('loading', shipment.runId);
      if (shipment === withdrawn) await world.tell('withdraw', shipment.runId, { reason: 'RUN_ENDED' }, 3);
    }
    await world.heard('withdrawn', withdrawn.runId);
    await world.ship(last);
    expect(await world.failed(superseded.runId)).toEqual(['AGENT_SUPERSEDED']);
    await world.heard('published', last.runId);
    const named = await world.server.sql('postgres', `SELECT datname FROM pg_database WHERE datname LIKE 'shop_dev%' ORDER BY 1`);
    expect(named).toHaveLength(2);
    expect(await world.server.sql('shop_dev', 'SELECT version FROM bauta.dataset')).toEqual([{ version: 5 }]);
  },
  120_000,
);

itHere(
  'refuses a dataset of another name, tells lag and rate as metrics, and ends when it is revoked',
  async () => {
    const port = await findFreePort();
    const agent = world.startAgent('b', 'other_dev', world.invite(), { BAUTA_AGENT_PORT: String(port) });
    await until(
      () => agent.lines.some((line) => line.includes('is at work')),
      () => agent.lines.join('\n'),
    );
    const shipment = await world.prepare('third_dev', 1);
    await world.ship(shipment);
    const failures = (): string[] =>
      world.receipts.filter(({ type, runId }) => type === 'failed' && runId === shipment.runId).map(({ body }) => JSON.stringify(body));
    await until(
      () => failures().length === 2,
      () => agent.lines.join('\n'),
    );
    expect(failures().every((text) => text.includes('AGENT_TARGET_NAME'))).toBe(true);
    const own = await world.prepare('other_dev', 1);
    await world.ship(own);
    await world.heard('published', own.runId, agent.id());
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toMatch(/^bauta_agent_rows_total 3300$/m);
    expect(text).toMatch(/^bauta_agent_lag_records 0$/m);
    expect(text).toMatch(/^bauta_agent_runs_total\{state="published"\} 1$/m);
    expect(text).not.toMatch(/order|customer|other_dev/);
    await world.tell('revoked', agent.id()!, world.agents.get(agent.id()!));
    await expect(agent.ended).rejects.toMatchObject({ code: 'AGENT_REVOKED' });
  },
  120_000,
);

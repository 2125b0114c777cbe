// An attacker who can write to every topic, and has no key: he can stop a publication, and can neither cause nor change one. What he wrote is told by name.
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { systemClock } from '../../src/kernel/clock.js';
import { toPrivateKey } from '../../src/kernel/ed25519.js';
import {
  createToken,
  hearAgents,
  parseToken,
  readEnrolment,
  silent,
  toControlTopic,
  toReceiptsTopic,
  toStanding,
  writeControl,
  writeEnrolment,
  writeReceipt,
} from '../../src/systems/kafka/kafka.js';
import { type BulkRecord, toBulkRecord } from '../../src/systems/kafka/wire/record.js';
import { type AgentHandle, AgentWorld, type Shipment, until } from '../support/agent-world.js';
import { findKafka, shareKafka } from '../support/kafka.js';

const jars = findKafka();
const itHere = jars === undefined ? it.skip : it;
const attacker = toPrivateKey(randomBytes(32));
let world: AgentWorld;
let agent: AgentHandle;
let version = 0;

beforeAll(async () => {
  if (jars === undefined) return;
  world = await AgentWorld.start(await shareKafka(jars), 'poisoned', 2000);
  agent = await world.enrolled('a', 'poisoned_dev');
}, 120_000);
afterAll(() => world?.stop());

const prepare = (): Promise<Shipment> => world.prepare('poisoned_dev', (version += 1), { sealed: version % 2 === 0 });
const digest = `SELECT md5(string_agg(t::text, '|' ORDER BY id)) AS sum FROM public."order" t`;

/** What was published is what the service sent, every row of it once. */
async function expectWhole({ runId }: Shipment): Promise<void> {
  const { body } = await world.heard('published', runId);
  expect(body).toMatchObject({ version });
  expect(await world.server.sql('poisoned_dev', digest)).toEqual(await world.server.sql('source_poisoned', digest));
}

function refusals(shipment: Shipment): Record<string, number> {
  const last = world.receipts.filter(({ runId, type }) => runId === shipment.runId && type === 'loading').at(-1);
  const { refused } = last?.body as { refused: { problem: string; amount: number }[] };
  return Object.fromEntries(refused.map(({ problem, amount }) => [problem, amount]));
}

itHere(
  'publishes what the service sent, whatever else stands on the topic of its records',
  async () => {
    const before = await prepare();
    await world.ship(before);
    await expectWhole(before);
    const shipment = await prepare();
    const { records } = shipment;
    const lines = Buffer.from('1\tmallory@example.com\t\\N\n');
    const head = { run: shipment.runId, table: 0, range: 0, sequence: 0, last: true, rows: 1 };
    const forged = await toBulkRecord(head, lines, { environment: 'poisoned', privateKey: attacker });
    const first = records[0]!;
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 10));
    const change = (headers: Readonly<Record<string, string>>, value: Buffer = first.value): Pick<BulkRecord, 'headers' | 'value'> => ({
      headers: { ...first.headers, ...headers },
      value,
    });
    const poison = [
      { headers: {}, value: Buffer.from('1\tx\t\\N\n') },
      forged,
      // Of another run: genuine there.
      ...before.records.slice(0, 3),
      // Under a genuine signature: another table, another place, a size that lies, another value, a bomb.
      change({ 'b-table': '1' }),
      change({ 'b-range': '1' }),
      change({ 'b-seq': '1' }),
      change({ 'b-size': '99999999' }),
      change({ 'b-rows': '2' }),
      change({}, gzipSync(lines)),
      change({}, bomb),
      change({}, Buffer.alloc(0)),
    ].map((one) => ({ headers: one.headers, value: one.value, partition: 0 }));
    await world.createTopic(shipment);
    await world.write(shipment, poison);
    await world.tell('begin', shipment.runId, shipment.begin, version);
    await world.write(shipment, records.slice(0, 20));
    // Replayed, in another order and to another partition.
    await world.write(
      shipment,
      [...records.slice(0, 20)].reverse().map((one) => ({ headers: one.headers, value: one.value, partition: 1 })),
    );
    await world.write(shipment, poison);
    await world.write(shipment, records.slice(20));
    await world.tell('complete', shipment.runId, shipment.complete, version);
    await world.tell('publish', shipment.runId, { version, marker: shipment.marker, expiresAt: shipment.marker.expiresAt }, version);
    await expectWhole(shipment);
    expect(refusals(shipment)).toMatchObject({ forged: expect.any(Number), broken: expect.any(Number), repeated: expect.any(Number) });
    expect(refusals(shipment)['forged']).toBe(20);
    expect(refusals(shipment)['broken']).toBe(6);
    const { body } = await world.heard('refused', agent.id()!);
    expect(body).toMatchObject({ refused: expect.arrayContaining([{ topic: 'bulk', problem: 'forged', amount: expect.any(Number) }]) });
  },
  120_000,
);

itHere(
  'does nothing that the service did not sign: forged, foreign, older, expired and changed commands',
  async () => {
    const shipment = await prepare();
    const topic = toControlTopic(world.place);
    const { runId, begin, marker } = shipment;
    const now = (ms: number): string => new Date(Date.now() + ms).toISOString();
    const of = {
      v: 1,
      workspace: 'local',
      environment: 'poisoned',
      runId,
      sequence: Date.now() + 1000,
      issuedAt: now(0),
      expiresAt: now(60_000),
    } as const;
    const body = JSON.parse(JSON.stringify({ version, marker, expiresAt: marker.expiresAt })) as never;
    const refusedBefore = agent.lines.filter((line) => line.includes('was refused')).length;
    await world.createTopic(shipment);
    await world.write(shipment, shipment.records);
    await world.tell('begin', runId, begin, version);
    await world.tell('complete', runId, shipment.complete, version);
    await world.heard('verified', runId);
    const genuine = writeControl({ ...of, type: 'publish', body }, world.key)[0]!;
    const changed = Buffer.from(genuine.value.toString('utf8').replace(`"version":${version}`, `"version":${version + 9}`));
    await world.send(topic, writeControl({ ...of, type: 'publish', body }, attacker));
    await world.send(topic, [{ key: `${runId}/publish`, value: genuine.value }]);
    await world.send(topic, [{ ...genuine, value: changed }]);
    await world.send(topic, [{ ...genuine, key: `${runId}/expire` }]);
    await world.send(topic, [{ key: `${runId}/begin`, value: null }]);
    await world.send(topic, writeControl({ ...of, environment: 'production', type: 'publish', body }, world.key));
    await world.send(topic, writeControl({ ...of, sequence: 5, type: 'publish', body }, world.key));
    await world.send(topic, writeControl({ ...of, expiresAt: now(-1000), issuedAt: now(-2000), type: 'publish', body }, world.key));
    const refused = (): string[] => agent.lines.filter((line) => line.includes('was refused')).slice(refusedBefore);
    await until(
      () => refused().length >= 8,
      () => agent.lines.join('\n'),
    );
    expect(refused().map((line) => line.split(': ').at(-1))).toEqual([
      ...Array.from({ length: 5 }, () => 'unsigned'),
      'foreign',
      'older',
      'expired',
    ]);
    expect(world.receipts.some(({ type, runId: one }) => type === 'published' && one === runId)).toBe(false);
    await world.tell('publish', runId, { version, marker, expiresAt: marker.expiresAt }, version);
    await expectWhole(shipment);
  },
  120_000,
);

itHere(
  'ends without a publication where records were cut, where the manifest is not of them, and where the marker is of another run',
  async () => {
    const current = await world.server.sql('poisoned_dev', 'SELECT version FROM bauta.dataset');
    const other = await world.prepare('poisoned_dev', version + 1);
    const cases: [string, (shipment: Shipment) => Partial<Shipment>][] = [
      ['AGENT_RECORDS_MISSING', ({ records }) => ({ records: records.filter(({ head }) => head.table !== 1 || head.range !== 2) })],
      ['AGENT_RECORDS_MISSING', ({ records }) => ({ records: records.filter(({ head }) => head.table !== 1 || head.sequence !== 0) })],
      ['AGENT_MANIFEST_DIFFERS', ({ complete }) => ({ complete: { ...(complete as object), root: '00'.repeat(32) } })],
      ['AGENT_MARKER_DIFFERS', () => ({ marker: other.marker })],
    ];
    for (const [code, change] of cases) {
      const shipment = await world.prepare('poisoned_dev', version + 1);
      await world.ship({ ...shipment, ...change(shipment) });
      expect([code, await world.failed(shipment.runId)]).toEqual([code, [code]]);
    }
    expect(await world.server.sql('poisoned_dev', 'SELECT version FROM bauta.dataset')).toEqual(current);
    const staged = `SELECT datname FROM pg_database WHERE shobj_description(oid, 'pg_database')::jsonb ->> 'state' = 'staging'`;
    expect(await world.server.sql('postgres', staged.replace('WHERE', `WHERE datname LIKE 'poisoned_dev%' AND`))).toEqual([]);
  },
  120_000,
);

itHere(
  'enrols nobody without a token that is open, and believes no receipt that no enrolled agent signed',
  async () => {
    const topic = toReceiptsTopic(world.place);
    const [enrolled] = [...world.agents.keys()];
    const before = world.refusedReceipts.length;
    const ask = (token: string, agentId: string): ReturnType<typeof writeEnrolment> =>
      writeEnrolment(
        parseToken(token, 0),
        {
          agentId,
          sequence: 1,
          at: new Date().toISOString(),
          recipient: `age1${'q'.repeat(58)}`,
          place: { database: 'x', systemIdentifier: '1' },
        },
        attacker,
      );
    const of = { ...world.place, serviceKey: '00'.repeat(32) };
    const foreign = createToken({ ...of, expiresAt: new Date(Date.now() + 60_000).toISOString() });
    const expired = createToken({ ...of, expiresAt: new Date(Date.now() - 1000).toISOString() });
    const open = createToken({ ...of, expiresAt: new Date(Date.now() + 60_000).toISOString() });
    world.invites.push(expired.invite, open.invite);
    // Knows the open token's id, which stands on the topic once it is used, and not its secret.
    const wrong = createToken({ ...of, expiresAt: new Date(Date.now() + 60_000).toISOString() });
    const stolen = Buffer.from(wrong.token.slice('bauta-agent-'.length), 'base64url')
      .toString('utf8')
      .replace(wrong.invite.tokenId, open.invite.tokenId);
    // Its public key is a list: whoever takes it for a key stops there, and so at every look.
    const [asked] = ask(open.token, 'e'.repeat(16));
    const claimed = JSON.parse(asked!.value.toString('utf8')) as { body: { publicKey: unknown } };
    claimed.body.publicKey = [claimed.body.publicKey];
    const listed = { ...asked!, value: Buffer.from(JSON.stringify(claimed)) };
    const looked = { workspace: world.place.workspace, environment: world.place.environment, nowMs: Date.now(), invites: [open.invite] };
    expect(readEnrolment({ ...listed, key: Buffer.from(listed.key) }, looked)).toEqual({ problem: 'unsigned' });
    await world.send(topic, [listed]);
    await world.send(topic, ask(foreign.token, 'a'.repeat(16)));
    await world.send(topic, ask(expired.token, 'b'.repeat(16)));
    await world.send(topic, ask(`bauta-agent-${Buffer.from(stolen).toString('base64url')}`, 'c'.repeat(16)));
    const receipt = {
      v: 1,
      type: 'published',
      ...world.place,
      runId: 'r',
      agentId: enrolled!,
      sequence: Date.now(),
      at: new Date().toISOString(),
      body: {},
    } as const;
    await world.send(topic, writeReceipt(receipt, attacker));
    await world.send(topic, writeReceipt({ ...receipt, agentId: 'd'.repeat(16) }, attacker));
    await until(
      () => world.refusedReceipts.length >= before + 6,
      () => world.refusedReceipts.join('\n'),
    );
    expect(world.refusedReceipts.slice(before)).toEqual([
      'unsigned',
      'unknown token',
      'expired token',
      'wrong token',
      'unsigned',
      'unknown agent',
    ]);
    expect([...world.agents.keys()]).toEqual([enrolled]);
    // A service that the token does not name can take nobody.
    const lured = world.startAgent('lured', 'lured_dev', world.invite(1));
    await expect(lured.ended).rejects.toMatchObject({ code: 'AGENT_TOKEN_EXPIRED' });
  },
  120_000,
);

itHere(
  'tells the service by a signed receipt what it refused, before it stops at the latest, and a forged or replayed one counts for nothing',
  async () => {
    await agent.stop();
    const { agentId, publicKey } = world.agents.get(agent.id()!)!;
    const at = { broker: world.broker, place: world.place, clock: systemClock };
    const heard = await hearAgents(at, { invites: [], agents: [{ agentId, publicKey, highest: 0 }] });
    const { refused, state } = toStanding(silent, heard.receipts);
    expect(refused.filter(({ topic }) => topic === 'control').map(({ problem }) => problem)).toEqual(
      expect.arrayContaining(['unsigned', 'foreign', 'older', 'expired']),
    );
    expect(state).not.toBe('refused');
    expect(heard.forged).toBeGreaterThan(0);
    // From where it ended there is nothing new; and what has the numbers of old receipts is old.
    const again = await hearAgents(at, { invites: [], agents: [{ agentId, publicKey, highest: 0 }], from: heard.positions });
    expect(again.receipts).toEqual([]);
    const highest = heard.receipts.at(-1)!.sequence;
    expect((await hearAgents(at, { invites: [], agents: [{ agentId, publicKey, highest }] })).receipts).toEqual([]);
  },
  60_000,
);

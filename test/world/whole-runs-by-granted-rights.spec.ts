// A service, an agent, readers and auditors at a broker with TLS, logins (SCRAM, mTLS, OAUTHBEARER) and an authorizer, each with what deploy/kafka/grant.sh gives it and nothing
// else: whole runs in every encoding, what each is refused, and that nothing of a person is anywhere at the broker.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { startAgent } from '../../src/agent/agent.js';
import { parseSettings } from '../../src/config/settings.js';
import { openEventPublication } from '../../src/control/events/events.js';
import { findStreamKey } from '../../src/control/stream-key.js';
import { openFileKeys } from '../../src/systems/files/files.js';
import { type Broker, type DatasetKey, openBroker, resolveBroker, toBulkTopic, toControlTopic, toReceiptsTopic } from '../../src/systems/kafka/kafka.js'; // prettier-ignore
import { toBulkRecord } from '../../src/systems/kafka/wire/record.js';
import { type AgentKeys, readDatasetKeys, searchBroker } from '../leak/broker-search.js';
import { Needles } from '../leak/needles.js';
import { giveRights } from '../support/grants.js';
import { type OwnKafka, type User, findKafka, startKafka } from '../support/kafka.js';
import { findProgram } from '../support/program.js';
import { type Registry, startRegistry } from '../support/registry.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { startStreamService, toStreamPipeline } from '../support/stream-service.js';
import { type TargetWorld, startTargetWorld } from '../support/target-world.js';
import { type TinyWorld, bauta, canary, classificationText, startTinyWorld } from '../support/tiny-source.js';

const jars = findKafka();
const kcat = findProgram('kcat');
const place = { workspace: 'default', environment: 'dev' };

const word = (name: string): string => `qzx${name}jvwk`;
const person = 731044852296177n;
/** As Avro writes a long. */
function toVarint(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let left = value << 1n; ; left >>= 7n) {
    bytes.push(Number(left & 127n) | (left > 127n ? 128 : 0));
    if (left <= 127n) return Buffer.from(bytes);
  }
}
const needles = new Needles({
  ...Object.fromEntries(['mail', 'host', 'first', 'last', 'note'].map((name) => [name, word(name)])),
  ...{ everybody: canary, domain: '@canary.net', born: '1911-07-23', id: String(person) },
  'id in Avro': [toVarint(person)],
});
/** A person whom nothing of may leave, in every column, with a key that is long enough to be looked for. */
const planted = `
  ALTER TABLE app."order" DROP CONSTRAINT order_person_id_fkey, ALTER person_id TYPE bigint;
  ALTER TABLE app.person ALTER id TYPE bigint;
  ALTER TABLE app."order" ADD FOREIGN KEY (person_id) REFERENCES app.person;
  INSERT INTO app.person VALUES (${person}, '${word('mail')}@${word('host')}.example', '${word('first')} ${word('last')}', '1911-07-23');
  INSERT INTO app."order" VALUES (999, ${person}, 'P1', '${word('note')} and more', 'new');
  ANALYZE`;

(jars ? describe : describe.skip)('with the rights of grant.sh', () => {
  let kafka: OwnKafka;
  let tiny: TinyWorld;
  let world: ServiceWorld;
  let registry: Registry;
  let target: TargetWorld;
  let token: string;
  const folder = mkdtempSync(join(tmpdir(), 'bauta-rights-'));
  const stops: (() => Promise<unknown>)[] = [];
  const said: string[] = [];
  const opened: Broker[] = [];

  const read = (reference: string): Promise<string> => Promise.resolve(readFileSync(reference.replace(/^file:/, ''), 'utf8'));
  const open = async (url: string, clientId = 'bauta'): Promise<Broker> => {
    const broker = await openBroker(await resolveBroker('env:BROKER', url, read), { patienceMs: 3000, clientId });
    opened.push(broker);
    return broker;
  };
  const failed = (error: unknown): void => void said.push(String(error));
  const grant = (...calls: string[]): Promise<void> => giveRights(kafka, jars ?? '', folder, ...calls);

  /** With OAUTHBEARER, as of a file that something renews. */
  const byToken = (user: User): string => {
    writeFileSync(join(kafka.folder, `${user}.token`), kafka.token(user, 3600), { mode: 0o600 });
    return `kafkas://localhost:${kafka.ports.sasl}?mechanism=oauthbearer&token=file:${kafka.folder}/${user}.token&ca=file:${kafka.caFile}`;
  };
  const toPipeline = (environment: string, ...more: [string, string?]): string => toStreamPipeline(environment, environment, ...more);

  beforeAll(async () => {
    const startService = async (): Promise<void> => {
      tiny = await startTinyWorld();
      world = await startServiceWorld(tiny.server);
    };
    [kafka, registry, target] = await Promise.all([startKafka(jars ?? ''), startRegistry(), startTargetWorld(), startService()]);
    await grant('service User:service default', 'agent User:agent-1 default dev', 'reader User:reader default lake', 'events User:events', 'auditor User:auditor'); // prettier-ignore
    // A workspace has what it was granted of files: those of one folder.
    const address = kafka.login('service').replace(kafka.caFile, 'ca.crt');
    // Kafka knows the same principal by a password, by the name in a certificate and by the subject of a token.
    const connections = {
      BAUTA_CONN_SOURCE: await tiny.source('shop', planted),
      BAUTA_CONN_BROKER: address,
      BAUTA_CONN_CERTIFICATE: kafka.certificate('service').replaceAll(`${kafka.folder}/`, ''),
      BAUTA_CONN_TOKEN: byToken('service').replaceAll(`${kafka.folder}/`, ''),
    };
    const grants = join(folder, 'grants.yaml');
    const shown = { 'service.key': kafka.ports.tls, 'service.token': kafka.ports.sasl };
    const secrets = Object.entries(shown).map(([file, port]) => `{ reference: 'file:${file}', for: 'localhost:${port}' }`);
    const references = `['env:BAUTA_CONN_*', 'file:ca.crt', 'file:service.*']`;
    writeFileSync(grants, `workspaces: { default: { references: ${references}, secrets: [${secrets.join(', ')}] } }\n`);
    const settings = { BAUTA_SECRETS: kafka.folder, BAUTA_GRANTS: grants };
    token = await world.person('bob', ['policy-admin', 'requester', 'operator', 'viewer']);
    const alone = `transactionMegabytes: 0, registry: { url: "${registry.url}" }, readers: ['User:reader']`;
    const documents = [
      toPipeline('dev', 'database: copy_dev, partitions: 2'),
      toPipeline('lake', 'encoding: rows, partitions: 2, rows: { format: json }', 'CERTIFICATE'),
      toPipeline('pond', `encoding: rows, partitions: 2, rows: { format: connect-json, readers: ['User:reader'] }`),
      toPipeline('sea', `encoding: rows, partitions: 2, rows: { format: avro, ${alone} }`, 'TOKEN'),
      classificationText,
    ].join('---\n');
    const applied = await world.ask('POST', '/v1/apply', { token, text: documents, headers: { 'content-type': 'application/yaml' } });
    expect([applied.status, applied.body]).toMatchObject([200, {}]);
    stops.push(await startStreamService({ world, home: folder, connections, settings, failed }));
  }, 180_000);
  afterAll(async () => {
    for (const stop of stops) await stop();
    for (const broker of opened) await broker.close();
    await registry?.close();
    await world?.stop();
    await tiny?.stop();
    await target?.server.stop();
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  async function until(done: () => boolean | Promise<boolean>): Promise<void> {
    for (const startedAt = performance.now(); !(await done()); await new Promise((resolve) => setTimeout(resolve, 50)))
      if (performance.now() - startedAt > 120_000) throw new Error(`it did not come to that:\n${said.join('\n')}`);
  }
  async function run(pipeline: string): Promise<{ state: string; runId: string; codes: string[] }> {
    const { body } = await world.ask('POST', '/v1/runs', { token, json: { pipeline } });
    const get = async (): Promise<Record<string, unknown>> => (await world.ask('GET', `/v1/runs/${String(body['id'])}`, { token })).body;
    await until(async () => (await get())['endedAt'] !== null);
    const { state, summary } = (await get()) as { state: string; summary: { findings: { code: string }[] } | null };
    return { state, runId: String(body['id']), codes: (summary?.findings ?? []).map(({ code }) => code) };
  }
  function agentKeys(): AgentKeys {
    const read = (name: string): Record<string, string> => JSON.parse(readFileSync(join(folder, 'agent', name), 'utf8')) as never;
    const { agentId = '', identity = '' } = read('agent.key');
    return { agentId, identity, serviceKey: read('service.json')['serviceKey'] ?? '' };
  }

  let bulk = '';
  it('an agent is enrolled with a token of its issuer, loads what the service sends, and publishes; its key opens it and the broker’s operator has none', async () => {
    const env = { TOKEN: token };
    const invited = await bauta(['agents', 'invite', 'dev', '--server', world.url, '--token', 'env:TOKEN'], { env });
    expect(invited.stderr + invited.stdout).toContain('bauta-agent-');
    writeFileSync(join(folder, 'agent.token'), world.secret(invited.stdout), { mode: 0o600 });
    const variables = {
      BROKER: byToken('agent-1'),
      TARGET: target.url('copy_dev'),
      BAUTA_AGENT_BROKER: 'env:BROKER',
      BAUTA_AGENT_TARGET: 'env:TARGET',
    };
    const stopping = new AbortController();
    const ended = startAgent({ environment: variables, home: join(folder, 'agent'), tokenFile: join(folder, 'agent.token'), signal: stopping.signal, say: (line) => said.push(line) }); // prettier-ignore
    ended.catch(failed);
    stops.unshift(async () => {
      stopping.abort();
      await ended.catch(() => undefined);
    });
    await until(async () => ((await world.ask('GET', '/v1/agents', { token })).body['items'] as unknown[]).length === 1);
    const { state, runId, codes } = await run('dev');
    expect([state, codes, said.filter((line) => /refused|BROKER_/.test(line))]).toEqual(['published', [], []]);
    expect(await target.server.sql('copy_dev', 'SELECT count(*)::int AS n FROM app.person')).toEqual([{ n: 181 }]);
    const admin = await (await open(kafka.url)).admin();
    bulk = (await admin.list(toBulkTopic(place, runId)))[0] ?? '';
  }, 120_000);

  it('rows are published, by certificate and by token too, to readers of its environments, and where the document gives them rights, only by who may give them', async () => {
    expect(await run('lake')).toMatchObject({ state: 'published' });
    const refused = await run('pond');
    expect([refused.state, refused.codes]).toEqual(['failed', ['BROKER_DENIED']]);
    await grant('grantor User:service');
    expect(await run('pond')).toMatchObject({ state: 'published' });
    expect(await run('sea')).toMatchObject({ state: 'published' });
  }, 400_000);

  it('events are published, as one who may make their topics and write to them and nothing else', async () => {
    const settings = parseSettings({ BAUTA_EVENTS_BROKER: 'env:BROKER', BAUTA_EVENTS_MS: '60000' });
    const http = { send: () => Promise.reject(new Error('nothing is sent by HTTP here')) };
    const environment = { BROKER: kafka.login('events') };
    const publication = openEventPublication({ metadata: world.metadata, settings, environment, firstWaitMs: 100, http, failed });
    await until(async () => {
      await publication?.look();
      return (await world.metadata.findUnpublished(['audit', 'lineage', 'usage'])).length === 0;
    });
    await publication?.stop();
    const reader = await (await open(kafka.login('auditor'))).reader({ topic: 'bauta.audit', waitMs: 50 });
    expect((await reader.read()).length).toBeGreaterThan(10);
  }, 60_000);

  /** By kcat in a consumer group, as this principal: how many records. (By PLAIN: Kafka 4.1 refuses the SCRAM of Debian's librdkafka 2.0.2.) */
  function readInGroup(user: User, topic: string, group: string): Promise<number> {
    const conf = { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'PLAIN', 'sasl.username': user, 'sasl.password': kafka.passwords[user], 'ssl.ca.location': kafka.caFile, 'auto.offset.reset': 'earliest' }; // prettier-ignore
    const options = Object.entries(conf).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
    const words = ['-b', `localhost:${kafka.ports.sasl}`, ...options, '-e', '-q', '-f', '%p %o\\n', '-G', group, topic];
    return new Promise((resolve) => {
      execFile(kcat ?? '', words, { timeout: 30_000 }, (_, stdout) => resolve(stdout.split('\n').filter(Boolean).length));
    });
  }
  (kcat === undefined ? it.skip : it)(
    'readers and auditors read in groups of their own name, and in no other',
    async () => {
      expect(await readInGroup('reader', 'bauta.default.lake.rows.app.person', 'reader-1')).toBe(181);
      expect(await readInGroup('auditor', 'bauta.audit', 'auditor')).toBeGreaterThan(10);
      expect(await readInGroup('reader', 'bauta.default.lake.rows.app.person', 'others')).toBe(0);
    },
    60_000,
  );

  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'allowed',
      (error: { code?: string; name: string }) => error.code ?? error.name,
    );
  /** A topic that may not even be described is as good as none. */
  const refusals = ['BROKER_DENIED', 'TOPIC_MISSING', 'BROKER_COORDINATOR_MISSING'];
  const isAllowed = async (work: Promise<unknown>): Promise<boolean> => {
    const code = await codeOf(work);
    expect(['allowed', ...refusals]).toContain(code);
    return code === 'allowed';
  };

  it('each may read and write what is its own, and no other topic', async () => {
    const admin = await (await open(kafka.url)).admin();
    await admin.create({ topic: 'elsewhere', partitions: 1 }, { topic: 'bauta.team.dev.control', partitions: 1 });
    const topics = (await admin.list()).filter((topic) => !topic.startsWith('__'));
    const versions = topics.filter((topic) => topic.includes('.versions.'));
    expect(versions).toHaveLength(3);
    const rowsOf = (environment: string): string[] => topics.filter((topic) => topic.startsWith(`bauta.default.${environment}.rows.`));
    const own = topics.filter((topic) => topic.startsWith('bauta.default.'));
    const events = ['bauta.audit', 'bauta.audit.checkpoints', 'bauta.lineage', 'bauta.usage'];
    const controls = ['lake', 'pond', 'sea'].map((environment) => toControlTopic({ ...place, environment }));
    const may: Partial<Record<User, { read: string[]; write: string[] }>> = {
      service: { read: own, write: own },
      'agent-1': { read: [toControlTopic(place), bulk], write: [toReceiptsTopic(place)] },
      reader: { read: [...controls, ...rowsOf('lake'), ...rowsOf('pond'), ...versions], write: [] },
      events: { read: [], write: events },
      auditor: { read: events, write: [] },
      stranger: { read: [], write: [] },
    };
    for (const [user, wanted] of Object.entries(may)) {
      const broker = await open(kafka.login(user as User));
      // Who may write nowhere is not even given a producer's number.
      const producer = await broker.producer().catch((error: { code?: string }) => void expect(error.code).toBe('BROKER_DENIED'));
      const mayRead = async (topic: string): Promise<boolean> => {
        const reading = broker.reader({ topic, waitMs: 20 }).then((reader) => reader.read().finally(() => reader.close()));
        return isAllowed(reading);
      };
      const [read, written]: [string[], string[]] = [[], []];
      for (const topic of topics) {
        if (await mayRead(topic)) read.push(topic);
        if (producer && (await isAllowed(producer.send({ topic, records: [{ key: 'forged', value: 'forged' }] })))) written.push(topic);
      }
      expect([user, read, written]).toEqual([user, wanted.read.sort(), wanted.write.sort()]);
      await broker.close();
    }
  }, 120_000);

  it('nobody but the service makes, empties or deletes a topic or gives rights, and the service none beyond its workspace', async () => {
    const control = toControlTopic(place);
    const denied: string[] = [];
    for (const user of ['agent-1', 'reader', 'auditor', 'events', 'stranger'] as const) {
      const admin = await (await open(kafka.login(user))).admin();
      const tried = {
        make: admin.create({ topic: `${bulk}x`, partitions: 1 }),
        empty: admin.deleteRecords(bulk, new Map([[0, 0n]])),
        grant: admin.grant({ principal: `User:${user}`, operation: 'read', on: { topic: bulk } }),
        shorten: admin.keepFor(control, 1000),
      };
      for (const [name, work] of Object.entries(tried)) denied.push(`${user} ${name} ${await codeOf(work)}`);
      // What may not be seen is not there to be deleted, and nothing is said of it.
      denied.push(`${user} delete ${(await codeOf(admin.delete(bulk))).replace('allowed', 'TOPIC_MISSING')}`);
    }
    expect(denied.filter((line) => !refusals.some((code) => line.endsWith(code)))).toEqual([]);
    const service = await open(kafka.login('service'));
    const admin = await service.admin();
    for (const work of [
      admin.create({ topic: 'bauta.team.dev.bulk.x', partitions: 1 }),
      admin.deleteRecords('elsewhere', new Map([[0, 0n]])),
      service.producer({ transactionalId: 'bauta.team.dev.control' }).then((one) => one.begin()),
    ])
      expect(refusals).toContain(await codeOf(work));
    const all = await (await open(kafka.url)).admin();
    expect(await all.list(bulk)).toEqual([bulk]);
  }, 60_000);

  it('nothing of a person stands in any topic, schema, name, file or memory of the broker', async () => {
    const clean = await searchBroker(kafka, needles, place, agentKeys());
    expect(clean.found).toEqual([]);
    expect(clean.topics).toEqual(expect.arrayContaining([bulk, '__transaction_state', '__consumer_offsets', 'bauta.lineage', 'bauta.default.lake.rows.app.person'])); // prettier-ignore
    expect(clean.opened).toBeGreaterThanOrEqual(3);
    expect(clean.records).toBeGreaterThan(1500);
    expect(registry.schemas.length).toBeGreaterThan(0);
    expect(needles.find(registry.schemas.join('\n'))).toEqual([]);
  }, 120_000);

  it('whatever of a person stood there would be found', async () => {
    const broker = await open(kafka.url, word('last'));
    const admin = await broker.admin();
    await admin.create({ topic: `bauta.default.lake.rows.app.${word('first')}`, partitions: 1 });
    const [[runId, key]] = [...(await readDatasetKeys(broker, place, agentKeys()))] as [[string, DatasetKey]];
    const privateKey = await findStreamKey(openFileKeys(join(folder, 'keys'))({ purpose: 'transport', ...place }));
    const head = { run: runId, table: 0, range: 0, sequence: 99, last: false, rows: 1 };
    const sealed = await toBulkRecord(head, Buffer.from(`${word('note')}\n`), { environment: 'dev', privateKey, key });
    const transactions = await broker.producer({ transactionalId: `bauta.default.${word('host')}` });
    const transaction = await transactions.begin();
    await transaction.send({ topic: bulk, records: [{ value: sealed.value, headers: sealed.headers }] });
    await transaction.abort();
    const producer = await broker.producer();
    await producer.send(
      { topic: 'bauta.usage', records: [{ value: gzipSync(word('mail')) }] },
      { topic: 'bauta.lineage', records: [{ value: 'x', headers: { note: Buffer.from(word('mail')).toString('base64') } }] },
      { topic: 'bauta.audit', records: [{ key: Buffer.from(word('mail')).toString('hex'), value: toVarint(person) }] },
    );
    // A name of a client stands in the broker's memory until its next collection: this one keeps asking.
    let isAsking = true;
    const asking = (async () => {
      while (isAsking) await admin.list(bulk);
    })();
    const { found } = await searchBroker(kafka, needles, place, agentKeys()).finally(() => (isAsking = false));
    await asking;
    expect(found).toEqual(
      expect.arrayContaining([
        `note in opened values of ${bulk}`,
        'host in keys of __transaction_state',
        'mail in inflated values of bauta.usage',
        'mail in headers of bauta.lineage',
        'mail in keys of bauta.audit',
        'id in Avro in values of bauta.audit',
        'first in names of topics',
        'first in files of the broker',
        'last in memory of the broker',
      ]),
    );
  }, 120_000);
});

// What the stream, the agent and the events rely on, on a real Apache Kafka with an authorizer.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import {
  type Broker,
  type BrokerAdmin,
  type InRecord,
  openBroker,
  resolveBroker,
  type TopicReader,
} from '../../src/systems/kafka/kafka.js';
import { createAuthority } from '../support/certificates.js';
import { findKafka, shareKafka, type TestKafka, type User } from '../support/kafka.js';

const jars = findKafka();
const read = (reference: string): Promise<string> => Promise.resolve(readFileSync(reference.replace(/^file:/, ''), 'utf8'));
const open = async (url: string): Promise<Broker> => openBroker(await resolveBroker('env:BROKER', url, read), { patienceMs: 5000 });
/** The code of what it fails with. */
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing failed',
    (error: { code?: string; name: string }) => error.code ?? error.name,
  );

/** Reads until so many are there, and once more: there must be no further one. */
async function take(reader: TopicReader, count: number): Promise<readonly InRecord[]> {
  const found: InRecord[] = [];
  while (found.length < count) found.push(...(await reader.read()));
  return [...found, ...(await reader.read())];
}
const values = (records: readonly InRecord[]): string[] => records.map(({ value }) => value?.toString() ?? '');

(jars ? describe : describe.skip)('a broker', () => {
  let kafka: TestKafka;
  let broker: Broker;
  let admin: BrokerAdmin;
  let count = 0;
  const folder = mkdtempSync(join(tmpdir(), 'bauta-broker-'));
  const name = (): string => `contract.broker.${++count}`;
  const create = async (partitions = 1): Promise<string> => {
    const topic = name();
    await admin.create({ topic, partitions });
    return topic;
  };

  beforeAll(async () => {
    kafka = await shareKafka(jars ?? '');
    broker = await open(kafka.url);
    admin = await broker.admin();
  });
  afterAll(async () => {
    await broker.close();
    rmSync(folder, { recursive: true });
  });

  it('makes a topic as stated, once, and describes it', async () => {
    const topic = name();
    const definition = { topic, partitions: 3, replication: 1, retentionMs: 3_600_000, settings: { 'max.message.bytes': '2000000' } };
    expect(await admin.create(definition)).toEqual([topic]);
    expect(await admin.create(definition)).toEqual([]);
    expect(await admin.describe([topic, 'contract.none'])).toEqual([{ topic, partitions: 3, replication: 1 }]);
    const settings = await admin.settings(topic);
    expect([settings.get('retention.ms'), settings.get('cleanup.policy'), settings.get('max.message.bytes')]).toEqual([
      '3600000',
      'delete',
      '2000000',
    ]);
    expect(await codeOf(admin.create({ ...definition, topic: name(), replication: 3 }))).toBe('TOPIC_REFUSED');
  });

  it('keeps what is sent, in order, with keys and headers, and gives it again from any position', async () => {
    const topic = await create(2);
    const producer = await broker.producer();
    await producer.send({ topic, records: [{ key: 'k', value: 'one', headers: { 'b-seq': '0' }, partition: 1 }] });
    await producer.send({ topic, records: ['two', 'three'].map((value) => ({ value, partition: 1 })) });
    const reader = await broker.reader({ topic });
    const records = await take(reader, 3);
    expect(values(records)).toEqual(['one', 'two', 'three']);
    expect(records[0]).toMatchObject({ partition: 1, offset: 0n, key: Buffer.from('k') });
    expect(records[0]?.headers.get('b-seq')?.toString()).toBe('0');
    expect(reader.positions).toEqual(
      new Map([
        [0, 0n],
        [1, 3n],
      ]),
    );
    const again = await broker.reader({ topic, partitions: [1], from: new Map([[1, 2n]]) });
    expect(values(await take(again, 1))).toEqual(['three']);
    const late = await broker.reader({ topic, from: 'end' });
    await producer.send({ topic, records: [{ value: 'four', partition: 0 }] });
    expect(values(await take(late, 1))).toEqual(['four']);
  });

  it('shows a transaction whole when it is committed, and never one that was aborted', async () => {
    const topic = await create(2);
    const producer = await broker.producer({ transactionalId: `${topic}.writer` });
    const committed = await broker.reader({ topic, waitMs: 100 });
    const uncommitted = await broker.reader({ topic, waitMs: 100, readUncommitted: true });
    const dropped = await producer.begin();
    await dropped.send({ topic, records: [{ value: 'dropped', partition: 0 }] });
    await dropped.abort();
    const kept = await producer.begin();
    await kept.send({
      topic,
      records: [
        { value: 'a', partition: 0 },
        { value: 'b', partition: 1 },
      ],
    });
    expect(await committed.read()).toEqual([]);
    expect(values(await take(uncommitted, 3)).sort()).toEqual(['a', 'b', 'dropped']);
    await kept.commit();
    expect(values(await take(committed, 2)).sort()).toEqual(['a', 'b']);
    expect(await codeOf(kept.send({ topic, records: [{ value: 'late' }] }))).not.toBe('nothing failed');
  });

  it('fences the first of two producers of one name', async () => {
    const topic = await create();
    const transactionalId = `${topic}.writer`;
    const first = await broker.producer({ transactionalId });
    const old = await first.begin();
    await old.send({ topic, records: [{ value: 'old' }] });
    const second = await broker.producer({ transactionalId });
    const young = await second.begin();
    await young.send({ topic, records: [{ value: 'young' }] });
    expect(await codeOf(old.send({ topic, records: [{ value: 'older' }] }))).toBe('BROKER_FENCED');
    expect(await codeOf(old.commit())).toBe('BROKER_FENCED');
    await young.commit();
    expect(values(await take(await broker.reader({ topic }), 1))).toEqual(['young']);
  });

  it('gives no record again that was deleted, and says that a position is gone', async () => {
    const topic = await create();
    const producer = await broker.producer();
    await producer.send({ topic, records: ['a', 'b', 'c'].map((value) => ({ value })) });
    await admin.deleteRecords(topic, new Map([[0, 2n]]));
    expect(await admin.offsets(topic)).toEqual([{ partition: 0, first: 2n, next: 3n }]);
    expect(values(await take(await broker.reader({ topic }), 1))).toEqual(['c']);
    const gone = await broker.reader({ topic, from: new Map([[0, 0n]]) });
    expect(await codeOf(gone.read())).toBe('TOPIC_RECORDS_GONE');
    await admin.deleteRecords(topic);
    expect(await admin.offsets(topic)).toEqual([{ partition: 0, first: 3n, next: 3n }]);
    expect(await admin.delete(topic, 'contract.none')).toEqual([topic]);
    expect(await admin.list(topic)).toEqual([]);
    expect(await codeOf(broker.reader({ topic }))).toBe('TOPIC_MISSING');
  });

  it('waits for a slow reader: no fetch is sent that nobody asked for', async () => {
    const topic = await create();
    const producer = await broker.producer();
    const value = Buffer.alloc(100_000, 7);
    for (let i = 0; i < 20; i++) await producer.send({ topic, records: [{ value }] });
    const reader = await broker.reader({ topic, maxBytes: 250_000 });
    const first = await reader.read();
    expect(first.length).toBeLessThanOrEqual(3);
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Position and memory stand where the caller stands.
    expect(reader.positions.get(0)).toBe(BigInt(first.length));
    expect(reader.ends.get(0)).toBe(20n);
    expect(first.length + (await take(reader, 20 - first.length)).length).toBe(20);
  });

  it('refuses a record that is larger than the topic takes', async () => {
    const topic = name();
    await admin.create({ topic, partitions: 1, settings: { 'max.message.bytes': '1000' } });
    const producer = await broker.producer();
    expect(await codeOf(producer.send({ topic, records: [{ value: Buffer.alloc(2000) }] }))).toBe('TOPIC_RECORD_LARGE');
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('takes a login by %s, and not with a wrong password', async (mechanism) => {
    const good = await open(kafka.login('service', mechanism));
    await good.close();
    const wrong = kafka.login('service', mechanism).replace(kafka.passwords.service, 'wrong');
    expect(await codeOf(open(wrong))).toBe('BROKER_AUTH');
  });

  it('takes a token until it has expired', async () => {
    const file = join(folder, 'token');
    const url = `kafkas://localhost:${kafka.ports.sasl}?mechanism=oauthbearer&ca=file:${kafka.caFile}&token=file:${file}`;
    writeFileSync(file, `${kafka.token('service')}\n`);
    const good = await open(url);
    // It is read again at the next connection: the one that expired meanwhile is refused.
    writeFileSync(file, kafka.token('service', -60));
    expect(await codeOf(good.producer())).toBe('BROKER_AUTH');
    await good.close();
    expect(await codeOf(open(url))).toBe('BROKER_AUTH');
    // Of somebody else, and none at all: what would end the message is not even sent.
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(file, kafka.token('service', 600, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()));
    expect(await codeOf(open(url))).toBe('BROKER_AUTH');
    writeFileSync(file, 'a\u0001b');
    expect(await codeOf(open(url))).toBe('BROKER_AUTH');
  });

  it('takes a certificate of its own authority, and no connection without', async () => {
    const good = await open(kafka.certificate('service'));
    await good.close();
    const without = `kafkas://localhost:${kafka.ports.tls}?ca=file:${kafka.caFile}`;
    expect(await codeOf(open(without))).toBe('BROKER_AUTH');
  });

  it('is not spoken to when its certificate is of another authority or for another name', async () => {
    const other = createAuthority();
    writeFileSync(join(folder, 'other.crt'), other.ca);
    other.remove();
    expect(await codeOf(open(kafka.login('service').replace(kafka.caFile, join(folder, 'other.crt'))))).toBe('BROKER_CERTIFICATE_REFUSED');
    // The same address, by a name that the certificate does not have.
    expect(await codeOf(open(kafka.login('service').replace('@localhost', '@127.1')))).toBe('BROKER_CERTIFICATE_REFUSED');
    expect(await codeOf(open(`kafkas://127.0.0.1:${kafka.ports.plain}?ca=file:${kafka.caFile}`))).toBe('BROKER_TLS_MISSING');
  });

  it('says that a broker is not there', async () => {
    expect(await codeOf(open('kafka://127.0.0.1:1'))).toBe('BROKER_UNREACHABLE');
  });

  it('lets a principal do what it was granted and nothing else', async () => {
    const topic = await create();
    const other = await create();
    const as = (user: User): Promise<Broker> => open(kafka.login(user));
    const [writer, reader, stranger] = [await as('service'), await as('reader'), await as('stranger')];
    const [mayWrite, mayRead] = [
      { principal: kafka.principal('service'), operation: 'write', on: { topic } },
      { principal: kafka.principal('reader'), operation: 'read', on: { prefix: topic } },
    ] as const;
    await admin.grant(mayWrite, mayRead);
    expect(await admin.grants({ topic })).toEqual([mayWrite]);
    const producer = await writer.producer();
    await producer.send({ topic, records: [{ value: 'allowed' }] });
    expect(await codeOf(producer.send({ topic: other, records: [{ value: 'denied' }] }))).toBe('BROKER_DENIED');
    expect(values(await take(await reader.reader({ topic }), 1))).toEqual(['allowed']);
    expect(await codeOf(reader.reader({ topic: other }))).toBe('BROKER_DENIED');
    expect(await codeOf(stranger.reader({ topic }))).toBe('BROKER_DENIED');
    expect(await codeOf(writer.reader({ topic }).then((one) => one.read()))).toBe('BROKER_DENIED');
    expect(await codeOf(reader.admin().then((one) => one.deleteRecords(topic, new Map([[0, 1n]]))))).toBe('BROKER_DENIED');
    expect(await codeOf(stranger.admin().then((one) => one.create({ topic: name(), partitions: 1 })))).toBe('BROKER_DENIED');
    expect(await codeOf(stranger.admin().then((one) => one.grant(mayWrite)))).toBe('BROKER_DENIED');
    expect([await admin.hasAuthorizer(), await (await stranger.admin()).hasAuthorizer()]).toEqual([true, true]);
    await admin.revoke(mayRead);
    expect(await codeOf(reader.reader({ topic }).then((one) => one.read()))).toBe('BROKER_DENIED');
    await Promise.all([writer, reader, stranger].map((one) => one.close()));
  });

  it('lets a token be renewed at any moment before it ends', async () => {
    const [topic, file] = [await create(), join(folder, 'renewed')];
    // In one step: whoever logs in meanwhile reads the one or the other.
    const renew = (): void => {
      writeFileSync(`${file}.part`, kafka.token('service', 6));
      renameSync(`${file}.part`, file);
    };
    renew();
    // Every moment of it is one of its last, in which each request begins with a login.
    const renewing = setInterval(renew, 500);
    await admin.grant({ principal: kafka.principal('service'), operation: 'write', on: { topic } });
    await admin.grant({ principal: kafka.principal('service'), operation: 'describe', on: { topic } });
    const url = `kafkas://localhost:${kafka.ports.sasl}?mechanism=oauthbearer&token=file:${file}&ca=file:${kafka.caFile}`;
    const other = await open(url);
    const producer = await other.producer();
    const write = (n: number): Promise<unknown> => producer.send({ topic, records: [{ value: String(n) }] });
    const until = performance.now() + 7000;
    let n = 0;
    for (; performance.now() < until; n++) await write(n);
    clearInterval(renewing);
    await other.close();
    const reader = await broker.reader({ topic, waitMs: 100 });
    expect(values(await reader.read())).toEqual(Array.from({ length: n }, (_, i) => String(i)));
  }, 60_000);
});

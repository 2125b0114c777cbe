// A broker that is killed, or whose network is cut, while records go through it: each of them stands there once, in order, or the sender hears of it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type Broker, openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { type CutNetwork, createCutNetwork } from '../support/cut-network.js';
import { type OwnKafka, findKafka, startKafka } from '../support/kafka.js';

const jars = findKafka();
const texts = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => String(from + i));
const records = (from: number, to: number): { value: string }[] => texts(from, to).map((value) => ({ value }));
/** Of Kafka's protocol. */
const metadata = 3;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

(jars ? describe : describe.skip)('a broker that goes away', () => {
  let kafka: OwnKafka;
  let network: CutNetwork;
  const open: Broker[] = [];
  let count = 0;

  const connect = async (patienceMs: number): Promise<Broker> => {
    const address = `kafka://127.0.0.1:${network.port}`;
    const broker = await openBroker(await resolveBroker('env:BROKER', address, () => Promise.resolve(undefined)), { patienceMs });
    open.push(broker);
    return broker;
  };
  const create = async (broker: Broker): Promise<string> => {
    const topic = `fault.${++count}`;
    await (await broker.admin()).create({ topic, partitions: 1 });
    return topic;
  };
  /** By a reader that is there from the beginning to the end. */
  const follow = async (broker: Broker, topic: string, last: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { value } of await broker.reader({ topic, waitMs: 100 })) {
      found.push(value?.toString() ?? '');
      if (value?.toString() === last) return found;
    }
    return found;
  };

  beforeAll(async () => {
    network = await createCutNetwork();
    // A broker tells clients where it is: on the other side of the network.
    kafka = await startKafka(jars ?? '', ({ plain }) => {
      network.leadTo(plain);
      return { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${network.port}`, 'authorizer.class.name': '' };
    });
  });
  afterAll(async () => {
    await Promise.all(open.map((broker) => broker.close()));
    await network.close();
    await kafka.stop();
  });

  it('killed and started again loses no record and doubles none, for who writes and for who reads', async () => {
    const broker = await connect(30_000);
    const topic = await create(broker);
    const producer = await broker.producer();
    const followed = follow(broker, topic, '299');
    let restart: Promise<void> | undefined;
    for (let from = 0; from < 300; from += 10) {
      if (from === 100) restart = kafka.restart();
      await producer.send({ topic, records: records(from, from + 10) });
    }
    await restart;
    expect(await followed).toEqual(texts(0, 300));
  });

  it('behind a network that is cut again and again gets every record once, in order', async () => {
    const broker = await connect(30_000);
    const topic = await create(broker);
    const producer = await broker.producer();
    const followed = follow(broker, topic, '299');
    let cuts: Promise<void> = Promise.resolve();
    for (let from = 0; from < 300; from += 10) {
      if (from % 60 === 30)
        cuts = cuts.then(async () => {
          network.cut();
          await sleep(100);
          network.mend();
          await sleep(1000);
        });
      await producer.send({ topic, records: records(from, from + 10) });
      await sleep(100);
    }
    await cuts;
    expect(await followed).toEqual(texts(0, 300));
  });

  it('behind such a network gets what many write to the same partitions at once, each of it once and in its order', async () => {
    const broker = await connect(30_000);
    const padding = 'x'.repeat(60_000);
    for (let round = 0; round < 4; round++) {
      const topic = `fault.${++count}`;
      await (await broker.admin()).create({ topic, partitions: 2 });
      const producer = await broker.producer();
      const write = async (writer: number): Promise<void> => {
        for (const n of texts(0, 40))
          await producer.send({ topic, records: [{ value: `${writer}.${n}.${padding}`, partition: writer % 2 }] });
      };
      const cutting = (async () => {
        await sleep(60 + 40 * round);
        network.cut();
        await sleep(150 * round);
        network.mend();
      })();
      await Promise.all([...[0, 1, 2, 3, 4, 5].map(write), cutting]);
      const reader = await broker.reader({ topic, waitMs: 100 });
      const found: string[] = [];
      while (found.length < 240) found.push(...(await reader.read()).map(({ value }) => value?.toString().slice(0, 5) ?? ''));
      for (const writer of [0, 1, 2, 3, 4, 5]) {
        const mine = found.flatMap((text) => (text.startsWith(`${writer}.`) ? [text.split('.')[1]] : []));
        expect([writer, mine]).toEqual([writer, texts(0, 40)]);
      }
      await Promise.all([reader.close(), producer.close()]);
    }
  });

  it('while it says what a topic has is asked once more by who begins to read', async () => {
    const broker = await connect(30_000);
    const topic = await create(broker);
    await (await broker.producer()).send({ topic, records: records(0, 10) });
    const cut = network.cutBeforeAnswer(metadata);
    const reading = broker.reader({ topic, waitMs: 100 });
    await cut;
    network.mend();
    const [reader, found] = [await reading, [] as string[]];
    while (found.length < 10) found.push(...(await reader.read()).map(({ value }) => value?.toString() ?? ''));
    expect(found).toEqual(texts(0, 10));
  });

  it('in the middle of a transaction ends it whole: all of it is read, or nothing', async () => {
    const broker = await connect(30_000);
    const topic = await create(broker);
    const producer = await broker.producer({ transactionalId: `${topic}.writer` });
    const kept = await producer.begin();
    await kept.send({ topic, records: records(0, 50) });
    await kafka.restart();
    await kept.send({ topic, records: records(50, 100) });
    await kept.commit();
    // One whose writer never comes back: the next of its name ends it.
    const lost = await producer.begin();
    await lost.send({ topic, records: records(900, 950) });
    const heir = await broker.producer({ transactionalId: `${topic}.writer` });
    const last = await heir.begin();
    await last.send({ topic, records: records(100, 110) });
    await last.commit();
    expect(await follow(broker, topic, '109')).toEqual(texts(0, 110));
    await expect(lost.commit()).rejects.toMatchObject({ code: 'BROKER_FENCED' });
  });

  it('and one that keeps no rights says so', async () => {
    const admin = await (await connect(5000)).admin();
    expect(await admin.hasAuthorizer()).toBe(false);
    const everything = { principal: 'User:anybody', operation: 'read', on: { prefix: 'bauta.' } } as const;
    await expect(admin.grant(everything)).rejects.toMatchObject({ code: 'BROKER_AUTHORIZER_MISSING' });
  });

  it('for longer than anybody wants to wait is said, to who writes and to who reads', async () => {
    const broker = await connect(1500);
    const topic = await create(broker);
    const producer = await broker.producer();
    const reader = await broker.reader({ topic, waitMs: 100 });
    await reader.read();
    network.cut();
    const gone = { code: 'BROKER_UNREACHABLE', where: { connection: 'env:BROKER' } };
    await Promise.all([
      expect(producer.send({ topic, records: records(0, 1) })).rejects.toMatchObject(gone),
      expect(reader.read()).rejects.toMatchObject(gone),
      expect(connect(1500)).rejects.toMatchObject(gone),
    ]);
    network.mend();
    expect((await producer.send({ topic, records: records(0, 1) })).length).toBe(1);
  });
});

import { createRequire } from 'node:module';

import { describe, expect, it } from '@jest/globals';

import { crc32c } from './crc32c.js';
import { type Produce, writeProduce } from './produce-request.js';

type Encoded = (produce: object) => { encode(): Promise<{ readonly buffer: Buffer }> };
const nowMs = 1_763_812_345_678;

/** What kafkajs itself would send, with the same time in every record. Its own form of a request is asked, not what a client of ours made of it. */
async function asKafkajs(produce: Produce): Promise<Buffer> {
  const encoded = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce/v3/request.js') as Encoded;
  const topicData = produce.topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((one) => ({ ...one, messages: one.messages.map((message) => ({ ...message, timestamp: nowMs })) })),
  }));
  return (await encoded({ ...produce, topicData }).encode()).buffer;
}

const usual = { acks: -1, timeout: 30_000, producerId: '4611686018427387904', producerEpoch: 7 };
const large = Buffer.alloc(300_000, 'masked ');

describe('What is sent to a broker', () => {
  it.each<[string, Produce]>([
    ['a record', { ...usual, topicData: [{ topic: 'a', partitions: [{ partition: 0, firstSequence: 0, messages: [{ value: 'v' }] }] }] }],
    [
      'records of a transaction, in several partitions of several topics',
      {
        ...{ ...usual, transactionalId: 'bauta.ümlaut.control' },
        topicData: ['one', 'two'].map((topic) => ({
          topic,
          partitions: [3, 11].map((partition) => ({
            ...{ partition, firstSequence: 2_000_000_000 },
            messages: Array.from({ length: 150 }, (_, at) => ({ key: `key ${at}`, value: Buffer.from(`value ${'é'.repeat(at)}`) })),
          })),
        })),
      },
    ],
    [
      'a key that goes, a record without a key, and headers as bytes and text',
      {
        ...usual,
        topicData: [
          {
            topic: 't',
            partitions: [
              {
                ...{ partition: 1, firstSequence: 5 },
                messages: [
                  { key: 'gone', value: null, headers: {} },
                  { key: null, value: '', headers: { 'b-seq': '1', 'b-sig': Buffer.from([0, 255]), ü: 'ß' } },
                  { key: Buffer.alloc(0), value: large, headers: { 'b-run': 'x'.repeat(200) } },
                ],
              },
            ],
          },
        ],
      },
    ],
    [
      'who is no idempotent producer',
      { acks: 1, timeout: 1, topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ value: 'v' }] }] }] },
    ],
    ['nothing', { ...usual, topicData: [] }],
  ])('is byte for byte what kafkajs would send: %s', async (_, produce) => {
    expect(writeProduce(produce, nowMs).equals(await asKafkajs(produce))).toBe(true);
  });

  // RFC 3720, B.4; the last one is the check value of the catalogue of parametrised CRC algorithms.
  it.each([
    ['32 bytes of zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 bytes that rise', Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd794e],
    ['32 bytes that fall', Buffer.from(Array.from({ length: 32 }, (_, at) => 31 - at)), 0x113fdb5c],
    ['nine digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('has the check sum of RFC 3720: %s', (_, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum);
  });
});

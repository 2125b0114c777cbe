// A receipt answers a message: one of an earlier attempt of the same run, kept and sent again by who may write to the topic, says nothing of this one.
import { generateKeyPairSync } from 'node:crypto';

import { expect, it } from '@jest/globals';

import { toPublicBytes } from '../../../kernel/ed25519.js';
import { toError } from '../../../kernel/errors.js';
import type { Broker } from '../broker.js';
import { type ReceiptType, type WireMessage, writeReceipt } from '../wire/message.js';
import { Receipts } from './receipts.js';

const place = { workspace: 'local', environment: 'dev' };
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const agents = new Map([['agent1', { publicKey: toPublicBytes(publicKey).toString('hex'), recipient: '' }]]);
let sequence = 0;

const said = (type: ReceiptType, answers?: number): object => {
  const of = { ...place, runId: 'run1', agentId: 'agent1', sequence: (sequence += 1), at: '2026-11-22T00:00:00.000Z', body: {} };
  const [{ key, value, headers }] = writeReceipt({ v: 1, type, ...of, ...(answers !== undefined && { answers }) }, privateKey) as [
    WireMessage,
  ];
  return { key: Buffer.from(key), value, headers: new Map(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])) };
};

async function heardOf(...records: readonly object[]): Promise<string | undefined> {
  const receipts = new Receipts({ place, runId: 'run1', agents, after: 7 });
  const reader = { [Symbol.asyncIterator]: () => records.values(), close: () => Promise.resolve() };
  await receipts.listen({ reader: () => Promise.resolve(reader) } as unknown as Broker);
  await receipts.close();
  expect(receipts.refused).toBe(0);
  return receipts.agents[0]?.state;
}

it('takes what answers a message of this attempt, and nothing that answers an earlier one or none', async () => {
  const [early, none, late] = [said('verified', 7), said('verified'), said('verified', 8)];
  expect(await heardOf(early, none)).toBe('silent');
  expect(await heardOf(early, none, late)).toBe('verified');
  expect(await heardOf(said('loading', 9), said('failed', 6))).toBe('loading');
});

it('says once that answers cannot be read, and once more when that has passed and comes again', async () => {
  const away = toError('BROKER_UNREACHABLE', { name: 'broker' });
  const turns: (object | Error)[][] = [[away], [away], [said('verified', 8), away], [away], [said('published', 9)]];
  const lines: string[] = [];
  const receipts = new Receipts({ place, runId: 'run1', agents, after: 7 });
  receipts.tell((line) => lines.push(line));
  const reader = {
    *[Symbol.asyncIterator]() {
      for (const one of turns.shift() ?? []) {
        if (one instanceof Error) throw one;
        yield one;
      }
    },
    close: () => Promise.resolve(),
  };
  await receipts.listen({ reader: () => Promise.resolve(reader) } as unknown as Broker);
  await receipts.wait(['published'], 1, 60_000, { patient: true });
  await receipts.close();
  const told = 'answers of agents cannot be read: BROKER_UNREACHABLE; asking again';
  expect(lines).toEqual([told, 'agent1 verified', told, 'agent1 published']);
});

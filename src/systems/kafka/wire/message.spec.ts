import { randomBytes } from 'node:crypto';

import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { toPrivateKey, toPublicBytes, toPublicKey } from '../../../kernel/ed25519.js';
import {
  type ControlMessage, type MessageProblem, MessageReader, type ReadMessage, readControl, readReceipt, toClaimedAgent, writeControl, writeReceipt,
} from './message.js'; // prettier-ignore

const key = toPrivateKey(randomBytes(32));
const publicKey = toPublicKey(toPublicBytes(key));
const nowMs = Date.parse('2026-11-22T00:00:00.000Z');
const at = (ms: number): string => new Date(nowMs + ms).toISOString();
const place = { environment: 'dev', workspace: 'local', highest: 0, nowMs };

function toMessage(more: Partial<ControlMessage> = {}): ControlMessage {
  const times = { issuedAt: at(-1000), expiresAt: at(60_000) };
  return { v: 1, type: 'begin', environment: 'dev', workspace: 'local', runId: 'r1', sequence: 1, ...times, body: { a: 1 }, ...more };
}

function read(records: readonly ReadMessage[], more: Partial<typeof place> = {}): unknown[] {
  const reader = new MessageReader('control', publicKey);
  return records.map((record) => readControl(reader, record, { ...place, ...more })).filter((one) => one !== undefined);
}

const toRead = (message: ControlMessage): readonly ReadMessage[] =>
  writeControl(message, key).map(({ key: name, value, headers }) => ({ key: Buffer.from(name), value, headers }));

const problem = (name: MessageProblem): unknown[] => [{ problem: name }];

it('reads what was signed, whatever stands in it and in however many records it was sent', () => {
  const sizes = fc.constantFrom(0, 1, 899_000, 900_001, 1_900_000);
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), sizes, (value, size) => {
      const body = JSON.parse(JSON.stringify({ value, text: 'ä'.repeat(size / 2) })) as ControlMessage['body'];
      const message = toMessage({ body });
      expect(read(toRead(message))).toEqual([{ message }]);
    }),
    { numRuns: 30 },
  );
});

it('refuses a record of which any bit was changed', () => {
  const [record] = toRead(toMessage());
  fc.assert(
    fc.property(fc.nat(record!.value!.length - 1), fc.nat(7), (where, bit) => {
      const value = Buffer.from(record!.value!);
      value[where] = value[where]! ^ (1 << bit);
      expect(read([{ ...record!, value }])).toEqual(problem('unsigned'));
    }),
  );
});

it('refuses what is unsigned, a tombstone, another key and a signature that stands there twice', () => {
  const [record] = toRead(toMessage());
  const headers = record!.headers as Record<string, string>;
  expect(read([{ ...record!, headers: {} }])).toEqual(problem('unsigned'));
  expect(read([{ ...record!, value: null }])).toEqual(problem('unsigned'));
  expect(read([{ ...record!, key: Buffer.from('r2/begin') }])).toEqual(problem('unsigned'));
  expect(read([{ ...record!, headers: { ...headers, 'b-sig': [headers['b-sig'], 'x'] } }])).toEqual(problem('unsigned'));
  const other = writeControl(toMessage(), toPrivateKey(randomBytes(32)))[0]!;
  expect(read([{ ...other, key: Buffer.from(other.key) }])).toEqual(problem('unsigned'));
});

it('tells a foreign, an older, an expired and an early message by name', () => {
  expect(read(toRead(toMessage({ environment: 'staging' })))).toEqual(problem('foreign'));
  expect(read(toRead(toMessage({ workspace: 'other' })))).toEqual(problem('foreign'));
  expect(read(toRead(toMessage({ sequence: 7 })), { highest: 7 })).toEqual(problem('older'));
  expect(read(toRead(toMessage({ expiresAt: at(0) })))).toEqual(problem('expired'));
  expect(read(toRead(toMessage({ issuedAt: at(600_000), expiresAt: at(700_000) })))).toEqual(problem('early'));
  expect(read(toRead(toMessage({ type: 'other' as 'begin' })))).toEqual(problem('malformed'));
  expect(read(toRead(toMessage({ sequence: 0 })))).toEqual(problem('malformed'));
});

it('puts parts together in any order, and never those of two messages', () => {
  const large = (text: string): readonly ReadMessage[] => toRead(toMessage({ body: { text: text.repeat(2_000_000) } }));
  const [one, two] = [large('a'), large('b')];
  expect(one).toHaveLength(3);
  expect(read([...one].reverse())).toHaveLength(1);
  expect(read([one[0]!, two[1]!, one[2]!, two[0]!])).toEqual([]);
  expect(read([one[0]!, two[1]!, one[2]!, two[0]!, one[1]!])).toMatchObject([{ message: { body: { text: 'a'.repeat(2_000_000) } } }]);
  expect(read([one[0]!, one[0]!, one[1]!])).toEqual([]);
  expect(read([{ ...one[0]!, key: one[1]!.key }, ...one.slice(1)])).toEqual(problem('unsigned'));
});

it('is not kept from a message in parts by signed records of older ones that somebody sends between them', () => {
  const large = (text: string): readonly ReadMessage[] => toRead(toMessage({ body: { text: text.repeat(2_000_000) } }));
  const [one, old, older] = [large('a'), large('b'), large('c')];
  const small = toRead(toMessage({ runId: 'r0' }))[0]!;
  const found = read([one[0]!, small, one[1]!, old[0]!, older[1]!, small, one[2]!]) as { message: ControlMessage }[];
  expect(found.map(({ message: { runId } }) => runId)).toEqual(['r0', 'r0', 'r1']);
});

it('keeps a few unfinished messages and no more, however many are begun', () => {
  const begun = Array.from({ length: 8 }, (_, n) => toRead(toMessage({ body: { text: String(n).repeat(1_000_000) } })));
  const first = begun.map(([part]) => part!);
  expect(read([...first, begun[0]![1]!])).toEqual([]);
  expect(read([...first, begun[7]![1]!])).toHaveLength(1);
});

it('takes no receipt for a command and no command for a receipt', () => {
  const receipt = {
    v: 1,
    type: 'loaded',
    environment: 'dev',
    workspace: 'local',
    runId: 'r1',
    agentId: 'a1',
    sequence: 1,
    at: at(0),
    body: {},
  } as const;
  const [written] = writeReceipt(receipt, key).map(({ key: name, value, headers }) => ({ key: Buffer.from(name), value, headers }));
  expect(toClaimedAgent(written!)).toBe('a1');
  const reading = { environment: 'dev', workspace: 'local', agentId: 'a1', highest: 0 };
  expect(readReceipt(new MessageReader('receipt', publicKey), written!, reading)).toEqual({ message: receipt });
  expect(readReceipt(new MessageReader('receipt', publicKey), written!, { ...reading, agentId: 'a2' })).toEqual({ problem: 'foreign' });
  expect(readReceipt(new MessageReader('receipt', publicKey), written!, { ...reading, highest: 1 })).toEqual({ problem: 'older' });
  expect(read([written!])).toEqual(problem('unsigned'));
  expect(readReceipt(new MessageReader('receipt', publicKey), toRead(toMessage())[0]!, reading)).toEqual({ problem: 'unsigned' });
});

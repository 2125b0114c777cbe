// What service and agents say to each other over a broker that nobody trusts: canonical JSON (RFC 8785), signed, in as many records as it needs.
// Every record is signed by itself, so that nothing is kept, parsed or put together that the key's owner did not send.
import { type KeyObject, createHash, sign, verify } from 'node:crypto';

import { type Json, toCanonicalJson } from '../../../kernel/canonical-json.js';

export const controlTypes = ['enrolled', 'revoked', 'begin', 'complete', 'publish', 'withdraw', 'rollback', 'expire'] as const;
export type ControlType = (typeof controlTypes)[number];

export const receiptTypes = [
  'enrol',
  'loading',
  'loaded',
  'verified',
  'published',
  'failed',
  'rolled-back',
  'withdrawn',
  'expired',
  /** Of no run: what stood on a topic and was not acted on. */
  'refused',
] as const;
export type ReceiptType = (typeof receiptTypes)[number];

/** Service to agents. */
export interface ControlMessage<Body = Json> {
  readonly v: 1;
  readonly type: ControlType;
  readonly environment: string;
  readonly workspace: string;
  /** Of the run; of an enrolment: the agent's id. */
  readonly runId: string;
  readonly version?: number;
  /** Grows with every message of an environment. */
  readonly sequence: number;
  readonly issuedAt: string;
  readonly expiresAt: string;
  readonly body: Body;
}

/** Agent to service. */
export interface ReceiptMessage<Body = Json> {
  readonly v: 1;
  readonly type: ReceiptType;
  readonly environment: string;
  readonly workspace: string;
  readonly runId: string;
  readonly agentId: string;
  /** Grows with every receipt of an agent. */
  readonly sequence: number;
  /** Number of the service's message that is acted on; absent: of none. */
  readonly answers?: number;
  readonly at: string;
  readonly body: Body;
}

export interface WireMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** As a consumer gets it: anybody may have written it. */
export interface ReadMessage {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
}

type Direction = 'control' | 'receipt';

export type MessageProblem =
  /** No signature, or none of the key. */
  | 'unsigned'
  /** Signed, and not of the form that we know: of a newer release. */
  | 'malformed'
  /** Of another environment or workspace, or under a key that is not its own. */
  | 'foreign'
  /** A sequence that is not above the highest that was accepted. */
  | 'older'
  | 'expired'
  /** Issued later than any clock's error explains. */
  | 'early';

/** Below Kafka's default of 1 MB for a record, headers included. */
const MOST_PART_BYTES = 900_000;
/** A catalogue of some ten thousand tables. */
const MOST_PARTS = 100;
/** Of one sender: whoever may write to the topic can send signed parts of old messages again, between those of the one that is under way. */
const MOST_UNFINISHED = 4;
const CLOCKS_DIFFER_MS = 5 * 60_000;

export function writeControl(message: ControlMessage, key: KeyObject): readonly WireMessage[] {
  return write('control', `${message.runId}/${message.type}`, message as unknown as Json, key);
}

export function writeReceipt(message: ReceiptMessage, key: KeyObject): readonly WireMessage[] {
  return write('receipt', `${message.agentId}/${message.runId}/${message.type}`, message as unknown as Json, key);
}

function write(direction: Direction, name: string, message: Json, privateKey: KeyObject): readonly WireMessage[] {
  const bytes = Buffer.from(toCanonicalJson(message), 'utf8');
  const of = Math.max(1, Math.ceil(bytes.length / MOST_PART_BYTES));
  if (of > MOST_PARTS) throw new RangeError(`a message of more than ${MOST_PARTS} parts`);
  const digest = sha256(bytes);
  return Array.from({ length: of }, (_, at) => {
    const value = bytes.subarray(at * MOST_PART_BYTES, (at + 1) * MOST_PART_BYTES);
    // The topic is compacted: each part has a key of its own, or only the last of them would stay.
    const key = at === 0 ? name : `${name}/${at}`;
    const part = `${at}/${of}`;
    const signature = sign(null, toSigned(direction, key, part, digest, value), privateKey);
    return { key, value, headers: { 'b-part': part, 'b-digest': digest, 'b-sig': signature.toString('base64url') } };
  });
}

/** Domain, key, place among the parts, digest of the whole and of this part: nothing of it can be moved or put elsewhere. */
function toSigned(direction: Direction, key: string, part: string, digest: string, value: Uint8Array): Buffer {
  return Buffer.from(['bauta kafka message v1', direction, key, part, digest, sha256(value)].join('\n'), 'utf8');
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export type Read<Message> = { readonly message: Message } | { readonly problem: MessageProblem } | undefined;

/**
 * Puts the records of one sender together. Undefined: a part of something, or a part that nothing came of. It holds no more than a few unfinished
 * messages, all of them signed; of more the one goes whose last part came first.
 */
export class MessageReader {
  private readonly unfinished = new Map<string, Map<number, Buffer>>();

  constructor(
    private readonly direction: Direction,
    private readonly publicKey: KeyObject,
  ) {}

  /** The canonical text and the name under which it was sent. */
  read({ key, value, headers = {} }: ReadMessage): Read<{ readonly text: string; readonly name: string }> {
    const [whole, digest, signature] = ['b-part', 'b-digest', 'b-sig'].map((name) => toText(headers[name]));
    // A tombstone: whoever wrote it took something away, and that is all that he can.
    if (value === null || key === null || whole === undefined || digest === undefined || signature === undefined)
      return { problem: 'unsigned' };
    if (value.length > MOST_PART_BYTES) return { problem: 'unsigned' };
    const [, at, of] = /^(0|[1-9]\d?)\/([1-9]\d{0,2})$/.exec(whole)?.map(Number) ?? [];
    const name = Buffer.from(key).toString('utf8');
    const signed = toSigned(this.direction, name, whole, digest, value);
    if (!verify(null, signed, this.publicKey, Buffer.from(signature, 'base64url'))) return { problem: 'unsigned' };
    if (at === undefined || of === undefined || at >= of || of > MOST_PARTS) return { problem: 'malformed' };
    return this.add(digest, at === 0 ? name : name.replace(/\/\d+$/, ''), at, of, Buffer.from(value));
  }

  private add(digest: string, name: string, at: number, of: number, part: Buffer): Read<{ readonly text: string; readonly name: string }> {
    const which = `${of} ${digest}`;
    const parts = (this.unfinished.get(which) ?? new Map<number, Buffer>()).set(at, part);
    this.unfinished.delete(which);
    if (parts.size < of) {
      this.unfinished.set(which, parts);
      for (const oldest of this.unfinished.keys()) if (this.unfinished.size > MOST_UNFINISHED) this.unfinished.delete(oldest);
      return undefined;
    }
    const bytes = Buffer.concat(Array.from({ length: of }, (_, one) => parts.get(one)!));
    return sha256(bytes) === digest ? { message: { text: bytes.toString('utf8'), name } } : { problem: 'malformed' };
  }
}

export interface ControlReading {
  readonly environment: string;
  readonly workspace: string;
  /** The highest sequence that was accepted before; 0: none. */
  readonly highest: number;
  readonly nowMs: number;
}

/** Says nothing of what the message is about: the body is for whoever acts on it. */
export function readControl(
  reader: MessageReader,
  record: ReadMessage,
  { environment, workspace, highest, nowMs }: ControlReading,
): Read<ControlMessage> {
  const read = reader.read(record);
  if (!read || 'problem' in read) return read;
  const message = parse(read.message.text, controlTypes) as ControlMessage | undefined;
  if (!message || !isInstant(message.issuedAt) || !isInstant(message.expiresAt)) return { problem: 'malformed' };
  if (message.version !== undefined && !isCount(message.version)) return { problem: 'malformed' };
  if (message.environment !== environment || message.workspace !== workspace) return { problem: 'foreign' };
  if (read.message.name !== `${message.runId}/${message.type}`) return { problem: 'foreign' };
  if (message.sequence <= highest) return { problem: 'older' };
  if (Date.parse(message.expiresAt) <= nowMs) return { problem: 'expired' };
  return Date.parse(message.issuedAt) > nowMs + CLOCKS_DIFFER_MS ? { problem: 'early' } : { message };
}

export interface ReceiptReading {
  readonly environment: string;
  readonly workspace: string;
  readonly agentId: string;
  readonly highest: number;
}

export function readReceipt(
  reader: MessageReader,
  record: ReadMessage,
  { environment, workspace, agentId, highest }: ReceiptReading,
): Read<ReceiptMessage> {
  const read = reader.read(record);
  if (!read || 'problem' in read) return read;
  const message = parse(read.message.text, receiptTypes) as ReceiptMessage | undefined;
  if (!message || !isInstant(message.at)) return { problem: 'malformed' };
  if (message.answers !== undefined && !isCount(message.answers)) return { problem: 'malformed' };
  const own = message.environment === environment && message.workspace === workspace && message.agentId === agentId;
  if (!own || read.message.name !== `${agentId}/${message.runId}/${message.type}`) return { problem: 'foreign' };
  return message.sequence <= highest ? { problem: 'older' } : { message };
}

/** By which key a receipt claims to be: the agent's id in front. Nothing of it is known to be true. */
export function toClaimedAgent({ key }: ReadMessage): string | undefined {
  return key === null ? undefined : /^([0-9a-z]{1,64})\//.exec(Buffer.from(key).toString('latin1'))?.[1];
}

/** Only the one text that the value has: what was signed is what is read. */
function parse(text: string, types: readonly string[]): object | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
    if (toCanonicalJson(value as Json) !== text) return undefined;
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { v, type, environment, workspace, runId, sequence, body } = value as Record<string, unknown>;
  const fits =
    v === 1 &&
    types.includes(type as string) &&
    [environment, workspace, runId].every((one) => typeof one === 'string') &&
    isCount(sequence);
  return fits && typeof body === 'object' && body !== null ? value : undefined;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;

const isInstant = (value: unknown): boolean =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) && !Number.isNaN(Date.parse(value));

/** kafkajs gives a header as bytes, and as a list where it stands there twice: then it is nobody's. */
function toText(header: unknown): string | undefined {
  if (typeof header === 'string') return header;
  return header instanceof Uint8Array ? Buffer.from(header).toString('latin1') : undefined;
}

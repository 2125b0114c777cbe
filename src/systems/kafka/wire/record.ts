// A bulk record: whole lines of COPY text of one stream of one table, compressed, and signed by the environment's stream key. What a record
// claims stands in its headers and is signed; nothing of it is believed, and nothing is inflated, before the signature holds.
import { type KeyObject, createCipheriv, createDecipheriv, hash, randomBytes, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { toCanonicalJson } from '../../../kernel/canonical-json.js';
import { toError } from '../../../kernel/errors.js';
import { type Digest, toLeafDigest } from '../../../pipeline/audit/audit.js';
import { compress } from './compress.js';

/** What is signed, before anything else: a signature over a record can be taken for nothing else. */
const domain = 'bauta kafka record v1\n';
/** What a record holds before compression, unless one line alone is longer. */
export const recordBytes = 256 * 1024;
/** No line is longer; nothing larger is ever inflated. */
export const mostRecordBytes = 32 * 1024 * 1024;
const nonceBytes = 12;
const tagBytes = 16;

/** A record's claims, all of them signed. */
export interface RecordHead {
  readonly run: string;
  /** Index into the tables of `begin`. */
  readonly table: number;
  /** Number of the stream in its table. */
  readonly range: number;
  /** Number of the record in its stream, from 0. */
  readonly sequence: number;
  /** No record of the stream comes after it. */
  readonly last: boolean;
  readonly rows: number;
  /** Bytes before compression. */
  readonly size: number;
  /** SHA-256 of the lines, in hex. */
  readonly digest: string;
}

/** Key of one dataset version, with which values are encrypted so that the broker's operator reads nothing. */
export interface DatasetKey {
  /** Public: which key it is. */
  readonly id: string;
  /** 32 bytes. Secret. */
  readonly secret: Uint8Array;
}

export interface BulkRecord {
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
  readonly head: RecordHead;
  /** Of the Merkle tree of the version. */
  readonly leaf: Digest;
}

export interface Opened {
  readonly head: RecordHead;
  readonly leaf: Digest;
  readonly lines: Buffer;
}

const inflate = promisify<Uint8Array, object, Buffer>(gunzip);

/** The bytes that are signed: a line that names what they are, then the claims as canonical JSON. */
export function toSignedBytes(environment: string, head: RecordHead): Buffer {
  const { run, table, range, sequence, last, rows, size, digest } = head;
  return Buffer.from(domain + toCanonicalJson({ environment, run, table, range, sequence, last, rows, size, digest }));
}

/** `lines`: whole lines, read and not kept. */
export async function toBulkRecord(
  of: Omit<RecordHead, 'size' | 'digest'>,
  lines: Uint8Array,
  by: { readonly environment: string; readonly privateKey: KeyObject; readonly key?: DatasetKey | undefined },
): Promise<BulkRecord> {
  const head: RecordHead = { ...of, size: lines.length, digest: hash('sha256', lines, 'hex') };
  const signed = toSignedBytes(by.environment, head);
  const packed = await compress(lines);
  return {
    head,
    leaf: toLeafDigest(signed),
    headers: {
      'b-run': head.run,
      'b-table': String(head.table),
      'b-range': String(head.range),
      'b-seq': String(head.sequence),
      'b-last': head.last ? '1' : '0',
      'b-rows': String(head.rows),
      'b-size': String(head.size),
      'b-digest': head.digest,
      'b-sig': sign(null, signed, by.privateKey).toString('base64'),
      ...(by.key && { 'b-key': by.key.id }),
    },
    value: by.key ? encrypt(packed, by.key, signed) : packed,
  };
}

export interface OpenWith {
  readonly environment: string;
  readonly runId: string;
  readonly publicKey: KeyObject;
  /** Asked only of records that name the run and are signed. */
  readonly findKey?: ((id: string) => DatasetKey | undefined) | undefined;
}

/**
 * The record's lines, with everything that it claims found true. Throws STREAM_RECORD_FORGED: headers that are none of ours, another run's, or not
 * signed by the environment's key; STREAM_RECORD_BROKEN: signed, and the value is not what was signed. `value` null is a broken one.
 */
export async function openBulkRecord(
  headers: Readonly<Record<string, unknown>>,
  value: Uint8Array | null,
  open: OpenWith,
): Promise<Opened> {
  const head = parseHead(headers);
  const signature = Buffer.from(toText(headers['b-sig']) ?? '', 'base64');
  if (!head || head.run !== open.runId) throw toError('STREAM_RECORD_FORGED', { stage: 'deliver', run: open.runId });
  const signed = toSignedBytes(open.environment, head);
  if (signature.length !== 64 || !verify(null, signed, open.publicKey, signature))
    throw toError('STREAM_RECORD_FORGED', { stage: 'deliver', run: open.runId });
  const packed = value && decrypt(value, toText(headers['b-key']), open, signed);
  // One byte more than was claimed is enough to know that the claim is not of these bytes. In one piece: zlib's own of 16 KB cost more than what it does to them.
  const lines =
    packed && (await inflate(packed, { maxOutputLength: head.size + 1, chunkSize: Math.max(64, head.size + 1) }).catch(() => undefined));
  if (lines?.length !== head.size || hash('sha256', lines, 'hex') !== head.digest || (head.size > 0 && lines[head.size - 1] !== 10))
    throw toError('STREAM_RECORD_BROKEN', { stage: 'deliver', run: open.runId, range: head.range + 1, batch: head.sequence + 1 });
  return { head, leaf: toLeafDigest(signed), lines };
}

function encrypt(packed: Uint8Array, { secret }: DatasetKey, signed: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(signed);
  return Buffer.concat([nonce, cipher.update(packed), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined where it cannot be opened: with no key, another one, or other bytes. A value in clear is none where a key is asked for. */
function decrypt(value: Uint8Array, id: string | undefined, { findKey }: OpenWith, signed: Uint8Array): Uint8Array | undefined {
  if (!findKey) return id === undefined ? value : undefined;
  const key = id === undefined ? undefined : findKey(id);
  if (!key || value.length < nonceBytes + tagBytes) return undefined;
  try {
    const end = value.length - tagBytes;
    const decipher = createDecipheriv('aes-256-gcm', key.secret, value.subarray(0, nonceBytes)).setAAD(signed);
    decipher.setAuthTag(value.subarray(end));
    return Buffer.concat([decipher.update(value.subarray(nonceBytes, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}

function parseHead(headers: Readonly<Record<string, unknown>>): RecordHead | undefined {
  const run = toText(headers['b-run']);
  const digest = toText(headers['b-digest']);
  const [table, range, sequence, rows, size] = ['b-table', 'b-range', 'b-seq', 'b-rows', 'b-size'].map((name) => toCount(headers[name]));
  const last = toText(headers['b-last']);
  if (run === undefined || digest === undefined || !/^[0-9a-f]{64}$/.test(digest) || (last !== '0' && last !== '1')) return undefined;
  if (table === undefined || range === undefined || sequence === undefined || rows === undefined || size === undefined) return undefined;
  if (size > mostRecordBytes || rows > size) return undefined;
  return { run, table, range, sequence, last: last === '1', rows, size, digest };
}

/** A header as kafkajs gives it: bytes or text, once. Never longer than what a header of ours can be. */
function toText(header: unknown): string | undefined {
  const text = Buffer.isBuffer(header) ? header.toString('latin1') : header;
  return typeof text === 'string' && text.length <= 128 && /^[\x21-\x7e]*$/.test(text) ? text : undefined;
}

function toCount(header: unknown): number | undefined {
  const text = toText(header);
  const count = text !== undefined && /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(count) ? count : undefined;
}

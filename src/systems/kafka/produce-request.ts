// hot path: what a Produce request says (Kafka protocol, Produce versions 3 to 7, record batches of format 2), in one piece of memory of the right size.
// kafkajs makes each header, each record, each batch and each level above them in a growing piece of its own and copies it into the next.
import { crc32c } from './crc32c.js';

type Bytes = Buffer | string | null;

/** One record, as kafkajs hands it on. Its time is that of the request. */
interface Message {
  readonly key?: Bytes;
  readonly value: Bytes;
  readonly headers?: Readonly<Record<string, Buffer | string>>;
}

/** As kafkajs puts it together. Records are not compressed by it: what is large was compressed before. */
export interface Produce {
  readonly acks: number;
  readonly timeout: number;
  readonly transactionalId?: string | null;
  /** 64 bits. */
  readonly producerId?: { toString(): string };
  readonly producerEpoch?: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly firstSequence?: number; readonly messages: readonly Message[] }[];
  }[];
}

interface Sized {
  readonly message: Message;
  readonly bodyBytes: number;
}

const magic = 2;
const transactional = 16;
/** From the attributes to the number of records. */
const batchHeadBytes = 40;
/** Offset, length, epoch of the leader, magic and check sum. */
const batchFrontBytes = 21;

export function writeProduce(produce: Produce, nowMs: number): Buffer {
  const { topicData, transactionalId = null } = produce;
  const topics = topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((one) => {
      const records = one.messages.map((message, at): Sized => ({ message, bodyBytes: sizeOfBody(message, at) }));
      const batchBytes = records.reduce(
        (sum, { bodyBytes }) => sum + sizeOfVarint(bodyBytes) + bodyBytes,
        batchFrontBytes + batchHeadBytes,
      );
      return { ...one, records, batchBytes };
    }),
  }));
  const size = topics.reduce(
    (sum, { topic, partitions }) =>
      partitions.reduce((inner, { batchBytes }) => inner + 8 + batchBytes, sum + 2 + Buffer.byteLength(topic) + 4),
    2 + (transactionalId === null ? 0 : Buffer.byteLength(transactionalId)) + 2 + 4 + 4,
  );
  const out = new Out(size);
  out.text(transactionalId);
  out.int16(produce.acks);
  out.int32(produce.timeout);
  out.int32(topics.length);
  for (const { topic, partitions } of topics) {
    out.text(topic);
    out.int32(partitions.length);
    for (const { partition, records, batchBytes, firstSequence = 0 } of partitions) {
      out.int32(partition);
      out.int32(batchBytes);
      writeBatch(out, { ...produce, records, batchBytes, firstSequence, nowMs });
    }
  }
  return out.take();
}

interface Batch extends Produce {
  readonly records: readonly Sized[];
  readonly batchBytes: number;
  readonly firstSequence: number;
  readonly nowMs: number;
}

function writeBatch(out: Out, { records, batchBytes, firstSequence, nowMs, transactionalId, producerId, producerEpoch = 0 }: Batch): void {
  const now = BigInt(nowMs);
  out.int64(0n);
  out.int32(batchBytes - 12);
  out.int32(0);
  out.int8(magic);
  const sumAt = out.at;
  out.int32(0);
  out.int16(transactionalId ? transactional : 0);
  out.int32(records.length - 1);
  out.int64(now);
  out.int64(now);
  out.int64(BigInt((producerId ?? -1).toString()));
  out.int16(producerEpoch);
  out.int32(firstSequence);
  out.int32(records.length);
  for (const [at, { message, bodyBytes }] of records.entries()) {
    out.varint(bodyBytes);
    writeBody(out, message, at);
  }
  out.bytes.writeUInt32BE(crc32c(out.bytes.subarray(sumAt + 4, out.at)), sumAt);
}

function writeBody(out: Out, { key = null, value, headers = {} }: Message, at: number): void {
  out.int8(0);
  out.varint(0);
  out.varint(at);
  out.piece(key);
  out.piece(value);
  const names = Object.keys(headers);
  out.varint(names.length);
  for (const name of names) {
    out.piece(name);
    out.piece(headers[name]!);
  }
}

function sizeOfBody({ key = null, value, headers = {} }: Message, at: number): number {
  const names = Object.keys(headers);
  let size = 2 + sizeOfVarint(at) + sizeOfPiece(key) + sizeOfPiece(value) + sizeOfVarint(names.length);
  for (const name of names) size += sizeOfPiece(name) + sizeOfPiece(headers[name]!);
  return size;
}

function sizeOfPiece(piece: Bytes): number {
  if (piece === null) return 1;
  const { length } = typeof piece === 'string' ? { length: Buffer.byteLength(piece) } : piece;
  return sizeOfVarint(length) + length;
}

/** Of a number that is not negative, zigzag. */
function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value * 2; rest > 127; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

class Out {
  readonly bytes: Buffer;
  at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }

  int8(value: number): void {
    this.at = this.bytes.writeInt8(value, this.at);
  }

  int16(value: number): void {
    this.at = this.bytes.writeInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.at = this.bytes.writeInt32BE(value, this.at);
  }

  int64(value: bigint): void {
    this.at = this.bytes.writeBigInt64BE(value, this.at);
  }

  /** Null is -1, as for the length of a piece. */
  text(value: string | null): void {
    this.int16(value === null ? -1 : Buffer.byteLength(value));
    if (value !== null) this.at += this.bytes.write(value, this.at);
  }

  /** Not negative. */
  varint(value: number): void {
    let rest = value * 2;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.bytes[this.at++] = (rest & 127) | 128;
    this.bytes[this.at++] = rest;
  }

  piece(piece: Bytes): void {
    if (piece === null) {
      // -1, zigzag.
      this.bytes[this.at++] = 1;
      return;
    }
    if (typeof piece === 'string') {
      this.varint(Buffer.byteLength(piece));
      this.at += this.bytes.write(piece, this.at);
      return;
    }
    this.varint(piece.length);
    this.bytes.set(piece, this.at);
    this.at += piece.length;
  }

  /** It was sized exactly: bytes that nobody wrote would be somebody else's. */
  take(): Buffer {
    if (this.at !== this.bytes.length) throw new RangeError(`a request of ${this.bytes.length} bytes came to ${this.at}`);
    return this.bytes;
  }
}

// hot path: values in Avro's binary encoding (Avro specification 1.12, "Binary Encoding"), from the server's text.
import { ByteWriter } from './byte-writer.js';
import { toUnscaled } from './decimal.js';
import { readHex } from './hex.js';
import { ListReader, listSteps } from './list-text.js';
import { Moment } from './moment.js';
import type { RowType } from './row-type.js';
import { Refused, ValueWriter, forNever, forever, refusals } from './value-writer.js';

/** Branches of a union of null and a type. */
const nullBranch = 0;
const valueBranch = 2;
/** So many digits are a number that a double holds twice over. */
const safeDigits = 15;
const safe = 2 ** 52;

export class AvroWriter extends ValueWriter {
  readonly #moment = new Moment();
  readonly #raw = new ByteWriter();
  readonly #list = new ListReader(new ByteWriter());

  override writeNull(out: ByteWriter): void {
    out.byte(nullBranch);
  }

  override beginNullable(out: ByteWriter): void {
    out.byte(valueBranch);
  }

  override write(out: ByteWriter, type: RowType, bytes: Uint8Array, start: number, end: number): void {
    switch (type.kind) {
      case 'string':
        return writeBytes(out, bytes, start, end);
      case 'int16':
      case 'int32':
      case 'int64':
        return writeInteger(out, bytes, start, end);
      case 'boolean':
        return out.byte(bytes[start] === 0x74 ? 1 : 0);
      case 'float32':
      case 'float64':
        return writeFloat(out, toText(bytes, start, end), type.kind === 'float32');
      case 'bytes':
        this.#raw.length = 0;
        if (!readHex(bytes, start, end, this.#raw)) throw new Refused(refusals.text);
        return writeBytes(out, this.#raw.bytes, 0, this.#raw.length);
      case 'decimal': {
        const unscaled = toUnscaled(toText(bytes, start, end), type.scale ?? 0);
        if (!unscaled) throw new Refused(refusals.decimal);
        return writeBytes(out, unscaled, 0, unscaled.length);
      }
      case 'list':
        return this.#writeList(out, type.element as RowType, bytes, start, end);
      case 'date':
      case 'time':
      case 'timestamp':
      case 'timestamptz':
        return this.#writeMoment(out, type, bytes, start, end);
    }
  }

  #writeMoment(out: ByteWriter, { kind }: RowType, bytes: Uint8Array, start: number, end: number): void {
    const moment = this.#moment;
    if (kind === 'date') {
      if (!moment.readDate(bytes, start, end)) throw new Refused(refusals.text);
      return writeLong(out, moment.infinite === 0 ? moment.days : moment.infinite > 0 ? forever.days : forNever.days);
    }
    const read = kind === 'time' ? moment.readTime(bytes, start, end) : moment.readTimestamp(bytes, start, end, kind === 'timestamptz');
    if (!read) throw new Refused(refusals.text);
    if (moment.infinite !== 0) return writeBigLong(out, moment.infinite > 0 ? forever.micros : forNever.micros);
    if (moment.seconds > forever.lastSecond) throw new Refused(refusals.moment);
    const micros = moment.seconds * 1e6 + moment.micros;
    if (Math.abs(micros) < safe) writeLong(out, micros);
    else writeBigLong(out, BigInt(moment.seconds) * 1_000_000n + BigInt(moment.micros));
  }

  #writeList(out: ByteWriter, element: RowType, bytes: Uint8Array, start: number, end: number): void {
    const list = this.#list;
    const count = list.count(bytes, start, end);
    if (count < 0) throw new Refused(refusals.list);
    if (count > 0) writeLong(out, count);
    list.begin(bytes, start, end);
    for (let step = list.next(); step !== listSteps.end; step = list.next()) {
      if (step === listSteps.empty) out.byte(nullBranch);
      else if (step === listSteps.element) {
        out.byte(valueBranch);
        this.write(out, element, list.value.bytes, 0, list.value.length);
      }
    }
    out.byte(0);
  }
}

/** bytes and string: the length before them. */
export function writeBytes(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  writeLong(out, end - start);
  out.copy(bytes, start, end);
}

/** int and long: zigzag, seven bits a byte. `value` below 2^52. */
export function writeLong(out: ByteWriter, value: number): void {
  out.reserve(10);
  let left = value < 0 ? -2 * value - 1 : 2 * value;
  while (left >= 128) {
    out.bytes[out.length++] = (left % 128) | 128;
    left = Math.floor(left / 128);
  }
  out.bytes[out.length++] = left;
}

function writeBigLong(out: ByteWriter, value: bigint): void {
  out.reserve(10);
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; left >= 128n; left >>= 7n) out.bytes[out.length++] = Number(left & 127n) | 128;
  out.bytes[out.length++] = Number(left);
}

function writeInteger(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > safeDigits) return writeBigLong(out, BigInt(toText(bytes, start, end)));
  const negative = bytes[start] === 45;
  let value = 0;
  for (let i = negative ? start + 1 : start; i < end; i++) {
    const digit = (bytes[i] as number) - 48;
    if (!(digit >= 0 && digit <= 9)) throw new Refused(refusals.text);
    value = value * 10 + digit;
  }
  writeLong(out, negative ? -value : value);
}

function writeFloat(out: ByteWriter, text: string, single: boolean): void {
  const value = Number(text);
  if (Number.isNaN(value) && text !== 'NaN') throw new Refused(refusals.text);
  out.reserve(8);
  out.length = single ? out.bytes.writeFloatLE(value, out.length) : out.bytes.writeDoubleLE(value, out.length);
}

function toText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}

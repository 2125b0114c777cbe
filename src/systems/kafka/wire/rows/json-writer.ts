// hot path: values as JSON, byte by byte from the server's text; no object and no string per value but for decimals.
import { ByteWriter } from './byte-writer.js';
import { toUnscaled } from './decimal.js';
import { readHex, writeBase64 } from './hex.js';
import { ListReader, listSteps } from './list-text.js';
import { Moment, writeDigits } from './moment.js';
import type { RowType } from './row-type.js';
import { Refused, ValueWriter, forNever, forever, refusals } from './value-writer.js';

const quote = 34;
const backslash = 92;
const comma = 44;
/** Byte → what stands after the backslash; `u` (117): four hex digits do; 0: as it is. */
export const jsonEscapes = new Uint8Array(256).fill(117, 0, 32);
for (const [letter, byte] of [['b', 8], ['t', 9], ['n', 10], ['f', 12], ['r', 13], ['"', 34], ['\\', 92]] as const) {
  jsonEscapes[byte] = letter.charCodeAt(0);
} // prettier-ignore
const hexDigits = Buffer.from('0123456789abcdef');
export const words = { null: Buffer.from('null'), true: Buffer.from('true'), false: Buffer.from('false') };
const [most, least] = [Buffer.from(String(forever.micros)), Buffer.from(String(forNever.micros))];

export class JsonWriter extends ValueWriter {
  readonly #moment = new Moment();
  readonly #raw = new ByteWriter();
  readonly #list = new ListReader(new ByteWriter());

  /** `nested`: whether a list may hold lists. Connect's schemas have one depth for all values of a column. */
  constructor(private readonly nested: boolean) {
    super();
  }

  override writeNull(out: ByteWriter): void {
    out.put(words.null);
  }

  override beginNullable(): void {
    return;
  }

  override write(out: ByteWriter, type: RowType, bytes: Uint8Array, start: number, end: number): void {
    switch (type.kind) {
      case 'string':
        return writeString(out, bytes, start, end);
      case 'int16':
      case 'int32':
      case 'int64':
        return out.copy(bytes, start, end);
      case 'boolean':
        return out.put(bytes[start] === 0x74 ? words.true : words.false);
      case 'float32':
      case 'float64':
        if ((bytes[end - 1] as number) > 0x39) throw new Refused(refusals.float);
        return out.copy(bytes, start, end);
      case 'bytes':
        this.#raw.length = 0;
        if (!readHex(bytes, start, end, this.#raw)) throw new Refused(refusals.text);
        return this.#base64(out, this.#raw.bytes, this.#raw.length);
      case 'decimal': {
        const unscaled = toUnscaled(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'), type.scale ?? 0);
        if (!unscaled) throw new Refused(refusals.decimal);
        return this.#base64(out, unscaled, unscaled.length);
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

  #base64(out: ByteWriter, bytes: Uint8Array, length: number): void {
    out.byte(quote);
    writeBase64(bytes, 0, length, out);
    out.byte(quote);
  }

  #writeMoment(out: ByteWriter, { kind }: RowType, bytes: Uint8Array, start: number, end: number): void {
    const moment = this.#moment;
    if (kind === 'date') {
      if (!moment.readDate(bytes, start, end)) throw new Refused(refusals.text);
      return writeNumber(out, moment.infinite === 0 ? moment.days : moment.infinite > 0 ? forever.days : forNever.days);
    }
    const read = kind === 'time' ? moment.readTime(bytes, start, end) : moment.readTimestamp(bytes, start, end, kind === 'timestamptz');
    if (!read) throw new Refused(refusals.text);
    if (moment.infinite !== 0) return out.put(moment.infinite > 0 ? most : least);
    if (moment.seconds > forever.lastSecond) throw new Refused(refusals.moment);
    writeMicros(out, moment.seconds, moment.micros);
  }

  #writeList(out: ByteWriter, element: RowType, bytes: Uint8Array, start: number, end: number): void {
    const list = this.#list;
    list.begin(bytes, start, end);
    let depth = 0;
    let first = true;
    for (;;) {
      const step = list.next();
      if (step === listSteps.end) return;
      if (step === listSteps.broken) throw new Refused(this.nested ? refusals.nested : refusals.list);
      if (step === listSteps.close) {
        depth--;
        out.byte(93);
        first = false;
        continue;
      }
      if (!first) out.byte(comma);
      first = step === listSteps.open;
      if (step === listSteps.open) {
        if (++depth > 1 && !this.nested) throw new Refused(refusals.list);
        out.byte(91);
      } else if (step === listSteps.empty) out.put(words.null);
      else this.write(out, element, list.value.bytes, 0, list.value.length);
    }
  }
}

function writeString(out: ByteWriter, bytes: Uint8Array, start: number, end: number): void {
  out.reserve(6 * (end - start) + 2);
  const to = out.bytes;
  let at = out.length;
  to[at++] = quote;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    const letter = jsonEscapes[byte] as number;
    if (letter === 0) {
      to[at++] = byte;
      continue;
    }
    to[at++] = backslash;
    to[at++] = letter;
    if (letter !== 117) continue;
    to[at++] = 0x30;
    to[at++] = 0x30;
    to[at++] = hexDigits[byte >> 4] as number;
    to[at++] = hexDigits[byte & 15] as number;
  }
  to[at++] = quote;
  out.length = at;
}

function writeNumber(out: ByteWriter, value: number): void {
  if (value < 0) out.byte(45);
  const size = Math.abs(value);
  writeDigits(out, size, countDigits(size));
}

/** The number seconds · 10⁶ + micros, which a double may not hold. */
function writeMicros(out: ByteWriter, seconds: number, micros: number): void {
  if (seconds < 0) {
    out.byte(45);
    seconds = micros === 0 ? -seconds : -seconds - 1;
    micros = micros === 0 ? 0 : 1_000_000 - micros;
  }
  if (seconds === 0) return writeDigits(out, micros, countDigits(micros));
  writeDigits(out, seconds, countDigits(seconds));
  writeDigits(out, micros, 6);
}

function countDigits(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count++;
  return count;
}

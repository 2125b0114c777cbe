// hot path: reads a record of ours back into its line of COPY text. It knows the one way in which JsonWriter writes and takes no other: a record
// that somebody else wrote, or that got changed on its way, is refused, not understood.
import { ByteWriter } from './byte-writer.js';
import { fromUnscaled } from './decimal.js';
import { escapeField } from './field-text.js';
import { readBase64, writeHex } from './hex.js';
import { jsonEscapes, words } from './json-writer.js';
import { writeElement } from './list-text.js';
import { Moment } from './moment.js';
import type { RowForm } from './row-form.js';
import type { RowColumn } from './row-table.js';
import type { RowType } from './row-type.js';
import { ValueReader } from './value-reader.js';
import { forNever, forever } from './value-writer.js';

const quote = 34;
const backslash = 92;
const broken = -1;
/** Letter after the backslash → byte. */
const meanings = new Uint8Array(256);
jsonEscapes.forEach((letter, byte) => {
  if (letter !== 0 && letter !== 117) meanings[letter] = byte;
});
const [most, least] = [String(forever.micros), String(forNever.micros)];

export class JsonReader extends ValueReader {
  readonly #plain = new ByteWriter();
  readonly #element = new ByteWriter();
  readonly #raw = new ByteWriter();
  readonly #moment = new Moment();

  constructor(
    private readonly form: RowForm,
    private readonly columns: readonly RowColumn[],
  ) {
    super();
  }

  override readLine(value: Buffer, line: ByteWriter): boolean {
    const { valueHead, valueTail, before } = this.form;
    let at = skip(value, 0, valueHead);
    for (let i = 0; i < this.columns.length && at !== broken; i++) {
      at = skip(value, at, before[i] as Buffer);
      if (at === broken) return false;
      if (i > 0) line.byte(9);
      const { type, nullable } = this.columns[i] as RowColumn;
      if (isNull(value, at)) {
        if (!nullable) return false;
        line.byte(backslash);
        line.byte(78);
        at += 4;
        continue;
      }
      this.#plain.length = 0;
      at = this.#read(value, at, type, this.#plain);
      if (at !== broken) escapeField(this.#plain.bytes, 0, this.#plain.length, line);
    }
    if (at === broken || skip(value, at, valueTail) !== value.length) return false;
    line.byte(10);
    return true;
  }

  /** Adds the plain text of the value that begins at `at`; returns where it ends. */
  #read(value: Buffer, at: number, type: RowType, out: ByteWriter): number {
    switch (type.kind) {
      case 'string':
        return readString(value, at, out);
      case 'boolean':
        out.byte(value[at] as number);
        return skip(value, at, value[at] === 0x74 ? words.true : words.false);
      case 'bytes':
      case 'decimal':
        return this.#readBytes(value, at, type, out);
      case 'list':
        return this.#readList(value, at, type.element as RowType, out);
      case 'int16':
      case 'int32':
      case 'int64':
      case 'float32':
      case 'float64':
        return this.#readNumber(value, at, undefined, out);
      case 'date':
      case 'time':
      case 'timestamp':
      case 'timestamptz':
        return this.#readNumber(value, at, type, out);
    }
  }

  /** `moment`: the type whose text it stands for; else it is the text. */
  #readNumber(value: Buffer, at: number, moment: RowType | undefined, out: ByteWriter): number {
    const end = endOfNumber(value, at);
    if (end === at) return broken;
    if (moment) this.#readMoment(value.toString('latin1', at, end), moment, out);
    else out.copy(value, at, end);
    return end;
  }

  #readBytes(value: Buffer, at: number, { kind, scale = 0 }: RowType, out: ByteWriter): number {
    const end = value[at] === quote ? value.indexOf(quote, at + 1) : broken;
    const raw = this.#raw;
    raw.length = 0;
    if (end === broken || !readBase64(value, at + 1, end, raw)) return broken;
    if (kind === 'bytes') writeHex(raw.bytes, 0, raw.length, out);
    else out.put(Buffer.from(fromUnscaled(raw.bytes.subarray(0, raw.length), scale), 'latin1'));
    return end + 1;
  }

  #readMoment(digits: string, { kind }: RowType, out: ByteWriter): void {
    const moment = this.#moment;
    if (kind === 'date') {
      moment.days = Number(digits);
      moment.infinite = moment.days === forever.days ? 1 : moment.days === forNever.days ? -1 : 0;
      return moment.writeDate(out);
    }
    moment.infinite = digits === most ? 1 : digits === least ? -1 : 0;
    // The last six digits are microseconds after the second, or before it.
    const [whole, after] = [Number(digits.slice(0, -6).replace(/^-?$/, '0')), Number(digits.slice(-6).replace('-', ''))];
    const before = digits.startsWith('-') && after > 0;
    moment.seconds = before ? whole - 1 : whole;
    moment.micros = before ? 1_000_000 - after : after;
    if (kind === 'time') moment.writeTime(out);
    else moment.writeTimestamp(out, kind === 'timestamptz');
  }

  #readList(value: Buffer, at: number, element: RowType, out: ByteWriter): number {
    for (let depth = 0; ;) {
      const byte = value[at] as number;
      if (byte === 91) {
        depth++;
        out.byte(123);
      } else if (byte === 93) {
        depth--;
        out.byte(125);
      } else if (byte === 44) out.byte(44);
      else if (isNull(value, at)) {
        out.put(nullElement);
        at += 3;
      } else {
        const one = this.#element;
        one.length = 0;
        at = this.#read(value, at, element, one) - 1;
        if (at < 0) return broken;
        writeElement(out, one.bytes, 0, one.length);
      }
      at++;
      if (depth === 0) return byte === 93 ? at : broken;
    }
  }
}

const nullElement = Buffer.from('NULL');

function readString(value: Buffer, at: number, out: ByteWriter): number {
  if (value[at] !== quote) return broken;
  for (let i = at + 1; i < value.length; i++) {
    let byte = value[i] as number;
    if (byte === quote) return i + 1;
    if (byte === backslash) {
      const letter = value[++i] as number;
      if (letter === 117) {
        byte = Number.parseInt(value.toString('latin1', i + 1, i + 5), 16);
        if (!(byte < 32)) return broken;
        i += 4;
      } else byte = meanings[letter] as number;
      if (byte === 0) return broken;
    }
    out.byte(byte);
  }
  return broken;
}

function skip(value: Buffer, at: number, expected: Buffer): number {
  const end = at + expected.length;
  return end <= value.length && value.compare(expected, 0, expected.length, at, end) === 0 ? end : broken;
}

function isNull(value: Buffer, at: number): boolean {
  return value[at] === 110 && value[at + 1] === 117 && value[at + 2] === 108 && value[at + 3] === 108;
}

/** Digits, signs, points and exponents. */
function endOfNumber(value: Buffer, at: number): number {
  for (; at < value.length; at++) {
    const byte = value[at] as number;
    if (!((byte >= 48 && byte <= 57) || byte === 45 || byte === 43 || byte === 46 || byte === 101)) break;
  }
  return at;
}

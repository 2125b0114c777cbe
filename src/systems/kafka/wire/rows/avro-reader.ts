// Reads Avro records back with avsc, which shares nothing with the writer, and prints each value as the server prints it.
import avro from 'avsc';

import { toFloatText } from '../../../../pipeline/float-text.js';
import type { Json } from '../../../../kernel/canonical-json.js';
import { ByteWriter } from './byte-writer.js';
import { fromUnscaled } from './decimal.js';
import { escapeField } from './field-text.js';
import { writeHex } from './hex.js';
import { writeElement } from './list-text.js';
import { Moment } from './moment.js';
import { toAvroNames } from './avro-schema.js';
import type { RowForm } from './row-form.js';
import type { RowTable } from './row-table.js';
import type { RowType } from './row-type.js';
import { ValueReader } from './value-reader.js';
import { forNever, forever } from './value-writer.js';

/** 64 bits as a bigint: a double would lose some of them. */
const long = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (one: bigint, other: bigint) => (one === other ? 0 : one < other ? -1 : 1),
});

/** Whatever else a schema says of a long, it is ours. */
function toLong(schema: avro.Schema): avro.Type | undefined {
  const type: unknown = typeof schema === 'object' && 'type' in schema ? schema.type : schema;
  return type === 'long' ? long : undefined;
}

export class AvroReader extends ValueReader {
  readonly #type: avro.Type;
  readonly #names: readonly string[];
  readonly #plain = new ByteWriter();
  readonly #element = new ByteWriter();
  readonly #moment = new Moment();

  constructor(
    private readonly form: RowForm,
    private readonly table: RowTable,
    envelope: Json,
  ) {
    super();
    this.#type = avro.Type.forSchema(envelope as avro.Schema, { typeHook: toLong, wrapUnions: false });
    this.#names = toAvroNames(table.columns);
  }

  override readLine(value: Buffer, line: ByteWriter): boolean {
    // Head and tail hold everything but the row: the schema's id, the origin and the operation.
    const { valueHead, valueTail } = this.form;
    const end = value.length - valueTail.length;
    if (end < valueHead.length || !value.subarray(0, valueHead.length).equals(valueHead) || !value.subarray(end).equals(valueTail))
      return false;
    const envelope = parse(this.#type, value.subarray(5));
    if (!envelope?.after) return false;
    for (let i = 0; i < this.table.columns.length; i++) {
      if (i > 0) line.byte(9);
      const read = envelope.after[this.#names[i] as string];
      if (read === null) line.put(noValue);
      else {
        this.#plain.length = 0;
        this.#print(read, (this.table.columns[i] as RowTable['columns'][number]).type, this.#plain);
        escapeField(this.#plain.bytes, 0, this.#plain.length, line);
      }
    }
    line.byte(10);
    return true;
  }

  #print(value: unknown, type: RowType, out: ByteWriter): void {
    switch (type.kind) {
      case 'boolean':
        return out.byte(value === true ? 0x74 : 0x66);
      case 'bytes':
        return writeHex(value as Buffer, 0, (value as Buffer).length, out);
      case 'decimal':
        return out.put(Buffer.from(fromUnscaled(value as Buffer, type.scale ?? 0), 'latin1'));
      case 'float32':
      case 'float64':
        return out.put(Buffer.from(toFloat(value as number, type.kind === 'float32')));
      case 'list':
        return this.#printList(value as readonly unknown[], type.element as RowType, out);
      case 'string':
      case 'int16':
      case 'int32':
      case 'int64':
        return out.put(Buffer.from(String(value)));
      case 'date':
      case 'time':
      case 'timestamp':
      case 'timestamptz':
        return this.#printMoment(value as number | bigint, type, out);
    }
  }

  #printMoment(value: number | bigint, { kind }: RowType, out: ByteWriter): void {
    const moment = this.#moment;
    if (kind === 'date') {
      moment.days = Number(value);
      moment.infinite = moment.days === forever.days ? 1 : moment.days === forNever.days ? -1 : 0;
      return moment.writeDate(out);
    }
    const micros = BigInt(value);
    moment.infinite = micros === forever.micros ? 1 : micros === forNever.micros ? -1 : 0;
    const after = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    moment.micros = Number(after);
    moment.seconds = Number((micros - after) / 1_000_000n);
    if (kind === 'time') moment.writeTime(out);
    else moment.writeTimestamp(out, kind === 'timestamptz');
  }

  #printList(values: readonly unknown[], element: RowType, out: ByteWriter): void {
    out.byte(123);
    values.forEach((value, at) => {
      if (at > 0) out.byte(44);
      if (value === null) return out.put(nullElement);
      this.#element.length = 0;
      this.#print(value, element, this.#element);
      writeElement(out, this.#element.bytes, 0, this.#element.length);
    });
    out.byte(125);
  }
}

const noValue = Buffer.from('\\N');
const nullElement = Buffer.from('NULL');

interface Envelope {
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** Undefined: no such record. The library's own error quotes it. */
function parse(type: avro.Type, bytes: Buffer): Envelope | undefined {
  try {
    return type.fromBuffer(bytes) as Envelope;
  } catch {
    return undefined;
  }
}

function toFloat(value: number, single: boolean): string {
  return Number.isFinite(value) ? toFloatText(Object.is(value, -0) ? '-0' : String(value), single) : String(value);
}

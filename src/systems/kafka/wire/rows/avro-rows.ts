// A table's records in Avro, with Confluent's five bytes before them: a zero, and the schema's id in the registry, highest byte first.
import { toAvroEnvelope, toAvroKey } from './avro-schema.js';
import { AvroReader } from './avro-reader.js';
import { AvroWriter, writeBytes, writeLong } from './avro-writer.js';
import { ByteWriter } from './byte-writer.js';
import { toSource } from './json-rows.js';
import type { RowCodec, RowForm } from './row-form.js';
import type { RowOrigin, RowTable } from './row-table.js';

/** Ids that the registry gave to the schemas; `key` is not looked at where the table has no primary key. */
export interface SchemaIds {
  readonly key: number;
  readonly value: number;
}

const none = Buffer.alloc(0);

export function toAvroRows(table: RowTable, origin: RowOrigin, topic: string, ids: SchemaIds): RowCodec {
  const form: RowForm = {
    // before: null; after: a row.
    valueHead: Buffer.concat([toPrefix(ids.value), Buffer.of(0, 2)]),
    valueTail: toTail(table, origin),
    before: table.columns.map(() => none),
    keyHead: toPrefix(ids.key),
    keyTail: none,
    keyBefore: table.key.map(() => none),
  };
  return { table, form, writer: new AvroWriter(), reader: new AvroReader(form, table, toAvroEnvelope(table, topic)) };
}

/** The schemas as they are registered; a registry compares them by their text. */
export function toAvroSchemas(table: RowTable, topic: string): { readonly key: string | undefined; readonly value: string } {
  const key = toAvroKey(table, topic);
  return { key: key === null ? undefined : JSON.stringify(key), value: JSON.stringify(toAvroEnvelope(table, topic)) };
}

function toPrefix(id: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(id, 1);
  return prefix;
}

function toTail(table: RowTable, origin: RowOrigin): Buffer {
  const out = new ByteWriter();
  const put = (text: string): void => {
    const bytes = Buffer.from(text);
    writeBytes(out, bytes, 0, bytes.length);
  };
  for (const member of Object.values(toSource(table, origin))) {
    if (typeof member === 'number') writeLong(out, member);
    else put(member);
  }
  put('r');
  writeLong(out, 1);
  writeLong(out, origin.writtenAtMs);
  return out.take();
}

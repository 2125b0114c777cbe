// The two JSON forms of a table's records: plain, and with the schema before each payload as Kafka Connect's JsonConverter reads it.
import type { Json } from '../../../../kernel/canonical-json.js';
import { toConnectEnvelope, toConnectKey } from './connect-schema.js';
import { JsonReader } from './json-reader.js';
import { JsonWriter } from './json-writer.js';
import type { RowCodec, RowForm } from './row-form.js';
import type { RowColumn, RowOrigin, RowTable } from './row-table.js';

export function toJsonRows(table: RowTable, origin: RowOrigin, topic: string, withSchema: boolean): RowCodec {
  const around = (schema: Json): readonly [string, string] =>
    withSchema ? [`{"schema":${JSON.stringify(schema)},"payload":`, '}'] : ['', ''];
  const [valueOpen, valueClose] = around(toConnectEnvelope(table, topic));
  const [keyOpen, keyClose] = around(toConnectKey(table, topic));
  const keyNames = table.key.map((at) => (table.columns[at] as RowColumn).name);
  const form: RowForm = {
    valueHead: Buffer.from(`${valueOpen}{"before":null,"after":{`),
    valueTail: Buffer.from(`},"source":${JSON.stringify(toSource(table, origin))},"op":"r","ts_ms":${origin.writtenAtMs}}${valueClose}`),
    before: toBefore(table.columns.map(({ name }) => name)),
    keyHead: Buffer.from(`${keyOpen}{`),
    keyTail: Buffer.from(`}${keyClose}`),
    keyBefore: toBefore(keyNames),
  };
  return { table, form, writer: new JsonWriter(!withSchema), reader: new JsonReader(form, table.columns) };
}

/** In the order of the schema. */
export function toSource({ schema, name }: RowTable, origin: RowOrigin): Readonly<Record<string, string | number>> {
  const { version, database, runId, atMs } = origin;
  return {
    version,
    connector: 'bauta',
    name: origin.name,
    ts_ms: atMs,
    snapshot: 'true',
    db: database,
    schema,
    table: name,
    run: runId,
  };
}

function toBefore(names: readonly string[]): readonly Buffer[] {
  return names.map((name, at) => Buffer.from(`${at === 0 ? '' : ','}${JSON.stringify(name)}:`));
}

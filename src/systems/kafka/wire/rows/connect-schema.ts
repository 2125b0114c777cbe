// The schema that stands before each payload of Kafka Connect's JSON, in the words of org.apache.kafka.connect.json.JsonSchema.
import type { Json } from '../../../../kernel/canonical-json.js';
import type { RowColumn, RowTable } from './row-table.js';
import type { RowKind, RowType } from './row-type.js';

type Schema = Readonly<Record<string, Json>>;

const connectTypes: Readonly<Record<RowKind, string>> = {
  boolean: 'boolean',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  float32: 'float',
  float64: 'double',
  decimal: 'bytes',
  string: 'string',
  bytes: 'bytes',
  date: 'int32',
  time: 'int64',
  timestamp: 'int64',
  timestamptz: 'int64',
  list: 'array',
};

/** Null: the table has no primary key. */
export function toConnectKey(table: RowTable, topic: string): Schema | null {
  if (table.key.length === 0) return null;
  const fields = table.key.map((at) => toField({ ...(table.columns[at] as RowColumn), nullable: false }));
  return { type: 'struct', fields, optional: false, name: `${topic}.Key` };
}

export function toConnectEnvelope(table: RowTable, topic: string): Schema {
  const row = { type: 'struct', fields: table.columns.map(toField), optional: true, name: `${topic}.Value` };
  const text = (field: string): Schema => ({ type: 'string', optional: false, field });
  const source = ['version', 'connector', 'name', 'snapshot', 'db', 'schema', 'table', 'run'].map(text);
  const instant = { type: 'int64', optional: false, field: 'ts_ms' };
  return {
    type: 'struct',
    fields: [
      { ...row, field: 'before' },
      { ...row, field: 'after' },
      {
        type: 'struct',
        fields: [...source.slice(0, 3), instant, ...source.slice(3)],
        optional: false,
        name: 'bauta.Source',
        field: 'source',
      },
      text('op'),
      { ...instant, optional: true },
    ],
    optional: false,
    name: `${topic}.Envelope`,
    version: 1,
  };
}

function toField({ name, type, nullable }: RowColumn): Schema {
  return { ...toSchema(type, nullable), field: name };
}

function toSchema(type: RowType, optional: boolean): Schema {
  const items = type.element ? { items: toSchema(type.element, true) } : {};
  const named = type.name === undefined ? {} : { name: type.name, version: 1 };
  return { type: connectTypes[type.kind], optional, ...items, ...named, ...toParameters(type) };
}

function toParameters({ kind, scale, precision, labels }: RowType): Schema {
  if (labels) return { parameters: { allowed: labels.join(',') } };
  return kind === 'decimal' ? { parameters: { scale: String(scale), 'connect.decimal.precision': String(precision) } } : {};
}

// The Avro schemas of a table's key and value. Names as Avro allows them; what a type is called elsewhere stands beside it (`connect.name` for
// Confluent's converters, `logicalType` for everybody else).
import type { Json } from '../../../../kernel/canonical-json.js';
import type { RowColumn, RowTable } from './row-table.js';
import type { RowKind, RowType } from './row-type.js';

const avroTypes: Readonly<Record<Exclude<RowKind, 'list'>, string>> = {
  boolean: 'boolean',
  int16: 'int',
  int32: 'int',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  decimal: 'bytes',
  string: 'string',
  bytes: 'bytes',
  date: 'int',
  time: 'long',
  timestamp: 'long',
  timestamptz: 'long',
};

type Schema = { readonly [member: string]: Json };

/** Null: the table has no primary key. */
export function toAvroKey(table: RowTable, topic: string): Schema | null {
  if (table.key.length === 0) return null;
  const names = toAvroNames(table.columns);
  const fields = table.key.map((at) => toField({ ...(table.columns[at] as RowColumn), nullable: false }, names[at] as string));
  return { type: 'record', name: 'Key', namespace: toNamespace(topic), fields };
}

export function toAvroEnvelope(table: RowTable, topic: string): Schema {
  const names = toAvroNames(table.columns);
  const value = { type: 'record', name: 'Value', fields: table.columns.map((column, at) => toField(column, names[at] as string)) };
  const text = (name: string): Schema => ({ name, type: 'string' });
  const [version, connector, name, ...rest] = ['version', 'connector', 'name', 'snapshot', 'db', 'schema', 'table', 'run'].map(text);
  const source = [version, connector, name, { name: 'ts_ms', type: 'long' }, ...rest] as Json;
  return {
    type: 'record',
    name: 'Envelope',
    namespace: toNamespace(topic),
    fields: [
      { name: 'before', type: ['null', value], default: null },
      { name: 'after', type: ['null', 'Value'], default: null },
      { name: 'source', type: { type: 'record', name: 'Source', namespace: 'bauta', fields: source } },
      text('op'),
      { name: 'ts_ms', type: ['null', 'long'], default: null },
    ],
  };
}

/** Letters, digits and `_`, no digit first, and none twice; a column keeps its own name where that will do. */
export function toAvroNames(columns: readonly RowColumn[]): readonly string[] {
  const taken = new Set(columns.map(({ name }) => name).filter((name) => toName(name) === name));
  return columns.map(({ name }) => {
    if (toName(name) === name) return name;
    let free = toName(name);
    for (let n = 2; taken.has(free); n++) free = `${toName(name)}_${n}`;
    taken.add(free);
    return free;
  });
}

function toName(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d|$)/, '_');
}

function toNamespace(topic: string): string {
  return topic.split('.').map(toName).join('.');
}

function toField(column: RowColumn, name: string): Schema {
  const doc = column.name === name ? {} : { doc: `column ${column.name}` };
  const type = toType(column.type);
  return column.nullable ? { name, ...doc, type: ['null', type], default: null } : { name, ...doc, type };
}

function toType(type: RowType): Json {
  if (type.kind === 'list') return { type: 'array', items: ['null', toType(type.element as RowType)] };
  const plain = avroTypes[type.kind];
  const named: Schema = type.name === undefined ? {} : { 'connect.version': 1, 'connect.name': type.name };
  const logical: Schema = type.logical === undefined ? {} : { logicalType: type.logical };
  if (type.kind === 'int16') return { type: plain, 'connect.type': 'int16' };
  if (type.name === undefined) return plain;
  return { type: plain, ...logical, ...toScale(type), ...toParameters(type), ...named };
}

function toScale({ kind, precision, scale }: RowType): Schema {
  return kind === 'decimal' ? { precision: precision as number, scale: scale as number } : {};
}

function toParameters({ kind, precision, scale, labels }: RowType): Schema {
  if (labels) return { 'connect.parameters': { allowed: labels.join(',') } };
  return kind === 'decimal' ? { 'connect.parameters': { scale: String(scale), 'connect.decimal.precision': String(precision) } } : {};
}

// What a column of Postgres is in a record of the rows encoding: one table for all three formats, so that they cannot disagree. Whatever has no
// entry goes as the server's own text, which loses nothing.
import type { DataType } from '../../../../pipeline/catalogue.js';

export type RowKind =
  | 'boolean'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float32'
  | 'float64'
  | 'decimal'
  | 'string'
  | 'bytes'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'list';

/** How a document wants what has two ways. */
export interface RowChoices {
  /** `decimal`: unscaled bytes, where the column's type says its scale; others stay text. */
  readonly numeric: 'text' | 'decimal';
  /** `list`: of one dimension (plain JSON: of any); `text`: as the server prints it. */
  readonly arrays: 'list' | 'text';
  /** JSON has no NaN and no infinity: `text` carries them. */
  readonly floats: 'number' | 'text';
}

export const usualChoices: RowChoices = { numeric: 'text', arrays: 'list', floats: 'number' };

export interface RowType {
  readonly kind: RowKind;
  /** Name of the Kafka Connect schema, as Debezium's and Connect's own converters know it. */
  readonly name?: string;
  /** Of `decimal`. */
  readonly precision?: number;
  readonly scale?: number;
  /** Of an enum: its labels. */
  readonly labels?: readonly string[];
  /** Of `list`. */
  readonly element?: RowType;
  /** Avro's name for it. */
  readonly logical?: string;
}

const scalars: Readonly<Record<string, RowType>> = {
  bool: { kind: 'boolean' },
  int2: { kind: 'int16' },
  int4: { kind: 'int32' },
  int8: { kind: 'int64' },
  oid: { kind: 'int64' },
  float4: { kind: 'float32' },
  float8: { kind: 'float64' },
  bytea: { kind: 'bytes' },
  date: { kind: 'date', name: 'io.debezium.time.Date', logical: 'date' },
  time: { kind: 'time', name: 'io.debezium.time.MicroTime', logical: 'time-micros' },
  timestamp: { kind: 'timestamp', name: 'io.debezium.time.MicroTimestamp', logical: 'local-timestamp-micros' },
  timestamptz: { kind: 'timestamptz', name: 'io.debezium.time.MicroTimestamp', logical: 'timestamp-micros' },
  uuid: { kind: 'string', name: 'io.debezium.data.Uuid', logical: 'uuid' },
  json: { kind: 'string', name: 'io.debezium.data.Json' },
  jsonb: { kind: 'string', name: 'io.debezium.data.Json' },
  xml: { kind: 'string', name: 'io.debezium.data.Xml' },
};

const text: RowType = { kind: 'string' };

export function toRowType(type: DataType, choices: RowChoices = usualChoices): RowType {
  if (type.element) return toList(type.element, choices);
  if (type.labels) return { kind: 'string', name: 'io.debezium.data.Enum', labels: type.labels };
  if (type.kind !== 'base' && type.kind !== 'domain') return text;
  if (type.attributes) return text;
  if (type.base === 'numeric') return toNumber(type, choices);
  if (choices.floats === 'text' && (type.base === 'float4' || type.base === 'float8')) return text;
  return Object.hasOwn(scalars, type.base) ? (scalars[type.base] as RowType) : text;
}

/** box alone is separated by something else; an element that is an array itself (by a domain) is its own text. */
function toList(element: DataType, choices: RowChoices): RowType {
  if (choices.arrays === 'text' || element.base === 'box') return text;
  return { kind: 'list', element: element.element ? text : toRowType(element, choices) };
}

function toNumber({ precision, scale }: DataType, choices: RowChoices): RowType {
  if (choices.numeric === 'text' || precision === undefined || scale === undefined || scale < 0 || scale > precision) return text;
  return { kind: 'decimal', name: 'org.apache.kafka.connect.data.Decimal', logical: 'decimal', precision, scale };
}

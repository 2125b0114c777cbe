// Which family a data type belongs to, by its base name after domains are followed.
import type { DataType } from '../catalogue.js';
import type { TypeFamily } from './transform.js';

const families: Readonly<Record<string, TypeFamily>> = {
  text: 'text', varchar: 'text', bpchar: 'text', citext: 'text', name: 'text',
  int2: 'integer', int4: 'integer', int8: 'integer', oid: 'integer',
  numeric: 'number', float4: 'number', float8: 'number', money: 'number',
  date: 'date', timestamp: 'timestamp', timestamptz: 'timestamp', time: 'time', timetz: 'time', interval: 'interval',
  uuid: 'uuid', inet: 'inet', cidr: 'inet', macaddr: 'mac', macaddr8: 'mac', json: 'json', jsonb: 'json', bytea: 'bytea', bool: 'boolean',
}; // prettier-ignore

/** The family of a scalar type; undefined where only `any` transforms (null, fixed, keep) apply. */
export function toTypeFamily(type: DataType): TypeFamily | undefined {
  if (type.kind === 'enum') return 'enum';
  return type.kind === 'base' || type.kind === 'domain' ? families[type.base] : undefined;
}

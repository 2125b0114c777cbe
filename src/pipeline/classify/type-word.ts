// What kind of value a type holds, as far as the detectors care.
import type { DataType } from '../catalogue.js';
import type { TypeFamily } from './detectors/by-name.js';
import type { ValueKind } from './detectors/detector.js';

const families: Readonly<Record<string, TypeFamily>> = {
  ...Object.fromEntries(['text', 'varchar', 'bpchar', 'citext', 'name', 'char'].map((base) => [base, 'text'] as const)),
  ...Object.fromEntries(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'money'].map((base) => [base, 'number'] as const)),
  ...Object.fromEntries(['date', 'timestamp', 'timestamptz'].map((base) => [base, 'date'] as const)),
  ...Object.fromEntries(['inet', 'cidr', 'macaddr', 'macaddr8'].map((base) => [base, 'net'] as const)),
  bytea: 'bytes',
  uuid: 'uuid',
  bool: 'boolean',
};

export function toTypeFamily(type: DataType): TypeFamily {
  if (type.kind === 'array' && type.element) return toTypeFamily(type.element);
  if (type.kind !== 'base' && type.kind !== 'domain') return 'other';
  return Object.hasOwn(families, type.base) ? (families[type.base] ?? 'other') : 'other';
}

export function toValueKind(family: TypeFamily): ValueKind | undefined {
  return family === 'text' || family === 'number' || family === 'date' ? family : undefined;
}

/** What JSON calls the values at a path. */
export function toJsonFamily(kinds: readonly string[]): TypeFamily {
  if (kinds.includes('string')) return 'text';
  if (kinds.includes('number')) return 'number';
  return kinds.includes('boolean') ? 'boolean' : 'other';
}

// Whether a server would take this text as a value of that type: the shape and the limits, without a server.
import { isIP } from 'node:net';
import type { DataType } from '../../src/pipeline/catalogue.js';

const integers: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int2: [-(2n ** 15n), 2n ** 15n - 1n],
  int4: [-(2n ** 31n), 2n ** 31n - 1n],
  int8: [-(2n ** 63n), 2n ** 63n - 1n],
  oid: [0n, 2n ** 32n - 1n],
};

const shapes: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  macaddr: /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/,
  macaddr8: /^[0-9a-f]{2}(:[0-9a-f]{2}){7}$/,
  bytea: /^\\x([0-9a-f]{2})*$/,
  bool: /^[tf]$/,
  float4: /^-?(\d+(\.\d+)?(e[-+]?\d+)?|Infinity)$|^NaN$/,
  float8: /^-?(\d+(\.\d+)?(e[-+]?\d+)?|Infinity)$|^NaN$/,
  money: /^-?\d+\.\d\d$/,
  time: /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?$/,
};

export function fitsType(value: string, type: DataType): boolean {
  if (value.includes('\u0000')) return false;
  if (type.kind === 'array') return /^(\[\d+:\d+\]=)?\{.*\}$/s.test(value);
  if (type.kind === 'enum') return type.labels?.includes(value) ?? false;
  const range = integers[type.base];
  if (range) return /^-?\d+$/.test(value) && BigInt(value) >= range[0] && BigInt(value) <= range[1];
  const shape = shapes[type.base];
  if (shape) return shape.test(value);
  switch (type.base) {
    case 'text':
    case 'citext':
      return true;
    case 'varchar':
    case 'bpchar':
      return type.length === undefined || [...value].length <= type.length;
    case 'name':
      return Buffer.byteLength(value) <= 63;
    case 'numeric':
      return fitsNumeric(value, type);
    case 'date':
      return isDate(value);
    case 'timestamp':
    case 'timestamptz':
      return isTimestamp(value, type.base === 'timestamptz');
    case 'inet':
      return isIP(value.split('/')[0] ?? '') !== 0;
    case 'cidr':
      return isIP(value.split('/')[0] ?? '') !== 0 && value.includes('/');
    case 'json':
    case 'jsonb':
      return isJson(value);
    case 'interval':
      return /^(-?\d+ (years?|mons?|days?) ?)*(-?\d+:\d\d:\d\d(\.\d+)?)?$/.test(value);
    default:
      throw new Error(`fitsType does not know ${type.base}`);
  }
}

function fitsNumeric(value: string, type: DataType): boolean {
  if (value === 'NaN') return true;
  if (/^-?Infinity$/.test(value)) return type.precision === undefined;
  const match = /^-?(\d+)(?:\.(\d+))?$/.exec(value);
  if (!match) return false;
  if (type.precision === undefined) return true;
  const [, whole = '', fraction = ''] = match;
  return whole.replace(/^0+/, '').length <= type.precision - (type.scale ?? 0) && fraction.length <= (type.scale ?? 0);
}

function isDate(value: string): boolean {
  if (/^-?infinity$/.test(value)) return true;
  const match = /^(\d{4,})-(\d\d)-(\d\d)( BC)?$/.exec(value);
  if (!match) return false;
  const [, y = '', m = '', d = '', bc] = match;
  const year = bc ? 1 - Number(y) : Number(y);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(m) - 1] ?? 0;
  return Number(y) > 0 && Number(d) >= 1 && Number(d) <= days;
}

function isTimestamp(value: string, zoned: boolean): boolean {
  if (/^-?infinity$/.test(value)) return true;
  const match = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)([-+]\d\d(?::\d\d)?)?( BC)?$/.exec(value);
  return match !== null && isDate(match[1]! + (match[4] ?? '')) && shapes['time']!.test(match[2]!) && (match[3] !== undefined) === zoned;
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

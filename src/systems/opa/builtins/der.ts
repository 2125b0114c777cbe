// Reads DER (X.690): what certificates and requests are written in. Only lengths and tags are known here.
import { unfit } from './operand.js';

export interface Der {
  readonly tag: number;
  readonly content: Buffer;
  /** Header and content. */
  readonly whole: Buffer;
}

export function readDer(bytes: Buffer, at = 0): Der {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return unfit();
  const long = first & 0x80 ? first & 0x7f : 0;
  if (long > 4 || (first & 0x80 && long === 0)) return unfit();
  const length = long === 0 ? first : at + 2 + long <= bytes.length ? bytes.readUIntBE(at + 2, long) : unfit();
  const start = at + 2 + long;
  if (start + length > bytes.length) return unfit();
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** The parts of a constructed value. */
export function childrenOf({ content }: Der): Der[] {
  const children: Der[] = [];
  for (let at = 0; at < content.length;) {
    const child = readDer(content, at);
    children.push(child);
    at += child.whole.length;
  }
  return children;
}

export function toOid({ tag, content }: Der): number[] {
  if (tag !== 0x06 || content.length === 0) return unfit();
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(value);
    value = 0;
  }
  const [first = 0, ...rest] = numbers;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...rest];
}

export function toText({ tag, content }: Der): string {
  // UTF8String, PrintableString, TeletexString, IA5String; BMPString.
  if ([0x0c, 0x13, 0x14, 0x16].includes(tag)) return content.toString(tag === 0x14 ? 'latin1' : 'utf8');
  return tag === 0x1e ? Buffer.from(content).swap16().toString('utf16le') : unfit();
}

/** A big integer, two's complement. */
export function toInteger({ tag, content }: Der): bigint {
  if (tag !== 0x02 || content.length === 0) return unfit();
  const value = BigInt(`0x${content.toString('hex')}`);
  return (content[0] ?? 0) & 0x80 ? value - (1n << BigInt(content.length * 8)) : value;
}

/** UTCTime or GeneralizedTime, as RFC 3339. */
export function toTimestamp({ tag, content }: Der): string {
  const text = content.toString('latin1');
  const match = /^(\d\d)?(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null || (tag !== 0x17 && tag !== 0x18)) return unfit();
  const [, century, year = '', month = '', day = '', hour = '', minute = '', second = ''] = match;
  return `${century ?? (Number(year) < 50 ? '20' : '19')}${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

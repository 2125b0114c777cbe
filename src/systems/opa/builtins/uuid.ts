// uuid.*: rfc4122 is random in OPA; here it follows from the decision's id and the argument, so that a record can be replayed.
import { createHmac } from 'node:crypto';

import { fromPlain, toText } from '../value.js';
import type { Family } from './builtin.js';

const variants = ['NCS', 'NCS', 'NCS', 'NCS', 'RFC4122', 'RFC4122', 'Microsoft', 'Future'];
const domains = ['Person', 'Group', 'Org'];
/** From 15 October 1582 to 1 January 1970, in units of 100 ns. */
const gregorian = 122_192_928_000_000_000n;

function toUuid(bytes: Buffer): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The four forms of google/uuid, of which the braces may be any two bytes. */
function parse(text: string): Buffer | undefined {
  const inner = /^urn:uuid:/i.test(text) && text.length === 45 ? text.slice(9) : text.length === 38 ? text.slice(1, -1) : text;
  const hex = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(inner) ? inner.replaceAll('-', '') : text;
  return /^[0-9a-f]{32}$/i.test(hex) ? Buffer.from(hex, 'hex') : undefined;
}

function describe(bytes: Buffer): Record<string, unknown> {
  const version = bytes.readUInt8(6) >> 4;
  const told = { version, variant: variants[bytes.readUInt8(8) >> 5] };
  if (version !== 1 && version !== 2) return told;
  const ticks = (BigInt(bytes.readUInt16BE(6) & 0x0fff) << 48n) | (BigInt(bytes.readUInt16BE(4)) << 32n) | BigInt(bytes.readUInt32BE(0));
  const first = bytes.readUInt8(10);
  const whole = {
    ...told,
    time: (ticks - gregorian) * 100n,
    nodeid: bytes.toString('hex', 10).replace(/(..)(?=.)/g, '$1-'),
    macvariables: `${first & 2 ? 'local' : 'global'}:${first & 1 ? 'multicast' : 'unicast'}`,
    clocksequence: bytes.readUInt16BE(8) & 0x3fff,
  };
  if (version === 1) return whole;
  const domain = bytes.readUInt8(9);
  return { ...whole, id: bytes.readUInt32BE(0), domain: domains[domain] ?? `Domain${domain}` };
}

export const uuidBuiltins: Family = {
  'uuid.parse': ([text]) => {
    const bytes = typeof text === 'string' ? parse(text) : undefined;
    return bytes === undefined ? undefined : fromPlain(describe(bytes));
  },
  'uuid.rfc4122': ([key = null], { seed }) =>
    toUuid(
      createHmac('sha256', seed)
        .update(`uuid.rfc4122\n${toText(key)}`)
        .digest(),
    ),
};

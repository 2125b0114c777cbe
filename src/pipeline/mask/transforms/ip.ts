// hot path: IPv4 goes byte by byte; an IPv6 address, which is rarer, is checked by node:net.
// An address from networks that are never routed: IPv4 198.18.0.0/15 (RFC 2544) with 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24 (RFC 5737), IPv6
// 2001:db8::/32 (RFC 3849). A netmask stays; for cidr, whose host bits must be zero, the address is cut to it.
import { isIPv4, isIPv6 } from 'node:net';
import type { Column } from '../../batch.js';
import type { ColumnWriter } from '../column-writer.js';
import { toIndex, toWord } from '../draw.js';
import { toBits, toEnd4, writeAddress4, writeAddress6 } from '../ip-text.js';
import { kernel, toUndefined } from '../kernel/kernel.js';
import { type ApplyContext, defineTransform } from '../transform.js';

const documentation = [0xc0000200, 0xc6336400, 0xcb007100];
const [BENCHMARK, BENCHMARK_COUNT] = [0xc6120000, 2 ** 17];
const sizes = { reserved: 2 ** 17 + 3 * 256, documentation: 3 * 256, private10: 2 ** 24 } as const;
type Space = keyof typeof sizes;
const [tests, six] = [['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'], '2001:db8::/32'];
const networks: Readonly<Record<Space, readonly string[]>> = {
  reserved: ['198.18.0.0/15', ...tests, six],
  documentation: [...tests, six],
  private10: ['10.0.0.0/8', six],
};

function toAddress(space: Space, draw: Uint8Array, row: number): number {
  const index = space === 'private10' ? toWord(draw, row, 0) >>> 8 : toIndex(draw, row, 0, sizes[space]);
  if (space === 'private10') return (10 << 24) + index;
  if (space === 'reserved' && index < BENCHMARK_COUNT) return BENCHMARK + index;
  const rest = space === 'reserved' ? index - BENCHMARK_COUNT : index;
  return (documentation[rest >> 8] as number) + (rest & 255);
}

/** 96 bits of the draw under 2001:db8::/32, cut to `bits`, as eight groups. */
function toGroups(draw: Uint8Array, row: number, bits: number): Uint16Array {
  const groups = Uint16Array.of(0x2001, 0xdb8, ...[0, 2, 4, 6, 8, 10].map((at) => toWord(draw, row, at) >>> 16));
  return groups.map((group, i) => group & (0xffff0000 >>> Math.max(0, Math.min(16, bits - 16 * i))));
}

function cut(address: number, bits: number): number {
  return bits <= 0 ? 0 : (address & (0xffffffff << (32 - bits))) >>> 0;
}

function toNumber(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isReserved(address: number): boolean {
  return cut(address, 15) === BENCHMARK || documentation.includes(cut(address, 24));
}

/** The reserved networks, and any address with a mask so short that little of it is left. */
const patternOfAddresses = [
  '198\\.1[89]\\.[0-9.]{3,7}(/\\d+)?',
  '(192\\.0\\.2|198\\.51\\.100|203\\.0\\.113)\\.\\d{1,3}(/\\d+)?',
  '2001:0?db8(:[0-9a-f:]*)?(/\\d+)?',
  '[0-9.]+/(\\d|1\\d|2[0-3])',
  '[0-9a-f:]+/(\\d|[12]\\d|3[01])',
]
  .map((one) => `(${one}) *`)
  .join('|');

export const ip = defineTransform({
  name: 'ip',
  summary: 'An address of the same family from networks that are reserved for documentation and benchmarks.',
  accepts: ['inet', 'text'],
  params: {
    space: {
      schema: { enum: ['reserved', 'documentation', 'private10'] },
      default: 'reserved',
      doc: 'IPv4: `reserved` 131,840 addresses never routed, `documentation` 768 of them, `private10` 2^24 in 10.0.0.0/8, which may be in use inside.',
    },
  },
  scopes: ['value', 'subject', 'row'],
  uniqueness: 'not-guaranteed',
  reveals: ['equality', 'frequency', 'format', 'length', 'band'],
  space: (params) => BigInt(sizes[params['space'] as Space]),
  reversible: false,
  leavesReservedSpace: (params) => params['space'] === 'private10',
  output: 'disjoint',
  pattern: () => patternOfAddresses,
  fixedPoints: (params) => 1 / sizes[params['space'] as Space],
  produces: (value, params) => {
    const [address = '', mask] = Buffer.from(value).toString().trimEnd().split('/');
    if (isIPv6(address)) return /^2001:0?db8(:|$)/i.test(address) || (mask !== undefined && Number(mask) < 32);
    if (!isIPv4(address)) return false;
    const number = toNumber(address);
    if (params['space'] === 'private10') return number >>> 24 === 10 || (mask !== undefined && Number(mask) < 8);
    return (
      isReserved(number) ||
      (mask !== undefined && Number(mask) < 24 && [BENCHMARK, ...documentation].some((one) => cut(one, Number(mask)) === number))
    );
  },
  // A column that holds no full IPv6 address is taken for one of IPv4; an IPv6 value in it is refused.
  misfit: (type) => ((type.length ?? 15) < 15 ? `an address does not fit ${type.display}` : undefined),
  laws: (params) => [{ law: 'network', networks: networks[params['space'] as Space] }],
  plain: true,
  prepare: ({ params, type }) => {
    const space = params['space'] as Space;
    const isCidr = type.base === 'cidr';
    const room = type.length ?? 43;
    return (column, context, out) => {
      const only4 = writeAddresses(column, context, space, isCidr);
      if (only4) return only4;
      const draw = context.draw();
      const { rows, bytes, starts, ends } = column;
      for (let row = 0; row < rows; row++) {
        const start = starts[row] as number;
        const end = ends[row] as number;
        if (end === -1) {
          out.null(row);
          continue;
        }
        const slash = toEnd4(bytes, start, end);
        if (slash === -1) {
          const original = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
            .toString('latin1')
            .trim();
          if (!writeOther(out, row, original, room, isCidr, draw, space)) context.refuse(row);
          continue;
        }
        out.reserve(18);
        const bits = isCidr && slash < end ? toBits(bytes, slash + 1, end) : 32;
        let at = writeAddress4(out.bytes, out.length, cut(toAddress(space, draw, row), bits));
        for (let i = slash; i < end; i++) out.bytes[at++] = bytes[i] as number;
        out.end(row, at);
      }
    };
  },
});

/** A column of nothing but IPv4 addresses; undefined for any other. */
function writeAddresses(column: Column, context: ApplyContext, space: Space, isCidr: boolean): Column | undefined {
  const memory = kernel();
  const { rows, startsAt, endsAt } = memory.toMemory(column);
  const draws = memory.addressOf(context.draw());
  const kind = Object.keys(sizes).indexOf(space);
  return memory.write(
    rows,
    (...to) => memory.calls.writeAddresses(startsAt, endsAt, rows, draws, kind, Number(isCidr), ...to),
    toUndefined,
  );
}

/** IPv6, and IPv4 as people write it. False where it is no address, or its pseudonym may not fit. */
function writeOther(
  out: ColumnWriter,
  row: number,
  original: string,
  room: number,
  isCidr: boolean,
  draw: Uint8Array,
  space: Space,
): boolean {
  const [address = '', mask] = original.split('/');
  const wide = isIPv6(address) && !address.includes('%');
  const most = wide ? 128 : 32;
  if ((!wide && !isIPv4(address)) || (mask !== undefined && !(/^\d{1,3}$/.test(mask) && Number(mask) <= most))) return false;
  if (wide && room < 39 + (mask === undefined ? 0 : mask.length + 1)) return false;
  const bits = isCidr ? Number(mask ?? most) : most;
  out.reserve(43);
  const { bytes, length } = out;
  let at = wide
    ? writeAddress6(bytes, length, toGroups(draw, row, bits))
    : writeAddress4(bytes, length, cut(toAddress(space, draw, row), bits));
  if (mask !== undefined) for (const byte of Buffer.from(`/${mask}`)) bytes[at++] = byte;
  out.end(row, at);
  return true;
}

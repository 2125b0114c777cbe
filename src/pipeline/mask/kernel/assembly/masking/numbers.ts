// hot path: card numbers, national numbers and IPv4 addresses. A column with a value of another form goes to the slower loop in TypeScript, as a whole:
// −1 − row says so.
import { isNull, put, putDigit, putNull, toIndex, toWord } from './draw';
import { ensure } from './room';

/** The digits of the value that is being read, a byte each. */
const digits: usize = memory.data(32, 16);

// @ts-ignore: decorator
@inline
function isDigit(byte: u8): bool {
  return <u8>(byte - 48) < 10;
}

/** Copies the bytes from `from` to `end`; up to 15 more are written. */
// @ts-ignore: decorator
@inline
function copy(from: usize, end: usize, to: usize): usize {
  const length = end - from;
  for (let i: usize = 0; i < length; i += 16) v128.store(to + i, v128.load(from + i));
  return to + length;
}

/**
 * Numbers of nine digits and nothing but spaces and hyphens between them: of area 000 or 666. `area`: the one to use, or −1 for both.
 */
export function writeNineDigits(
  rowStarts: usize, rowEnds: usize, rows: i32, draws: usize, area: i32, starts: usize, ends: usize, out: usize,
): i32 {
  for (let row = 0; row < rows; row++, draws += 16) {
    const value = <usize>row << 2;
    if (isNull(rowEnds, value)) {
      putNull(starts, ends, value, out);
      continue;
    }
    const from = <usize>load<u32>(rowStarts + value);
    const end = <usize>load<u32>(rowEnds + value);
    ensure(out + (end - from) + 64);
    const stop = copy(from, end, out);
    let rest: u32 = (area < 0 ? 666 * toIndex(draws, 4, 2) : <u32>area) * 1_000_000 + toIndex(draws, 0, 1_000_000);
    let count = 0;
    for (let at = stop; at > out;) {
      const byte = load<u8>(--at);
      if (isDigit(byte)) {
        const next = rest / 10;
        putDigit(at, rest - 10 * next);
        rest = next;
        count++;
      } else if (byte != 32 && byte != 45) return -1 - row;
    }
    if (count != 9) return -1 - row;
    put(starts, ends, value, out, stop);
    out = stop;
  }
  return <i32>out;
}

/** The six digits for tests of a scheme, as a number. */
// @ts-ignore: decorator
@inline
function toPrefix(first: u32, second: u32): u64 {
  if (first == 4) return 411111;
  if ((first == 5 && second >= 1 && second <= 5) || (first == 2 && second >= 2 && second <= 7)) return 555555;
  if (first == 3 && (second == 4 || second == 7)) return 378282;
  return first == 6 ? 601111 : 999999;
}

const powers: usize = memory.data<u64>([
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000, 1_000_000_000_000,
]);

/** Eight digits, a byte each. */
// @ts-ignore: decorator
@inline
function toBytes(number: u32): u64 {
  const high = number / 10_000;
  // Two numbers of four digits, four of two, eight of one; the first stands lowest.
  const fours = <u64>high | (<u64>(number - high * 10_000) << 32);
  const hundreds = ((fours * 5243) >>> 19) & 0x0000007f0000007f;
  const pairs = hundreds | ((fours - hundreds * 100) << 16);
  const tens = ((pairs * 103) >>> 10) & 0x000f000f000f000f;
  return tens | ((pairs - tens * 10) << 8);
}

/** The digit that makes 18 digits at `at`, a byte each and zeros first, valid when it is put after them. */
// @ts-ignore: decorator
@inline
function toLuhnDigit(at: usize): u32 {
  let sum: u32 = 0;
  // From the right: the last digit counts twice.
  for (let i: usize = 0; i < 18; i += 2) {
    sum += load<u8>(at + i);
    const digit: u32 = load<u8>(at + i + 1);
    sum += 2 * digit - (digit > 4 ? 9 : 0);
  }
  return (10 - (sum % 10)) % 10;
}

/** Card numbers of 12 to 19 digits with spaces and hyphens between them: a test prefix, drawn digits and Luhn's. */
export function writeCards(
  rowStarts: usize, rowEnds: usize, rows: i32, draws: usize, starts: usize, ends: usize, out: usize,
): i32 {
  const zeros = i8x16.splat(0x30);
  for (let row = 0; row < rows; row++, draws += 16) {
    const value = <usize>row << 2;
    if (isNull(rowEnds, value)) {
      putNull(starts, ends, value, out);
      continue;
    }
    const from = <usize>load<u32>(rowStarts + value);
    const end = <usize>load<u32>(rowEnds + value);
    ensure(out + (end - from) + 64);
    const stop = copy(from, end, out);
    // Most have 16 digits and nothing else.
    const compact = end - from == 16 && i8x16.all_true(i8x16.lt_u(i8x16.sub(v128.load(from), zeros), i8x16.splat(10)));
    let count: usize = 16;
    let first: u32 = <u32>load<u8>(from) - 48;
    let second: u32 = <u32>load<u8>(from, 1) - 48;
    if (!compact) {
      count = 0;
      for (let at = from; at < end; at++) {
        const byte = load<u8>(at);
        if (isDigit(byte)) {
          if (count == 0) first = <u32>byte - 48;
          else if (count == 1) second = <u32>byte - 48;
          count++;
        } else if (byte != 32 && byte != 45) return -1 - row;
      }
      if (count < 12 || count > 19) return -1 - row;
    }
    // 48 bits for 12 digits at most, then the number as a whole: 18 digits without Luhn's.
    const drawn = (<u64>toWord(draws, 0) << 16) | <u64>(toWord(draws, 4) >>> 16);
    const power = load<u64>(powers + ((count - 7) << 3));
    const number = toPrefix(first, second) * power + (drawn % power);
    const upper = number / 100_000_000;
    const top = <u32>(upper / 100_000_000);
    store<u8>(digits, <u8>(top / 10));
    store<u8>(digits, <u8>(top % 10), 1);
    store<u64>(digits, toBytes(<u32>(upper - <u64>top * 100_000_000)), 2);
    store<u64>(digits, toBytes(<u32>(number - upper * 100_000_000)), 10);
    store<u8>(digits, <u8>toLuhnDigit(digits), 18);
    if (compact) v128.store(out, i8x16.add(v128.load(digits, 3), zeros));
    else for (let at = out, digit = digits + (19 - count); at < stop; at++) if (load<u8>(at) >= 48) putDigit(at, load<u8>(digit++));
    put(starts, ends, value, out, stop);
    out = stop;
  }
  return <i32>out;
}

/** Where the address ends, at its `/` or at `end`, of an IPv4 address and, if need be, a netmask of one or two digits and at most 32; 0 for anything else. */
function toEnd4(from: usize, end: usize): usize {
  let at = from;
  for (let part = 0; part < 4; part++) {
    const begin = at;
    let number: u32 = 0;
    while (at < end && isDigit(load<u8>(at))) {
      number = number * 10 + load<u8>(at++) - 48;
      if (number > 255) return 0;
    }
    // No leading zero: some would read an octal number.
    if (at == begin || (at > begin + 1 && load<u8>(begin) == 48)) return 0;
    if (part < 3 && (at == end || load<u8>(at++) != 46)) return 0;
  }
  if (at == end) return at;
  if (load<u8>(at) != 47 || end - at < 2 || end - at > 3) return 0;
  return toBits(at + 1, end) > 32 ? 0 : at;
}

/** The number of one or two digits; above 32 where a byte is no digit. */
function toBits(from: usize, end: usize): u32 {
  let bits: u32 = 0;
  for (; from < end; from++) {
    if (!isDigit(load<u8>(from))) return 99;
    bits = bits * 10 + load<u8>(from) - 48;
  }
  return bits;
}

/** The numbers of an address: up to three digits and a dot; in the fourth byte, if it is not the dot, how many digits there are. */
const parts: usize = toParts();

function toParts(): usize {
  const table: usize = memory.data(1024, 16);
  for (let part: u32 = 0; part < 256; part++) {
    const digits: u32 = part > 99 ? 3 : part > 9 ? 2 : 1;
    let text: u32 = 48 + (part % 10);
    if (part > 9) text = (text << 8) | (48 + ((part / 10) % 10));
    if (part > 99) text = (text << 8) | (48 + part / 100);
    store<u32>(table + (<usize>part << 2), text | (46 << (digits << 3)) | (digits == 3 ? 0 : digits << 24));
  }
  return table;
}

const RESERVED = 0;
const DOCUMENTATION = 1;

// @ts-ignore: decorator
@inline
function toDocumentation(index: u32): u32 {
  const network: u32 = index < 256 ? 0xc0000200 : index < 512 ? 0xc6336400 : 0xcb007100;
  return network + (index & 255);
}

/** The address that a draw names in a space: 0 all that is never routed, 1 what is for documentation, 2 10.0.0.0/8. */
// @ts-ignore: decorator
@inline
function toAddress(space: i32, draw: usize): u32 {
  if (space == RESERVED) {
    const index = toIndex(draw, 0, 131_840);
    return index < 131_072 ? 0xc6120000 + index : toDocumentation(index - 131_072);
  }
  return space == DOCUMENTATION ? toDocumentation(toIndex(draw, 0, 768)) : 0x0a000000 + (toWord(draw, 0) >>> 8);
}

/** IPv4 addresses from networks that are reserved; a netmask stays, and if `isCidr` the address is cut to it. */
export function writeAddresses(
  rowStarts: usize, rowEnds: usize, rows: i32, draws: usize, space: i32, isCidr: i32, starts: usize, ends: usize, out: usize,
): i32 {
  ensure(out + <usize>rows * 18 + 64);
  for (let row = 0; row < rows; row++, draws += 16) {
    const value = <usize>row << 2;
    if (isNull(rowEnds, value)) {
      putNull(starts, ends, value, out);
      continue;
    }
    const end = <usize>load<u32>(rowEnds + value);
    const slash = toEnd4(load<u32>(rowStarts + value), end);
    if (slash == 0) return -1 - row;
    let address = toAddress(space, draws);
    if (isCidr && slash < end) {
      const bits = toBits(slash + 1, end);
      address = bits == 0 ? 0 : address & (0xffffffff << (32 - bits));
    }
    let at = out;
    for (let shift = 24; shift >= 0; shift -= 8) {
      const part = parts + (<usize>((address >>> shift) & 255) << 2);
      store<u32>(at, load<u32>(part));
      const count = load<u8>(part, 3);
      at += count == 46 ? 4 : <usize>count + 1;
    }
    at--;
    v128.store(at, v128.load(slash));
    at += end - slash;
    put(starts, ends, value, out, at);
    out = at;
  }
  return <i32>out;
}

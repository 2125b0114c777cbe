// hot path: IP addresses as the server prints them (inet_net_ntop): IPv4 as four numbers, IPv6 in lower case with its longest run of two or more zero
// groups, the first of equally long ones, as `::`.

const SLASH = 0x2f;
const hex = Buffer.from('0123456789abcdef');

/**
 * Where the address ends, at its `/` or at `end`, of what is an IPv4 address and, if need be, a netmask of one or two digits and at most 32;
 * -1 for anything else, which may be an address all the same.
 */
export function toEnd4(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (let part = 0; part < 4; part++) {
    const from = at;
    let value = 0;
    for (; at < end; at++) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (value > 255) return -1;
    }
    // No leading zero: some would read an octal number.
    if (at === from || (at > from + 1 && bytes[from] === 0x30)) return -1;
    if (part < 3 && (at === end || bytes[at++] !== 0x2e)) return -1;
  }
  if (at === end) return at;
  if (bytes[at] !== SLASH || end - at < 2 || end - at > 3) return -1;
  const bits = toBits(bytes, at + 1, end);
  return bits >= 0 && bits <= 32 ? at : -1;
}

/** The number in `bytes[start .. end)`, or -1 where a byte is no digit. */
export function toBits(bytes: Uint8Array, start: number, end: number): number {
  let bits = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    bits = bits * 10 + digit;
  }
  return bits;
}

/** Writes at most 15 bytes at `at`; returns where they end. */
export function writeAddress4(bytes: Uint8Array, at: number, address: number): number {
  for (let shift = 24; shift >= 0; shift -= 8) {
    const part = (address >>> shift) & 255;
    const tens = (part * 205) >>> 11;
    if (part >= 100) {
      const hundreds = part >= 200 ? 2 : 1;
      bytes[at++] = 0x30 + hundreds;
      bytes[at++] = 0x30 + tens - 10 * hundreds;
    } else if (part >= 10) bytes[at++] = 0x30 + tens;
    bytes[at++] = 0x30 + part - 10 * tens;
    if (shift > 0) bytes[at++] = 0x2e;
  }
  return at;
}

/** Writes at most 39 bytes at `at`; returns where they end. MUST NOT be given an address that embeds IPv4 (`::a.b.c.d`, `::ffff:a.b.c.d`). */
export function writeAddress6(bytes: Uint8Array, at: number, groups: Uint16Array): number {
  let gap = -1;
  let longest = 1;
  for (let i = 0, run = 0; i < 8; i++) {
    run = groups[i] === 0 ? run + 1 : 0;
    if (run > longest) {
      longest = run;
      gap = i + 1 - run;
    }
  }
  for (let i = 0; i < 8; i++) {
    if (i === gap) {
      bytes[at++] = 0x3a;
      i += longest - 1;
      if (i === 7) bytes[at++] = 0x3a;
      continue;
    }
    if (i > 0) bytes[at++] = 0x3a;
    const group = groups[i] as number;
    for (let shift = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0; shift >= 0; shift -= 4) {
      bytes[at++] = hex[(group >>> shift) & 15] as number;
    }
  }
  return at;
}

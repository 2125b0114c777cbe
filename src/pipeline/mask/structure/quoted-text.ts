// hot path: quoted stretches as arrays, hstore (backslash before quote and backslash) and composites (both doubled) print them.
const quote = 34;
const backslash = 92;

/** Position after the quoted stretch that begins at `start`, or -1 where it does not end. A doubled quote belongs to it. */
export function skipQuoted(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start + 1; i < end; i++) {
    if (bytes[i] === backslash) i++;
    else if (bytes[i] === quote) {
      if (bytes[i + 1] !== quote || i + 1 >= end) return i + 1;
      i++;
    }
  }
  return -1;
}

/** Writes what stands between the quotes of `[start, end)`, unescaped; returns where it ends. */
export function readQuoted(bytes: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  for (let i = start + 1; i < end - 1; i++) {
    const byte = bytes[i] as number;
    if (byte === backslash || byte === quote) i++;
    to[at++] = bytes[i] as number;
  }
  return at;
}

export function writeQuoted(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number, doubled: boolean): number {
  to[at++] = quote;
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    if (byte === quote || byte === backslash) to[at++] = doubled ? byte : backslash;
    to[at++] = byte;
  }
  to[at++] = quote;
  return at;
}

/** What PostgreSQL's scanner counts as space: blank, tab, newline, vertical tab, form feed, carriage return. */
export function isSpaceByte(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

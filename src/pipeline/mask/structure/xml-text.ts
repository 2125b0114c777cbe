// hot path: the smallest strict reading of XML 1.0 that masking needs: where names, attribute values, markup and text end. No document type, and so
// no entity but the five that are predefined; what the server's parser takes and this does not is refused, never guessed.

const [lt, gt, amp, slash, equals, apostrophe, quote] = [60, 62, 38, 47, 61, 39, 34];
const entities = new Map([['lt', 60], ['gt', 62], ['amp', 38], ['apos', 39], ['quot', 34]]); // prettier-ignore

export function isXmlSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 9 || byte === 13;
}

/** Where the name that begins at `start` ends; `start` where there is none. */
export function findNameEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (
      byte <= 32 ||
      byte === slash ||
      byte === gt ||
      byte === equals ||
      byte === lt ||
      byte === amp ||
      byte === quote ||
      byte === apostrophe
    )
      break;
  }
  return at;
}

/** Where the quoted value that begins at `start` ends (behind its quote), or -1. */
export function findValueEnd(bytes: Uint8Array, start: number, end: number): number {
  const by = bytes[start];
  if (by !== quote && by !== apostrophe) return -1;
  for (let at = start + 1; at < end; at++) {
    if (bytes[at] === by) return at + 1;
    if (bytes[at] === lt) return -1;
  }
  return -1;
}

export function startsWith(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (start + text.length > end) return false;
  for (let i = 0; i < text.length; i++) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Position behind the next `text`, or -1. */
export function findBehind(bytes: Uint8Array, start: number, end: number, text: string): number {
  for (let at = start; at + text.length <= end; at++) if (startsWith(bytes, at, end, text)) return at + text.length;
  return -1;
}

/** Writes what a run of text, CDATA sections and references says; returns where it ends, or -1 for an entity that is not predefined. */
export function unescapeXml(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    if (byte === lt) {
      // Inside a run only a CDATA section begins so; its text is taken as it is.
      const stop = findBehind(from, i, end, ']]>');
      for (let k = i + 9; k < stop - 3; k++) to[at++] = from[k] as number;
      i = stop - 1;
    } else if (byte === amp) {
      const stop = from.indexOf(59, i);
      const point = stop === -1 || stop >= end ? -1 : toPoint(Buffer.from(from.subarray(i + 1, stop)).toString('latin1'));
      if (point === -1) return -1;
      const text = Buffer.from(String.fromCodePoint(point));
      for (const one of text) to[at++] = one;
      i = stop;
    } else to[at++] = byte;
  }
  return at;
}

function toPoint(reference: string): number {
  const [, decimal, hexadecimal] = /^#(?:(\d{1,7})|x([0-9a-fA-F]{1,6}))$/.exec(reference) ?? [];
  const point =
    decimal !== undefined ? Number(decimal) : hexadecimal !== undefined ? parseInt(hexadecimal, 16) : (entities.get(reference) ?? -1);
  return point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) || point === 0 ? -1 : point;
}

/** Bytes that text or an attribute's value cannot hold as they are, whatever quotes it stands in. */
const references: ReadonlyMap<number, string> = new Map([
  [lt, '&lt;'], [gt, '&gt;'], [amp, '&amp;'], [quote, '&quot;'], [apostrophe, '&apos;'], [13, '&#13;'],
]); // prettier-ignore
const inAttributes: ReadonlyMap<number, string> = new Map([...references, [10, '&#10;'], [9, '&#9;']]);

/** Needs room for 6 bytes a byte. Control bytes that XML has no way to say become blanks. */
export function escapeXml(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number, attribute: boolean): number {
  const table = attribute ? inAttributes : references;
  for (let i = start; i < end; i++) {
    const byte = from[i] as number;
    const reference = byte < 63 ? table.get(byte) : undefined;
    if (reference === undefined) to[at++] = byte < 32 && byte !== 10 && byte !== 9 ? 32 : byte;
    else for (let k = 0; k < reference.length; k++) to[at++] = reference.charCodeAt(k);
  }
  return at;
}

// hot path: what a UTF-8 character is, from its bytes alone: a digit, a letter, or something that free text may keep. Beyond ASCII only spaces
// and punctuation of the Latin-1, General Punctuation and CJK blocks are kept; all else counts as a letter, so that nothing slips through.

export const kept = 0;
export const letter = 1;
export const digit = 2;
const several = 3;

/** By first byte; `several` where the next bytes decide. */
const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x30 && byte <= 0x39) return digit;
  if (byte === 0xc2 || byte === 0xe2 || byte === 0xe3) return several;
  return byte >= 0x80 || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) ? letter : kept;
});

/** The class of the character that begins at `at`; the bytes MUST be valid UTF-8. */
export function toLetterClass(bytes: Uint8Array, at: number): number {
  const found = classes[bytes[at] as number] as number;
  return found === several ? toClassOfSeveral(bytes, at) : found;
}

function toClassOfSeveral(bytes: Uint8Array, at: number): number {
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  // U+00A0 no-break space, ¡ § « · » ¿
  if (a === 0xc2) return b === 0xa0 || b === 0xa1 || b === 0xa7 || b === 0xab || b === 0xb7 || b === 0xbb || b === 0xbf ? kept : letter;
  const c = bytes[at + 2] as number;
  // U+2000 to U+206F; U+20AC €
  if (a === 0xe2) return b === 0x80 || (b === 0x81 && c <= 0xaf) || (b === 0x82 && c === 0xac) ? kept : letter;
  // U+3000 to U+3004, U+3008 to U+3011
  return b === 0x80 && (c <= 0x84 || (c >= 0x88 && c <= 0x91)) ? kept : letter;
}

// hot path: characters beyond ASCII, by the table that letters.ts makes of Unicode's data.

let kinds: usize = 0;
let folds: usize = 0;
let chances: usize = 0;
let apart: usize = 0;

/** A kind for each code point below 2^17; per kind the distance to the small letter, the chance, and whether ASCII is another word beside it. */
export function placeLetters(kindsAt: usize, foldsAt: usize, chancesAt: usize, apartAt: usize): void {
  kinds = kindsAt;
  folds = foldsAt;
  chances = chancesAt;
  apart = apartAt;
}

/** Bytes of the character at `p`, as UTF-8 has them; 0: it is none. */
// @ts-ignore: decorator
@inline
function lengthAt(p: usize, end: usize): usize {
  const lead: u32 = load<u8>(p);
  const length: usize = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || length > end - p) return 0;
  for (let i: usize = 1; i < length; i++) if ((load<u8>(p + i) & 0xc0) != 0x80) return 0;
  return length;
}

// @ts-ignore: decorator
@inline
function codeAt(p: usize, length: usize): u32 {
  const lead: u32 = load<u8>(p);
  if (length == 2) return ((lead & 0x1f) << 6) | (<u32>load<u8>(p, 1) & 0x3f);
  const two = ((<u32>load<u8>(p, 1) & 0x3f) << 6) | (<u32>load<u8>(p, 2) & 0x3f);
  return length == 3 ? ((lead & 0xf) << 12) | two : ((lead & 7) << 18) | (two << 6) | (<u32>load<u8>(p, 3) & 0x3f);
}

/** What chance draws where nothing is known of the character: anything. */
const UNKNOWN: f64 = 1;
/** Letters of rare Han beyond the table; private use beyond it. */
const BEYOND: f64 = 0.0625;

// @ts-ignore: decorator
@inline
function chanceOfCode(code: u32): f64 {
  if (code < 0x20000) return load<f64>(chances + (<usize>load<u8>(kinds + code) << 3));
  return code >= 0xe0000 && code < 0xf0000 ? 0 : BEYOND;
}

/** Letters and numbers beyond ASCII that were seen in the value at hand, and how likely chance draws them all. */
export let beyond: i32 = 0;
export let beyondChance: f64 = 1;

/** Bytes that are no character count as letters: of an encoding that nobody named they may be. */
export function countBeyond(start: usize, end: usize): void {
  beyond = 0;
  beyondChance = 1;
  for (let p = start; p < end;) {
    if (load<u8>(p) < 0x80) {
      p++;
      continue;
    }
    const length = lengthAt(p, end);
    const chance = length == 0 ? UNKNOWN : chanceOfCode(codeAt(p, length));
    p += length == 0 ? 1 : length;
    if (chance == 0) continue;
    beyond++;
    beyondChance *= chance;
  }
}

/** Whether the letter beyond ASCII at `p` is of a script in which no word goes on in ASCII. */
export function isApartAt(p: usize, end: usize): bool {
  const length = lengthAt(p, end);
  if (length == 0) return false;
  const code = codeAt(p, length);
  return code < 0x20000 ? load<u8>(apart + <usize>load<u8>(kinds + code)) != 0 : code < 0x40000;
}

/** The character at `p` as a small letter of as many bytes, in place. */
export function foldAt(p: usize, end: usize): void {
  const length = lengthAt(p, end);
  if (length == 0) return;
  let code = codeAt(p, length);
  if (code >= 0x20000) return;
  const distance = load<i32>(folds + (<usize>load<u8>(kinds + code) << 2));
  if (distance == 0) return;
  code = <u32>(<i32>code + distance);
  for (let i = length - 1; i > 0; i--) {
    store<u8>(p + i, <u8>(0x80 | (code & 0x3f)));
    code >>= 6;
  }
  store<u8>(p, <u8>((length == 2 ? 0xc0 : length == 3 ? 0xe0 : 0xf0) | code));
}

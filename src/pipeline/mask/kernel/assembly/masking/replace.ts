// hot path: free text, character by character; transforms/replace.ts says what becomes of it.
import { isNull, put, putNull } from './draw';
import { ensure } from './room';

const KEPT = 0;
const LETTER = 1;
const DIGIT = 2;

/** What a UTF-8 character is; the slow twin is letter-class.ts. */
// @ts-ignore: decorator
@inline
function toClass(at: usize, lead: u8): i32 {
  if (lead < 0x80) return <u8>(lead - 48) < 10 ? DIGIT : <u8>((lead | 0x20) - 0x61) < 26 ? LETTER : KEPT;
  return lead == 0xc2 || lead == 0xe2 || lead == 0xe3 ? toClassOfSeveral(at, lead) : LETTER;
}

function toClassOfSeveral(at: usize, a: u8): i32 {
  const b = load<u8>(at, 1);
  // U+00A0 no-break space, ¡ § « · » ¿
  if (a == 0xc2) return b == 0xa0 || b == 0xa1 || b == 0xa7 || b == 0xab || b == 0xb7 || b == 0xbb || b == 0xbf ? KEPT : LETTER;
  const c = load<u8>(at, 2);
  // U+2000 to U+206F; U+20AC €
  if (a == 0xe2) return b == 0x80 || (b == 0x81 && c <= 0xaf) || (b == 0x82 && c == 0xac) ? KEPT : LETTER;
  // U+3000 to U+3004, U+3008 to U+3011
  return b == 0x80 && (c <= 0x84 || (c >= 0x88 && c <= 0x91)) ? KEPT : LETTER;
}

// @ts-ignore: decorator
@inline
function isRest(at: usize): bool {
  return (load<u8>(at) & 0xc0) == 0x80;
}

/** `alphabet`: for each of 256 numbers a consonant, then for each a vowel, then for each a digit. Returns where the last text ends. */
export function writeReplaced(
  rowStarts: usize, rowEnds: usize, rows: i32, draws: usize, alphabet: usize, starts: usize, ends: usize, out: usize,
): usize {
  for (let value: usize = 0; value < <usize>rows << 2; value += 4, draws += 16) {
    if (isNull(rowEnds, value)) {
      putNull(starts, ends, value, out);
      continue;
    }
    const from = <usize>load<u32>(rowStarts + value);
    const end = <usize>load<u32>(rowEnds + value);
    ensure(out + (end - from) + 64);
    const stop = writeText(from, end, draws, alphabet, out);
    put(starts, ends, value, out, stop);
    out = stop;
  }
  return out;
}

/** The generator: four words, of which the last is what was drawn. */
let x: u32 = 0;
let y: u32 = 0;
let z: u32 = 0;
let w: u32 = 0;

/** Consonants and vowels in turn, capitals where ASCII capitals stood. The highest byte of each step is the letter, its lower half decides the rest. */
function writeText(from: usize, end: usize, draw: usize, alphabet: usize, at: usize): usize {
  x = load<u32>(draw);
  y = load<u32>(draw, 4);
  z = load<u32>(draw, 8);
  w = load<u32>(draw, 12) | 1;
  while (from < end) {
    const lead = load<u8>(from);
    const kind = toClass(from, lead);
    if (kind == KEPT) {
      store<u8>(at++, lead);
      from++;
      if (lead >= 0x80) while (from < end && isRest(from)) store<u8>(at++, load<u8>(from++));
      continue;
    }
    const stop = writeRun(from, end, kind, alphabet, at);
    at = written;
    from = stop;
  }
  return at;
}

/** Where the last run ended in the output. */
let written: usize = 0;

/** A word or a number, from its first character; returns where it ends. */
// @ts-ignore: decorator
@inline
function writeRun(from: usize, end: usize, kind: i32, alphabet: usize, at: usize): usize {
  let a = x;
  let b = y;
  let c = z;
  let d = w;
  let differs: u32 = 0;
  let slot: u32 = 512;
  const turn: u32 = kind == LETTER ? 256 : 0;
  let first = true;
  for (;;) {
    const lead = load<u8>(from++);
    let t = a ^ (a << 11);
    t ^= t >>> 8;
    a = b;
    b = c;
    c = d;
    d = d ^ (d >>> 19) ^ t;
    if (first) {
      if (kind == LETTER) slot = (d & 1) << 8;
      first = false;
    }
    const byte = load<u8>(alphabet + <usize>(slot | (d >>> 24))) - (<u8>(lead - 0x41) < 26 ? <u8>0x20 : <u8>0);
    slot ^= turn;
    differs |= byte ^ lead;
    store<u8>(at++, byte);
    if (lead >= 0x80) while (from < end && isRest(from)) from++;
    if (from >= end || toClass(from, load<u8>(from)) != kind) break;
  }
  if (differs == 0) avoid(at - 1, kind, d & 0xffff);
  x = a;
  y = b;
  z = c;
  w = d;
  written = at;
  return from;
}

/** Chance gave the word or number that stood there: its last character becomes one of the others, by 16 bits. */
function avoid(last: usize, kind: i32, bits: u32): void {
  const byte: u32 = load<u8>(last);
  const first: u32 = kind == DIGIT ? 0x30 : byte < 0x61 ? 0x41 : 0x61;
  const count: u32 = kind == DIGIT ? 10 : 26;
  store<u8>(last, <u8>(first + ((byte - first + 1 + ((bits * (count - 1)) >>> 16)) % count)));
}

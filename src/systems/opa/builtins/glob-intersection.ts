// regex.globs_match: is there a text that both patterns match? The patterns know characters, `.`, sets, `*` and `+`, `\` before a character. Two automata
// of one state a token are walked together, so that the time is the product of the two lengths.
import { unfit } from './operand.js';

interface Token {
  /** Undefined: any character. */
  readonly ranges: readonly (readonly [number, number])[] | undefined;
  readonly repeats: boolean;
}

/** `a+` is `aa*`: each token is taken once, or any number of times. */
function parse(pattern: string): Token[] {
  const points = Array.from(pattern, (char) => char.codePointAt(0) ?? 0);
  const tokens: Token[] = [];
  for (let at = 0; at < points.length;) {
    const read = readOne(points, at);
    at = read.next;
    const flag = points[at];
    if (flag === 0x2b) tokens.push({ ranges: read.ranges, repeats: false });
    if (flag === 0x2a || flag === 0x2b) at++;
    tokens.push({ ranges: read.ranges, repeats: flag === 0x2a || flag === 0x2b });
  }
  return tokens;
}

function readOne(points: readonly number[], at: number): { readonly ranges: Token['ranges']; readonly next: number } {
  const point = points[at] ?? unfit();
  if (point === 0x2e) return { ranges: undefined, next: at + 1 };
  if (point === 0x5b) return readSet(points, at + 1);
  // A flag or an end of a set without what comes before it.
  if (point === 0x5d || point === 0x2a || point === 0x2b) return unfit();
  const literal = point === 0x5c ? (points[at + 1] ?? unfit()) : point;
  return { ranges: [[literal, literal]], next: at + (point === 0x5c ? 2 : 1) };
}

function readSet(points: readonly number[], from: number): { readonly ranges: Token['ranges']; readonly next: number } {
  const ranges: [number, number][] = [];
  let at = from;
  while (points[at] !== 0x5d) {
    if (points[at] === 0x5c) at++;
    const first = points[at] ?? unfit();
    if (points[at + 1] === 0x2d && points[at + 2] !== 0x5d) {
      const last = points[at + 2] ?? unfit();
      if (last < first) return unfit();
      ranges.push([first, last]);
      at += 3;
    } else {
      ranges.push([first, first]);
      at++;
    }
  }
  return { ranges, next: at + 1 };
}

function meet(a: Token, b: Token): boolean {
  if (a.ranges === undefined || b.ranges === undefined) return (a.ranges?.length ?? 1) > 0 && (b.ranges?.length ?? 1) > 0;
  const others = b.ranges;
  return a.ranges.some(([low, high]) => others.some(([from, to]) => low <= to && from <= high));
}

export function globsIntersect(first: string, second: string): boolean {
  const [a, b] = [parse(first), parse(second)];
  const width = b.length + 1;
  const seen = new Set<number>([0]);
  for (const state of seen) {
    const [i, j] = [Math.floor(state / width), state % width];
    const [x, y] = [a[i], b[j]];
    if (x === undefined && y === undefined) return true;
    if (x?.repeats) seen.add((i + 1) * width + j);
    if (y?.repeats) seen.add(i * width + j + 1);
    if (x !== undefined && y !== undefined && meet(x, y)) seen.add((x.repeats ? i : i + 1) * width + (y.repeats ? j : j + 1));
  }
  return false;
}

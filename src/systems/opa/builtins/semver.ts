// semver.*: SemVer 2.0.0, with an optional v before it, as OPA takes it.
import { Num } from '../value.js';
import type { Family } from './builtin.js';
import { textOf, unfit } from './operand.js';

interface Version {
  readonly numbers: readonly bigint[];
  readonly before: readonly string[];
}

const identifiers = String.raw`[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`;
const pattern = new RegExp(String.raw`^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(${identifiers}))?(?:\+${identifiers})?$`);
const max = 2n ** 63n - 1n;

function parse(text: string): Version | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1, 4).map(BigInt);
  const before = match[4]?.split('.') ?? [];
  if (numbers.some((number) => number > max) || before.some((id) => /^0\d+$/.test(id))) return undefined;
  return { numbers, before };
}

function compareVersions(a: Version, b: Version): number {
  for (const [at, number] of a.numbers.entries()) {
    const other = b.numbers[at] ?? 0n;
    if (number !== other) return number < other ? -1 : 1;
  }
  // What comes before a release is less than it.
  if (a.before.length === 0 || b.before.length === 0) return Math.sign(b.before.length - a.before.length);
  for (let at = 0; at < a.before.length && at < b.before.length; at++) {
    const order = compareIdentifiers(a.before[at] ?? '', b.before[at] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(a.before.length - b.before.length);
}

function compareIdentifiers(a: string, b: string): number {
  const [first, second] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (first !== second) return first ? -1 : 1;
  const [x, y] = first ? [BigInt(a), BigInt(b)] : [a, b];
  return x < y ? -1 : x > y ? 1 : 0;
}

export const semverBuiltins: Family = {
  'semver.compare': ([a, b]) => new Num(compareVersions(parse(textOf(a)) ?? unfit(), parse(textOf(b)) ?? unfit())),
  'semver.is_valid': ([text]) => typeof text === 'string' && parse(text) !== undefined,
};

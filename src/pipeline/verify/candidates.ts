// Cells and words of the output that may be originals: kept until the source was asked, byte by byte, and judged by what chance alone would give.
import { type Finding, toFinding } from '../../kernel/errors.js';
import { poissonTail, unlikely } from './chance.js';
import type { Leaf } from './leaves.js';
import { isLetter } from './letters.js';
import type { Originals } from './originals.js';
import { type Hit, hitKinds } from './search-kernel.js';
import { type Structure, toPath } from './value-path.js';

/** A column of the output, or a path of it that was asked for by itself. */
export interface Place {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly path?: string;
  readonly tags: ReadonlySet<string>;
  /** Its letters or digits are drawn: what looks like an original may be chance. */
  readonly drawn: boolean;
  /** What it is made of, where that tells the way to a value inside it. */
  readonly structure?: Structure;
  /** Where its counters stand: numbers of n digits that were compared. */
  readonly windows: (digits: number) => number;
  /** Is this a pseudonym that may stand here? Of columns with an output space of their own. */
  readonly produces: (text: string) => boolean;
  rows: number;
}

interface Candidate {
  readonly place: Place;
  readonly hit: Hit;
  rows: number;
  lastRow: number;
  readonly owners: Set<Leaf>;
}

/** What a column that is not drawn may hold by chance is taken for chance less often than this. */
const seldom = 1e-3;
/** Of one place so many different ones are compared with the source; what share of them was an original is then taken for the rest. */
const MOST_OF_PLACE = 10_000;

/** How many different ones were kept, and the hits of all others. */
interface Tally {
  kept: number;
  more: number;
}

export interface Found {
  readonly rows: number;
  /** There are more that were not compared. */
  readonly atLeast: boolean;
}

export class Candidates {
  private readonly byHash = new Map<bigint, Candidate[]>();
  private readonly tallies = new Map<Place, Tally>();

  add(place: Place, hit: Hit): void {
    const tally = this.tallies.get(place) ?? { kept: 0, more: 0 };
    this.tallies.set(place, tally);
    if (tally.kept === MOST_OF_PLACE) return void tally.more++;
    if (isPartOfPseudonym(place, hit)) return;
    const same = this.byHash.get(hit.hash) ?? [];
    const text = textOf(hit);
    const known = same.find((one) => one.place === place && one.hit.kind === hit.kind && textOf(one.hit) === text);
    if (!known) {
      tally.kept++;
      same.push({ place, hit, rows: 1, lastRow: hit.row, owners: new Set() });
    } else if (known.lastRow !== hit.row) {
      known.rows++;
      known.lastRow = hit.row;
    }
    this.byHash.set(hit.hash, same);
  }

  get size(): number {
    return this.byHash.size;
  }

  /** Asks the source; what no original equals is dropped. */
  async confirm(originals: Originals): Promise<void> {
    if (this.byHash.size === 0) return;
    await originals.find(this.byHash.keys(), (leaf, found) => {
      for (const candidate of this.byHash.get(found.hash) ?? []) {
        if (candidate.hit.kind === found.kind && textOf(candidate.hit) === textOf(found)) candidate.owners.add(leaf);
      }
    });
  }

  /** One finding a column. `originals` tells how many numbers of each length there are. */
  judge(
    originals: Originals,
    leaves: readonly Leaf[],
  ): { readonly findings: readonly Finding[]; readonly found: ReadonlyMap<Place, Found> } {
    const certain = new Map<Place, Candidate[]>();
    const numbers = new Map<Place, Map<number, Candidate[]>>();
    const confirmed = new Map<Place, number>();
    for (const candidate of [...this.byHash.values()].flat()) {
      if (candidate.owners.size === 0) continue;
      confirmed.set(candidate.place, (confirmed.get(candidate.place) ?? 0) + 1);
      const digits = toNumber(candidate);
      if (digits === undefined) {
        if (isCertain(candidate, originals)) push(certain, candidate.place, candidate);
      } else {
        const ofPlace = numbers.get(candidate.place) ?? new Map<number, Candidate[]>();
        push(ofPlace, digits, candidate);
        numbers.set(candidate.place, ofPlace);
      }
    }
    for (const [place, ofPlace] of numbers) {
      const { kept, more } = this.tallies.get(place) as Tally;
      const rest = (more * (confirmed.get(place) ?? 0)) / kept;
      for (const [digits, some] of ofPlace) {
        const strange = leaves.filter(({ tag }) => !place.tags.has(tag));
        const known = strange.reduce((sum, leaf) => sum + (originals.of(leaf).numbers[digits] ?? 0), 0);
        const expected = (place.windows(digits) * known) / 10 ** digits;
        const rows = toRows(some);
        if (poissonTail(Math.round(rows + (rest * some.length) / kept), expected) < (place.drawn ? unlikely : seldom))
          for (const one of some) push(certain, place, one);
      }
    }
    const isCut = (place: Place): boolean => (this.tallies.get(place)?.more ?? 0) > 0;
    const findings = [...certain].map(([place, some]) => toOriginalFinding(place, some, isCut(place)));
    const found = new Map([...certain].map(([place, some]) => [place, { rows: toRows(some), atLeast: isCut(place) }]));
    return { findings, found };
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

function toRows(some: readonly Candidate[]): number {
  return some.reduce((sum, { rows }) => sum + rows, 0);
}

/** A number may be a part of a longer one: where that is a pseudonym, the part is chance. */
function isPartOfPseudonym(place: Place, { kind, value, cell }: Hit): boolean {
  if ((kind !== hitKinds.token && kind !== hitKinds.digits) || /[^0-9 +().-]/.test(value)) return false;
  const numbers = cell.match(/[0-9+(][0-9 +().-]*/g) ?? [];
  const digits = value.replace(/\D/g, '');
  const holding = numbers.map((number) => number.replace(/[ +().-]+$/, '')).filter((number) => number.replace(/\D/g, '').includes(digits));
  return holding.length > 0 && holding.every((number) => number.replace(/\D/g, '') !== digits && place.produces(number));
}

/** How many digits, where it is a number that chance could give in a column that is not of its tag. */
function toNumber({ hit, place, owners }: Candidate): number | undefined {
  if (hit.kind !== hitKinds.token && hit.kind !== hitKinds.digits) return undefined;
  if (/[a-z\u0080-\u00ff]/.test(hit.value) || [...owners].some(({ tag }) => place.tags.has(tag))) return undefined;
  return hit.value.replace(/\D/g, '').length;
}

/** Letters and digits that were drawn may give a short original by chance; an address they do not. */
function isCertain({ place, hit, owners, rows }: Candidate, originals: Originals): boolean {
  if (!place.drawn || hit.kind === hitKinds.own || /@|\/\//.test(hit.value)) return true;
  if ([...owners].some(({ tag }) => place.tags.has(tag))) return true;
  const known = [...owners].reduce((sum, leaf) => sum + originals.of(leaf).originals, 0);
  const digits = hit.value.replace(/\D/g, '').length;
  const letters = hit.value.replace(/[^a-z]/g, '').length;
  const beyond = Array.from(Buffer.from(hit.value, 'latin1').toString()).filter(isLetter).length;
  // A text has a handful of words of this length.
  return poissonTail(rows, (place.rows * 4 * known) / (10 ** digits * 26 ** letters * 16 ** beyond)) < unlikely;
}

/** What has to be equal: a word as it was compared; a whole cell without escapes, case and the padding of char(n). */
function textOf({ kind, value, cell }: Hit): string {
  if (kind !== hitKinds.own) return value;
  return Buffer.from(cell, 'latin1').toString().toLowerCase().trimEnd();
}

function toOriginalFinding(place: Place, some: readonly Candidate[], isCut: boolean): Finding {
  const first = some.reduce((best, one) => (one.hit.row < best.hit.row ? one : best));
  const { schema, table, column } = place;
  const path = place.path ?? toPath(place.structure, first.hit);
  const tag = [...first.owners][0]?.tag;
  return toFinding('VERIFY_ORIGINAL_FOUND', {
    stage: 'verify',
    schema,
    table,
    column,
    path,
    row: first.hit.row + 1,
    name: tag,
    amount: `${isCut ? 'at least ' : ''}${toRows(some)} rows`,
  });
}

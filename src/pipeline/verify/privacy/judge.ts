// What was measured becomes what is the worst of it, and that a yes or a no. What was not measured is not known: it is never taken for harmless.
import { type Finding, toFinding } from '../../../kernel/errors.js';
import type {
  DictionaryFigures,
  PrivacyLimits,
  PrivacyMeasure,
  PrivacyMeasures,
  PrivacyWorst,
  TablePrivacy,
  Unmeasured,
} from '../../privacy.js';

/** Shares are told no smaller than they are. */
const share = (part: number, of: number): number | null => (of === 0 ? null : Math.ceil((10_000 * part) / of - 1e-9) / 10_000);

/** Tables that an event tells of. */
export const MOST_TABLES = 50;

type Figure = (table: TablePrivacy) => readonly (number | null)[];

/** Each table's figures; the worst is the largest, but of k and l the smallest. */
const figures: Readonly<Record<Exclude<PrivacyMeasure, 'dictionary'>, Figure>> = {
  linked: ({ linked }) => [linked && share(linked.linked, linked.rows)],
  linkedByAll: ({ linkedByAll }) => [linkedByAll && share(linkedByAll.linked, linkedByAll.rows)],
  // What is certain of it: in few rows a rate is luck.
  guessed: ({ guessed }) => guessed.map(({ beyondChance }) => share(beyondChance, 1)),
  unique: ({ quasi }) => [quasi && share(quasi.unique, quasi.rows)],
  k: ({ quasi }) => [quasi && quasi.rows > 0 ? quasi.k : null],
  below: ({ quasi }) => [quasi && share(quasi.below, quasi.rows)],
  l: ({ sensitive }) => sensitive.map(({ l }) => l),
  t: ({ sensitive }) => sensitive.map(({ t }) => t),
  followed: ({ followed }) => [followed && share(followed.unique, followed.persons)],
};

const smallest: ReadonlySet<string> = new Set(['k', 'l']);

export function toWorst(tables: readonly TablePrivacy[], dictionary: DictionaryFigures | null): PrivacyWorst {
  const worst = Object.entries(figures).map(([name, figure]) => {
    const known = tables.flatMap(figure).filter((one) => one !== null);
    return [name, known.length === 0 ? null : smallest.has(name) ? Math.min(...known) : Math.max(...known)];
  });
  return {
    ...Object.fromEntries(worst),
    dictionary: dictionary && dictionary.hits.reduce((sum, hit) => sum + hit.values, 0),
  } as PrivacyWorst;
}

interface Limit {
  readonly measure: PrivacyMeasure;
  readonly of: readonly Unmeasured['measure'][];
  readonly limit: (limits: PrivacyLimits) => number | undefined;
  readonly holds: (figure: number, limit: number) => boolean;
  readonly words: string;
}

const atMost = (figure: number, limit: number): boolean => figure <= limit;
const atLeast = (figure: number, limit: number): boolean => figure >= limit;

const judged: readonly Limit[] = [
  { measure: 'linked', of: ['linked'], limit: ({ maxLinked }) => maxLinked, holds: atMost, words: 'rows linked to their original by an exact join' },
  { measure: 'guessed', of: ['guessed'], limit: ({ maxGuessed }) => maxGuessed, holds: atMost, words: 'rows guessed by frequency beyond chance' },
  { measure: 'unique', of: ['classes'], limit: ({ maxUnique }) => maxUnique, holds: atMost, words: 'rows alone in their quasi-identifiers' },
  // Some rows may be in smaller groups: then their share is what is judged.
  { measure: 'k', of: ['classes'], limit: ({ minK, maxBelow }) => (maxBelow === undefined ? minK : undefined), holds: atLeast, words: 'rows in the smallest group (k)' },
  { measure: 'below', of: ['classes'], limit: ({ maxBelow }) => maxBelow, holds: atMost, words: 'rows in groups smaller than k' },
  { measure: 'l', of: ['sensitive'], limit: ({ minL }) => minL, holds: atLeast, words: 'sensitive values in the worst group (l)' },
  { measure: 't', of: ['sensitive'], limit: ({ maxT }) => maxT, holds: atMost, words: 'distance of the worst group (t)' },
  { measure: 'followed', of: ['followed'], limit: ({ maxFollowed }) => maxFollowed, holds: atMost, words: 'persons alone over all tables' },
  // No limit of anybody's: a digest that needs no key is the original in other clothes.
  { measure: 'dictionary', of: ['dictionary'], limit: () => 0, holds: atMost, words: 'values that are digests of originals without a key' },
]; // prettier-ignore

/** Of several tables the worst comes first. */
export function judgePrivacy(
  all: readonly TablePrivacy[],
  dictionary: DictionaryFigures | null,
  limits: PrivacyMeasures['limits'],
  mostRows: number,
): { readonly measures: PrivacyMeasures; readonly findings: readonly Finding[] } {
  const tables = [...all].sort((a, b) => toRisk(b) - toRisk(a));
  const worst = toWorst(tables, dictionary);
  const unmeasured = new Set(tables.flatMap((table) => table.unmeasured.map(({ measure }) => measure)));
  const asked = judged.flatMap((one) => {
    const limit = one.limit(limits);
    return limit === undefined ? [] : [{ ...one, asked: limit, figure: worst[one.measure] }];
  });
  const unmade = judged.filter(({ measure, of }) =>
    measure === 'dictionary' ? dictionary === null : of.some((one) => unmeasured.has(one)),
  );
  const beyond = asked.filter(({ figure, holds, asked: limit }) => figure !== null && !holds(figure, limit));
  const unknown = asked.filter(({ measure }) => unmade.some((one) => one.measure === measure));
  const measures: PrivacyMeasures = {
    ...{ worst, limits, beyond: beyond.map(({ measure }) => measure), unknown: unknown.map(({ measure }) => measure) },
    unmeasured: unmade.map(({ measure }) => measure),
    ...{ tables: tables.slice(0, MOST_TABLES), tablesMeasured: tables.length, dictionary, mostRows },
  };
  const findings = beyond.map(({ measure, figure, asked: limit, words }) => {
    const severity = limits.severity === 'warn' && measure !== 'dictionary' ? 'warning' : 'error';
    const place = measure === 'dictionary' ? dictionary?.hits[0] : tables.find((table) => figures[measure](table).includes(figure));
    const { schema, table } = place ?? {};
    const where = { stage: 'verify', ...(schema === undefined ? {} : { schema, table }), ...toColumn(place) };
    return toFinding('PRIVACY_BEYOND', { ...where, name: words, amount: String(figure), expected: toExpected(measure, limit) }, severity);
  });
  return { measures, findings };
}

const toColumn = (place: object | undefined): { readonly column?: string } =>
  place && 'column' in place ? { column: String(place.column) } : {};

const toExpected = (measure: PrivacyMeasure, limit: number): string => `${limit} or ${smallest.has(measure) ? 'more' : 'less'}`;

const toRisk = ({ linked, linkedByAll, quasi }: TablePrivacy): number =>
  (linked ? linked.linked / Math.max(1, linked.rows) : 0) * 100 +
  (quasi ? quasi.unique / Math.max(1, quasi.rows) : 0) * 10 +
  (linkedByAll ? linkedByAll.linked / Math.max(1, linkedByAll.rows) : 0);

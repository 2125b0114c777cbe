// What a copy lets through of persons, measured: what is asked of a staging place, what attacks on a sample came to, and what is too much. Counts, shares
// and names only: a value of a row stands in none of these.
import type { Event } from './event.js';
import type { TableName } from './schema-object.js';

/**
 * How much is too much, as shares from 0 to 1 unless it says otherwise. Absent: measured, and not judged. Each is held against the worst table. Columns
 * that a classification calls personal are judged; those that it says nothing of a person of are measured beside them.
 */
export interface PrivacyLimits {
  /** Rows that an exact join with the source links to their own original. */
  readonly maxLinked?: number;
  /** Rows whose value a frequency attack guesses in a column, beyond what is guessed by always saying the most frequent one and beyond luck. */
  readonly maxGuessed?: number;
  /** Rows that are alone in their quasi-identifiers: sample-unique. */
  readonly maxUnique?: number;
  /** k-anonymity (Sweeney 2002): the smallest group, in rows; rows in smaller ones may be `maxBelow` at most (default 0). */
  readonly minK?: number;
  readonly maxBelow?: number;
  /** Distinct l-diversity of the worst group, in values. */
  readonly minL?: number;
  /** t-closeness of the worst group, as a distance from 0 to 1. */
  readonly maxT?: number;
  /** Persons who are alone in what is kept of them over all tables together. */
  readonly maxFollowed?: number;
}

/** Those in which more is worse, and those in which less is. */
export const privacyLimits = {
  ...{ maxLinked: 'most', maxGuessed: 'most', maxUnique: 'most', maxBelow: 'most', maxT: 'most', maxFollowed: 'most' },
  ...{ minK: 'least', minL: 'least' },
} as const satisfies Readonly<Record<keyof PrivacyLimits, 'most' | 'least'>>;

/** As it is written at a target. `reason`: why it is laxer than its class. */
export interface PrivacyDefinition extends PrivacyLimits {
  readonly severity?: 'warn' | 'withhold';
  readonly reason?: string;
}

type Class = 'ci' | 'dev' | 'test' | 'staging' | 'vendor' | 'production';

/** What of a target the limits follow from. */
interface Judged {
  readonly class: Class;
  readonly privacy?: PrivacyDefinition;
}

const inside: PrivacyDefinition = { severity: 'warn', maxLinked: 0.05, maxGuessed: 0.2 };
/** Who gets a vendor's copy is not one of ours: what is too much is not handed out. */
const outside: PrivacyDefinition = { severity: 'withhold', maxLinked: 0.01, maxGuessed: 0.05, maxUnique: 0.05, maxFollowed: 0.05 };

export const privacyDefaults: Readonly<Record<Class, PrivacyDefinition>> = {
  ...{ ci: inside, dev: inside, test: inside, staging: inside },
  ...{ vendor: outside, production: outside },
};

/** Those in force for a target: what is left out is as its class has it. */
export function toPrivacyLimits({ class: of, privacy }: Judged): PrivacyMeasures['limits'] {
  const said = Object.entries({ ...privacyDefaults[of], ...privacy }).filter(([member]) => member !== 'reason');
  return { severity: 'withhold', ...Object.fromEntries(said) };
}

/** Of these the smaller is the laxer, of all others the larger. */
const least: ReadonlySet<string> = new Set(['minK', 'minL']);

/** Members by which a target is laxer than its class. */
export function findLaxer(target: Judged): readonly string[] {
  const of = privacyDefaults[target.class];
  return Object.entries(target.privacy ?? {}).flatMap(([member, value]) => {
    const usual = of[member as keyof PrivacyDefinition];
    if (usual === undefined || member === 'reason') return [];
    if (member === 'severity') return usual === 'withhold' && value === 'warn' ? [member] : [];
    return (least.has(member) ? Number(value) < Number(usual) : Number(value) > Number(usual)) ? [member] : [];
  });
}

/** Columns of a table, each as its name. `sampled`: of how many rows, where not of all. */
export interface ClassFigures {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Of the smallest group; 0 without rows. */
  readonly k: number;
  /** Rows that are alone. */
  readonly unique: number;
  /** Rows in groups of fewer than `minK`, or of fewer than 5 where no limit says so. */
  readonly below: number;
  readonly sampled?: true;
}

export interface LinkFigures {
  readonly columns: readonly string[];
  /** Rows of the copy that were tried. */
  readonly rows: number;
  /** Of these, those that one row of the source alone agrees with, their own. */
  readonly linked: number;
  /** Those that one row alone agrees with which is not theirs. */
  readonly wrong: number;
  /** Rows of the source that they were held against; fewer than all make `linked` too large, never too small. */
  readonly population: number;
  readonly sampled?: true;
}

export interface GuessFigures {
  readonly column: string;
  /** Rows that were tried. */
  readonly rows: number;
  /** Rows whose original is the value of the same rank by frequency: expected, where ranks are shared, and rounded up. */
  readonly guessed: number;
  /** Rows that are guessed by always saying the most frequent value of the source. */
  readonly chance: number;
  /** Share of rows that are guessed beyond chance, with a confidence of 99 %: 0 where so few rows cannot tell. */
  readonly beyondChance: number;
  /** Frequencies are of so many rows at most, where not of all. */
  readonly sampled?: true;
}

export interface SensitiveFigures {
  readonly column: string;
  /** Of the worst group: how many values, and how far its distribution is from that of all rows. Null: could not be measured. */
  readonly l: number | null;
  readonly t: number | null;
}

export interface FollowedFigures {
  /** Tables whose rows lead to the person. */
  readonly tables: readonly string[];
  readonly persons: number;
  /** Persons who are alone by the number of their rows in each table. */
  readonly uniqueByCounts: number;
  /** Persons who are alone by everything that is kept of them in all of these tables. */
  readonly unique: number;
  readonly sampled?: true;
}

/** Why something was not measured: it is then not known, never harmless. */
export interface Unmeasured {
  readonly measure: 'classes' | 'found' | 'sensitive' | 'linked' | 'guessed' | 'followed' | 'dictionary';
  readonly column?: string;
  readonly why: string;
}

export interface TablePrivacy {
  readonly schema: string;
  readonly table: string;
  readonly rows: number;
  /** By all columns that a classification calls personal and that still tell something; null: there are none, or `unmeasured` says why. */
  readonly quasi: ClassFigures | null;
  /** The most identifying column, pair and triple of all that tell something, whatever they are called. */
  readonly found: readonly ClassFigures[];
  readonly sensitive: readonly SensitiveFigures[];
  /** By personal columns alone, and by all; null: none came through as it was, or `unmeasured` says why. */
  readonly linked: LinkFigures | null;
  readonly linkedByAll: LinkFigures | null;
  readonly guessed: readonly GuessFigures[];
  readonly followed: FollowedFigures | null;
  readonly unmeasured: readonly Unmeasured[];
}

/** Values of the copy that look like digests, held against digests that need no key. */
export interface DictionaryFigures {
  /** Columns with such values. */
  readonly columns: number;
  readonly values: number;
  /** Digests that they were held against. */
  readonly tried: number;
  readonly hits: readonly { readonly schema: string; readonly table: string; readonly column: string; readonly values: number }[];
}

/** The worst of all tables, as shares from 0 to 1 rounded up to four digits (`k` and `l` in rows and values); null: not measured anywhere. */
export interface PrivacyWorst {
  readonly linked: number | null;
  readonly linkedByAll: number | null;
  readonly guessed: number | null;
  readonly unique: number | null;
  readonly k: number | null;
  readonly below: number | null;
  readonly l: number | null;
  readonly t: number | null;
  readonly followed: number | null;
  readonly dictionary: number | null;
}

export type PrivacyMeasure = keyof PrivacyWorst;

/** Of one version: what its run told the log (`privacy.measured`). */
export interface PrivacyMeasures {
  readonly worst: PrivacyWorst;
  readonly limits: PrivacyLimits & { readonly severity: 'warn' | 'withhold' };
  /** Measures that are beyond their limit. */
  readonly beyond: readonly PrivacyMeasure[];
  /** Measures of `limits` that were not measured somewhere: nobody knows there. */
  readonly unknown: readonly PrivacyMeasure[];
  /** All measures that were not made somewhere, with a limit or without. */
  readonly unmeasured: readonly PrivacyMeasure[];
  /** Tables that speak of persons, worst first; no more than 50. */
  readonly tables: readonly TablePrivacy[];
  /** How many there are. */
  readonly tablesMeasured: number;
  readonly dictionary: DictionaryFigures | null;
  /** No table was looked at in more rows than these: a part of its pages, where it is larger. */
  readonly mostRows: number;
}

/** Of a version what gates know. */
export type PrivacySum = Pick<PrivacyMeasures, 'worst' | 'unmeasured'>;

export const toPrivacySum = (measures: PrivacyMeasures | null): PrivacySum | null =>
  measures && { worst: measures.worst, unmeasured: measures.unmeasured };

/** What a run told the log; of several attempts the last. Null: it did not measure. */
export function toPrivacyMeasures(events: readonly Event[]): PrivacyMeasures | null {
  const told = events.findLast(({ type }) => type === 'privacy.measured');
  return told ? (told.data as unknown as PrivacyMeasures) : null;
}

// ── What a server is asked

export interface Sampling {
  /** About so many rows, of pages that the seed picks; absent: all. */
  readonly rows: number;
  readonly of: number;
  readonly seed: number;
}

/** Answered by four numbers for each set of columns: rows, the smallest group, rows that are alone, rows in groups of fewer than `below`. */
export interface ClassesQuestion {
  readonly kind: 'classes';
  readonly table: TableName;
  /** One, or several that have no more than `MOST_GROUPED` columns between them. */
  readonly sets: readonly (readonly string[])[];
  readonly below: number;
  readonly sample?: Sampling;
}

/** Of several sets at once: PostgreSQL's GROUPING takes no more arguments. */
export const MOST_GROUPED = 31;

/** Answered by three numbers: persons, those alone by the counts of their rows, those alone by everything. */
export interface FollowedQuestion {
  readonly kind: 'followed';
  readonly table: TableName;
  readonly columns: readonly string[];
  readonly rows: readonly FollowedRows[];
  readonly sample?: Sampling;
}

/** Rows of a table that lead to a person along foreign keys, the last of which refers to the person's table. */
export interface FollowedRows {
  readonly table: TableName;
  readonly via: readonly {
    readonly columns: readonly string[];
    readonly references: TableName & { readonly columns: readonly string[] };
  }[];
  readonly columns: readonly string[];
}

export type PrivacyQuestion = ClassesQuestion | FollowedQuestion;
export type PrivacyAnswer = { readonly numbers: readonly number[] } | { readonly sqlState: string };

/** How often each value stands in a column: MD5 of its text, which is as good as the text for who compares, and rows. The most frequent first. */
export interface Frequencies {
  readonly top: readonly Frequency[];
}

export interface Frequency {
  readonly digest: string;
  readonly rows: number;
  /** Of `rows`, because only a part of the pages was counted; 0: all were. */
  readonly variance: number;
}

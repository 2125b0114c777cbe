// Checks of a copy's quality: what people write, what a plan says of it, what was counted and what that means. Counts, names and codes only: a
// value of a row stands in none of these.
import type { Event } from './event.js';
import type { TableName } from './schema-object.js';

export type Severity = 'warn' | 'withhold';

export const checkKinds = [
  ...(['notNull', 'unique', 'acceptedValues', 'range', 'relation'] as const),
  ...(['freshness', 'rowCount', 'nullRate', 'sql'] as const),
  ...(['kAnonymity', 'lDiversity', 'tCloseness'] as const),
] as const;
export type CheckKind = (typeof checkKinds)[number];

/** As it is written, whichever kind it is: the form says which members a kind has. Names are as SQL writes them. */
export interface CheckDefinition {
  readonly name: string;
  readonly kind: CheckKind;
  readonly severity: Severity;
  readonly table?: string;
  readonly columns?: readonly string[];
  readonly where?: string;
  readonly values?: readonly (string | number | boolean)[];
  readonly min?: string | number;
  readonly max?: string | number;
  readonly to?: { readonly table: string; readonly columns: readonly string[] };
  readonly sensitive?: string;
  readonly maxAge?: string;
  readonly maxPercent?: number;
  readonly maxChangePercent?: number;
  readonly maxChangePoints?: number;
  readonly sql?: string;
}

interface Named {
  readonly name: string;
  readonly severity: Severity;
}

interface OfTable extends Named {
  readonly table: TableName;
  /** Which rows are meant; absent: all. The author's SQL over the table's columns. */
  readonly where?: string;
}

interface OfColumns extends OfTable {
  readonly columns: readonly string[];
}

/** As what values are compared: `fold` is text without regard to case, as citext compares. */
export type ComparedAs = 'text' | 'fold' | 'numeric' | 'float8' | 'date' | 'timestamp' | 'timestamptz' | 'same';

export type NotNullCheck = OfColumns & { readonly kind: 'notNull' };
export type UniqueCheck = OfColumns & { readonly kind: 'unique' };
export type AcceptedValuesCheck = OfColumns & {
  readonly kind: 'acceptedValues';
  readonly as: ComparedAs;
  readonly values: readonly string[];
};
export type RangeCheck = OfColumns & {
  readonly kind: 'range';
  readonly as: ComparedAs;
  readonly min?: string;
  readonly max?: string;
};
export type RelationCheck = OfColumns & {
  readonly kind: 'relation';
  /** One for each pair of columns. */
  readonly as: readonly ComparedAs[];
  readonly to: { readonly table: TableName; readonly columns: readonly string[] };
};
export type FreshnessCheck = OfColumns & { readonly kind: 'freshness'; readonly maxAgeSeconds: number };
export type RowCountCheck = OfTable & {
  readonly kind: 'rowCount';
  readonly min?: number;
  readonly max?: number;
  readonly maxChangePercent?: number;
  /** The tables whose rows these are: its partitions and heirs, itself. */
  readonly parts: readonly TableName[];
};
export type NullRateCheck = OfColumns & { readonly kind: 'nullRate'; readonly maxPercent?: number; readonly maxChangePoints?: number };
/**
 * Rows by the values of `columns`, which together may point to a person. k-anonymity (Sweeney 2002): no group is smaller than `min`. Distinct l-diversity
 * (Machanavajjhala et al. 2007): none has fewer than `min` values of `sensitive`. t-closeness (Li et al. 2007): in none is the distribution of `sensitive`
 * further from that of all rows than `max`, by earth mover's distance, where the values have an order the ordered one. So many rows may be in other groups
 * as `maxPercent` says.
 */
export type KAnonymityCheck = OfColumns & { readonly kind: 'kAnonymity'; readonly min: number; readonly maxPercent?: number };
export type LDiversityCheck = OfColumns & {
  readonly kind: 'lDiversity';
  readonly sensitive: string;
  readonly min: number;
  readonly maxPercent?: number;
};
export type TClosenessCheck = OfColumns & {
  readonly kind: 'tCloseness';
  readonly sensitive: string;
  readonly ordered: boolean;
  readonly max: number;
  readonly maxPercent?: number;
};
export type PrivacyCheck = KAnonymityCheck | LDiversityCheck | TClosenessCheck;
export type SqlCheck = Named & { readonly kind: 'sql'; readonly sql: string };

/** A check that was bound to the catalogue: part of the plan and of its digest. */
export type CheckPlan =
  | (
      | NotNullCheck
      | UniqueCheck
      | AcceptedValuesCheck
      | RangeCheck
      | RelationCheck
      | FreshnessCheck
      | RowCountCheck
      | NullRateCheck
      | SqlCheck
    )
  | PrivacyCheck;

/**
 * What the server counted for one check: rows that break it; of `freshness` rows that are new enough; of `rowCount` all; of `nullRate` those with
 * NULL, of so many `rows`; of groups the rows in those that break it, of so many, and the `figure` of the worst group: its size, its values, its distance. Or
 * why it could not.
 */
export type Counted =
  { readonly counted: number; readonly rows?: number; readonly figure?: number } | { readonly sqlState: string } | { readonly why: string };

/** The figure of an earlier version, or why there is none to compare with. */
export type EarlierFigure = { readonly version: number; readonly counted: number; readonly rows?: number } | { readonly none: string };

export interface CheckResult {
  readonly name: string;
  readonly kind: CheckKind;
  readonly severity: Severity;
  readonly outcome: 'pass' | 'fail' | 'not-run';
  readonly schema: string | null;
  readonly table: string | null;
  readonly columns: readonly string[];
  /** As `Counted`; null where it could not be made. */
  readonly counted: number | null;
  /** Of how many rows, where that is the question. */
  readonly rows: number | null;
  /** Of groups the worst one's: k, l or t of the table, which is what others call its k-anonymity and so on. Absent: no such check, or no rows. */
  readonly figure?: number;
  /** What was asked for, in words and counts. */
  readonly expected: string;
  /** What it was compared with: a version and its figure, or `no earlier version` and its like. Absent: a check that compares nothing. */
  readonly earlier?: EarlierFigure;
  readonly sqlState?: string;
  /** Why it could not be made where no server said so. */
  readonly why?: string;
  /** Digest of what was counted, by which a later run knows whether its check counts the same. */
  readonly of: string;
}

export interface CheckTally {
  readonly pass: number;
  readonly fail: number;
  readonly notRun: number;
}

/** What a run told the log of its checks; of several attempts the last. */
export function toCheckResults(events: readonly Event[]): readonly CheckResult[] {
  const told = events.filter(({ type }) => type === 'checks.made').flatMap(({ data }) => data['checks'] as unknown as CheckResult[]);
  return [...new Map(told.map((result) => [result.name, result])).values()];
}

export function toTally(results: readonly Pick<CheckResult, 'outcome'>[]): CheckTally {
  const count = (outcome: CheckResult['outcome']): number => results.filter((one) => one.outcome === outcome).length;
  return { pass: count('pass'), fail: count('fail'), notRun: count('not-run') };
}

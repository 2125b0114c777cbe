// Plan: a frozen value with a digest; what was decided before any row moved. Whoever holds the plan and the key can make the copy anew.
import type { Json } from '../kernel/canonical-json.js';
import { digestJson } from '../kernel/digest.js';
import type { DataType, TableName } from './catalogue.js';
import type { CheckPlan } from './check.js';
import type { PipelineDefinition, Rows, Scope } from './definition.js';
import type { RolesPlan } from './grant.js';

export interface Plan {
  readonly version: 1;
  readonly workspace: string;
  readonly pipeline: string;
  readonly environment: string;
  /** Whose labels and keys mask, where they are not the environment's own. */
  readonly keyEnvironment?: string;
  readonly keyVersion: number;
  /** Of the hierarchy `token`; absent: nothing can be exchanged back. */
  readonly tokenKeyVersion?: number;
  /** The document's facts that gate, log and reports need. */
  readonly facts: Pick<
    PipelineDefinition,
    'purpose' | 'owner' | 'legalBasis' | 'subjectCategories' | 'retentionDays' | 'source' | 'target' | 'schemaTexts'
  >;
  readonly source: { readonly systemIdentifier: string; readonly databaseOid: number; readonly database: string };
  /** Digest of the catalogue in scope: what `PLAN_STALE` compares. Sizes and statistics are not in it. */
  readonly catalogueDigest: string;
  /** Digests of the documents, by kind and name (`Pipeline shop`), and of `after` files, by place (`after 1`); never by path. */
  readonly documents: Readonly<Record<string, string>>;
  readonly tables: readonly TablePlan[];
  /** Foreign keys in scope whose rows may break because a table is cut (`rows: none | where`). */
  readonly cutReferences: readonly { readonly table: string; readonly constraint: string }[];
  /** Who gets what, where `target.roles.map` says so; absent: the environment's roles get what they always get. */
  readonly roles?: RolesPlan;
  /** What staging is asked before it is published; absent: nothing. */
  readonly checks?: readonly CheckPlan[];
}

export interface TablePlan extends TableName {
  readonly oid: number;
  readonly kind: 'r' | 'p';
  readonly rows: Rows;
  /** Columns that COPY reads and writes, in attnum order; generated columns are not among them. */
  readonly columns: readonly ColumnPlan[];
  /** Fields appended to each source line and dropped by mask: what `subject` and `row` scopes are a function of. */
  readonly hidden: readonly HiddenColumn[];
  /** Its rows MUST be read and loaded as one stream, so that they stand in the copy in the source's order; it is never cut into ranges. */
  readonly inOrder?: true;
  /** Where the rows go in: this table, or the partitioned root because a masked partition key may move them. */
  readonly loadInto: TableName;
  /** How the verifier finds the output's row of a source row. Absent: it cannot, or nothing has to be compared row by row. */
  readonly pairing?: Pairing;
}

/** By kept columns that are unique together; else by place: such a table is read in the heap's order and loaded by one stream. */
export type Pairing = { readonly by: 'key'; readonly columns: readonly string[] } | { readonly by: 'place' };

/**
 * `subject`: the person's source key, one field per column of that key; `row`: the primary key's columns, or `ctid` where there is none.
 * For a subject over one hop or more, `via` is the chain of foreign keys that the COPY joins, from this table on.
 */
export interface HiddenColumn {
  readonly purpose: 'subject' | 'row';
  /** Column of the last table of `via`, or of this table; `ctid` for a row without key. */
  readonly column: string;
  readonly type: DataType;
  /** Of `subject` where tokens are kept: the table of people, by which what is kept of one is found. Empty: it is not known. */
  readonly person?: string;
  readonly via: readonly {
    readonly columns: readonly string[];
    readonly references: TableName & { readonly columns: readonly string[] };
  }[];
}

export interface ColumnPlan {
  readonly attnum: number;
  readonly name: string;
  readonly type: DataType;
  readonly notNull: boolean;
  /** `none`, or a tag such as `pii.email`; `mixed` when `paths` decide. */
  readonly tag: string;
  readonly rule: RulePlan;
  /** Member of a unique or primary key, or of a unique index. */
  readonly unique: boolean;
  /**
   * Number of the component (columns joined by foreign keys, partitions and inheritance, which must agree), from 0; absent when the column is
   * joined to none.
   */
  readonly component?: number;
  /** Who says so: a `ClaimSource`. */
  readonly from: string;
  /** The reason of a keep or an override. */
  readonly reason?: string;
  readonly expires?: string;
}

/** One transform with everything it needs but the key. `keep` is the transform of a column that goes through. */
export interface RulePlan {
  readonly transform: string;
  readonly params: Readonly<Record<string, Json>>;
  readonly scope: Scope;
  readonly domain: string;
  /** Narrowest type of the foreign-key component, when its columns differ in type: what the transform MUST be prepared for, at both ends. */
  readonly preparedFor?: DataType;
  /** Whether equality of the type needs folding before the PRF. */
  readonly canonical: CanonicalForm;
  readonly reveals: readonly Reveal[];
  readonly uniqueness: Uniqueness;
  /** Who may can exchange its output back. */
  readonly reversible?: true;
  /** For `json` and its like (`transform` is `keep`: what no path names goes the way of `rest`): path → rule, and what becomes of the rest. */
  readonly paths?: Readonly<Record<string, RulePlan & { readonly tag: string }>>;
  readonly rest?: 'refuse' | 'drop' | 'keep';
}

/** How a value's text becomes the text that its type compares: `citext` lower-cased, `bpchar` without padding, `numeric` without trailing zeros. */
export type CanonicalForm = 'text' | 'citext' | 'bpchar' | 'numeric' | 'float';

export type ClaimSource = 'document' | 'comment' | 'label' | 'foreign-key' | 'inherited' | 'pattern';

export type Uniqueness = 'preserved' | 'not-guaranteed' | 'lossy';

export type Reveal = 'equality' | 'frequency' | 'order' | 'length' | 'prefix' | 'band' | 'format' | 'value';

/** Every rule of the plan that disguises something: of columns, and of paths in them. */
export function toRules(plan: Pick<Plan, 'tables'>): readonly RulePlan[] {
  const all = plan.tables.flatMap(({ columns }) => columns.flatMap(({ rule }) => [rule, ...Object.values(rule.paths ?? {})]));
  return all.filter(({ transform }) => transform !== 'keep');
}

/** Domains whose tokens are kept with their values: no key makes them, they are looked up. */
export function toVaultedDomains({ tokens = {} }: Pick<PipelineDefinition['target'], 'tokens'>): ReadonlySet<string> {
  return new Set(Object.entries(tokens).flatMap(([domain, { vaulted }]) => (vaulted === true ? [domain] : [])));
}

/** Whether the values of this rule are exchanged for tokens that are kept. */
export function isVaulted({ reversible, domain }: RulePlan, vaulted: ReadonlySet<string>): boolean {
  return reversible === true && vaulted.has(domain);
}

/** Tokens are kept of whole values: for what stands inside of one there is no key, and nothing is masked. */
export function isVaultedColumn({ rule, type }: Pick<ColumnPlan, 'rule' | 'type'>, vaulted: ReadonlySet<string>): boolean {
  return isVaulted(rule, vaulted) && type.kind !== 'array' && rule.paths === undefined;
}

export function toPlanDigest(plan: Plan): string {
  return digestJson(plan as unknown as Json);
}

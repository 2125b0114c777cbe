// What binding is given. The transforms and the JSON Schema validator are arguments: binding knows what they declare, not how they work.
import type { Json } from '../kernel/canonical-json.js';
import type { Finding } from '../kernel/errors.js';
import { parseNamePattern, toSqlName } from '../kernel/sql-name.js';
import type { Catalogue, DataType, TableName } from './catalogue.js';
import type {
  ClassificationDefinition,
  ClassificationLock,
  Described,
  PipelineDefinition,
  RulebookDefinition,
  Scope,
} from './definition.js';
import type { Plan, Reveal, Uniqueness } from './plan.js';
import type { CountedColumn, CutReference } from './ports.js';

type Params = Readonly<Record<string, Json>>;

/** What a transform declares: the part of `Transform` (pipeline/mask) that a plan rests on. */
export interface TransformView {
  readonly name: string;
  /** Families of types, or `any`. */
  readonly accepts: readonly string[];
  readonly params: Readonly<Record<string, { readonly schema: Readonly<Record<string, Json>>; readonly default?: Json }>>;
  readonly scopes: readonly [Scope, ...Scope[]];
  readonly uniqueness: Uniqueness;
  readonly reversible?: boolean;
  readonly reveals: readonly Reveal[];
  space(params: Params, type: DataType): bigint;
  misfit?(type: DataType, params: Params): string | undefined;
  leavesReservedSpace?(params: Params): boolean;
  readonly output?: 'disjoint' | 'overlapping' | 'kept';
  readonly fixedPoints?: unknown;
}

export interface Registry {
  readonly transforms: readonly TransformView[];
  /** The family of a scalar type (`toTypeFamily`). */
  readonly familyOf: (type: DataType) => string | undefined;
  /** Does the value fit the JSON Schema? */
  readonly fitsSchema: (schema: Readonly<Record<string, Json>>, value: Json) => boolean;
}

/** What was counted at the source because statistics do not say it. Never part of the plan. */
export interface Counts {
  /** By `toCountKey`. */
  readonly columns?: ReadonlyMap<string, { readonly rows: number; readonly distinct: number }>;
  /** Rows that refer to a row left behind, by `toSqlName(schema, table, constraint)`. */
  readonly references?: ReadonlyMap<string, number>;
}

/** `toSqlName(schema, table, column)`, and the path behind it where there is one. */
export function toCountKey({ schema, name, column, path }: CountedColumn): string {
  return toSqlName(schema, name, column) + (path === undefined ? '' : ` ${path}`);
}

export type CountRequest = (CountedColumn & { readonly kind: 'column' }) | (CutReference & { readonly kind: 'reference' });

export interface BindInput {
  readonly pipeline: Described<PipelineDefinition>;
  readonly classification: Described<ClassificationDefinition>;
  readonly rulebook: Described<RulebookDefinition>;
  readonly lock?: Described<ClassificationLock>;
  readonly catalogue: Catalogue;
  /** As the source computes it, without sizes and statistics. */
  readonly catalogueDigest: string;
  readonly registry: Registry;
  readonly keyVersion: number;
  readonly workspace: string;
  /** `SelectedDocuments.digests`. */
  readonly documents: Readonly<Record<string, string>>;
  readonly counts?: Counts;
}

export interface Bound {
  /** Absent when a finding is an error. */
  readonly plan?: Plan;
  /** All of them, sorted. */
  readonly findings: readonly Finding[];
  /** What should be counted at the source before binding again, because statistics do not say it. */
  readonly wanted: readonly CountRequest[];
}

/** Is the table in scope by the pipeline's patterns? `exclude` wins. */
export function toScopeTest({ include, exclude }: Pick<PipelineDefinition, 'include' | 'exclude'>): (table: TableName) => boolean {
  const toPatterns = (texts: readonly string[] | undefined) => texts?.flatMap((text) => parseNamePattern(text) ?? []);
  const wanted = toPatterns(include);
  const unwanted = toPatterns(exclude) ?? [];
  return ({ schema, name }) => {
    const among = (patterns: NonNullable<typeof wanted>): boolean => patterns.some((pattern) => pattern.matches(schema, name));
    return (wanted === undefined || among(wanted)) && !among(unwanted);
  };
}

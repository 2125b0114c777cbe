// Whatever a schema holds beside its tables, one shape per kind. Members that are SQL come from the server's own deparsers and are not trusted.

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  /** Key columns in order; null where the key is an expression. INCLUDE columns are not keys. */
  readonly keys: readonly (string | null)[];
  /** Columns that expressions and predicate mention. */
  readonly mentions: readonly string[];
  readonly predicate: string | null;
  /** pg_get_indexdef(oid). */
  readonly definition: string;
  /** Name of the constraint that owns it, if any. */
  readonly constraint: string | null;
  readonly comment: string | null;
  /** True when it is a part of a partitioned parent's index. */
  readonly inherited: boolean;
  /** The parent's index (same schema rules as tables), when inherited. */
  readonly partOf?: TableName;
  /** Statistics targets of expression keys, by 1-based position. */
  readonly statisticsTargets?: readonly { readonly position: number; readonly target: number }[];
}

interface Named<Kind extends string> {
  readonly kind: Kind;
  readonly schema: string | null;
  readonly name: string;
  readonly comment: string | null;
  /** The table (or view) it hangs on: trigger, policy, rule, owned sequence, extended statistics. */
  readonly table?: TableName;
}

interface InSchema<Kind extends string> extends Named<Kind> {
  readonly schema: string;
}

interface OnTable<Kind extends string> extends InSchema<Kind> {
  readonly table: TableName;
}

export interface ExtensionObject extends Named<'extension'> {
  readonly schema: string;
  readonly version: string;
  /** A role without superuser may create it where it may create in the database. */
  readonly trusted: boolean;
}

export interface EnumObject extends InSchema<'enum'> {
  readonly labels: readonly string[];
}

/** A constraint of a domain is an object of its own where it is made, but stands here. */
export interface DomainObject extends InSchema<'domain'> {
  readonly type: string;
  readonly collation: string | null;
  readonly defaultExpression: string | null;
  readonly notNull: boolean;
  readonly constraints: readonly {
    readonly name: string;
    readonly kind: 'c' | 'n';
    readonly definition: string;
    readonly comment: string | null;
  }[];
}

export interface CompositeObject extends InSchema<'composite'> {
  readonly attributes: readonly {
    readonly name: string;
    readonly type: string;
    readonly collation: string | null;
    readonly comment: string | null;
  }[];
}

export interface RangeObject extends InSchema<'range'> {
  readonly subtype: string;
  readonly collation: string | null;
  /** Qualified and quoted by the server; null for the default one. */
  readonly operatorClass: string | null;
  readonly difference: string | null;
  readonly multirange: TableName;
}

export interface RoutineObject extends InSchema<'function' | 'procedure'> {
  /** pg_get_function_identity_arguments: what COMMENT ON and DROP take. */
  readonly arguments: string;
  /** Types of the arguments alone, which tell overloads apart. */
  readonly signature: string;
  readonly language: string;
  /** pg_get_functiondef. */
  readonly definition: string;
  /** The body as written, for detectors. */
  readonly body: string;
}

export interface AggregateObject extends InSchema<'aggregate'> {
  readonly arguments: string;
  readonly signature: string;
  /** Clauses of CREATE AGGREGATE in order, name and SQL text. */
  readonly clauses: readonly (readonly [string, string])[];
}

export interface OperatorObject extends InSchema<'operator'> {
  readonly left: string | null;
  readonly right: string;
  readonly clauses: readonly (readonly [string, string])[];
}

export interface CastObject extends Named<'cast'> {
  readonly source: string;
  readonly target: string;
  /** Qualified function with its argument types; null for WITH INOUT. */
  readonly function: string | null;
  readonly context: 'e' | 'a' | 'i';
}

export interface CollationObject extends InSchema<'collation'> {
  readonly options: readonly (readonly [string, string])[];
}

export interface DictionaryObject extends InSchema<'text search dictionary'> {
  readonly template: string;
  readonly options: string | null;
}

export interface ConfigurationObject extends InSchema<'text search configuration'> {
  readonly parser: string;
  readonly mappings: readonly { readonly token: string; readonly dictionaries: readonly string[] }[];
}

export interface SequenceObject extends InSchema<'sequence'> {
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly minimum: string;
  readonly maximum: string;
  readonly cache: string;
  readonly cycle: boolean;
  readonly unlogged: boolean;
  /** The column it goes with: `identity` makes it, `owned` drops it. `table` is set too. */
  readonly column?: { readonly name: string; readonly how: 'identity' | 'owned'; readonly identity: '' | 'a' | 'd' };
}

export interface ViewObject extends InSchema<'view' | 'materialized view'> {
  /** pg_get_viewdef without its last semicolon. */
  readonly definition: string;
  readonly options: readonly string[];
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly collation: string | null;
    readonly comment: string | null;
    /** SET DEFAULT of a view's column. */
    readonly defaultExpression: string | null;
    readonly storage?: string;
    readonly compression?: string;
    readonly statisticsTarget?: number;
  }[];
  /** Materialized views: whether it holds rows, and its indexes. */
  readonly populated: boolean;
  readonly indexes: readonly Index[];
  readonly clusterIndex?: string;
}

export interface TriggerObject extends OnTable<'trigger'> {
  readonly definition: string;
  /** As in pg_trigger.tgenabled: O origin, D disabled, R replica, A always. */
  readonly enabled: string;
  /** A partition's copy of its parent's trigger: made there, only its state may differ. */
  readonly inherited: boolean;
  /** The state of the parent's trigger, for a copy. */
  readonly parentEnabled?: string;
}

export interface RuleObject extends OnTable<'rule'> {
  readonly definition: string;
  readonly enabled: string;
}

export interface PolicyObject extends OnTable<'policy'> {
  readonly command: '*' | 'r' | 'a' | 'w' | 'd';
  readonly permissive: boolean;
  /** Names of roles; empty for PUBLIC. */
  readonly roles: readonly string[];
  readonly using: string | null;
  readonly check: string | null;
}

export interface StatisticsObject extends OnTable<'statistics'> {
  readonly definition: string;
  readonly target: number | null;
}

export type SchemaObject =
  | ExtensionObject
  | EnumObject
  | DomainObject
  | CompositeObject
  | RangeObject
  | RoutineObject
  | AggregateObject
  | OperatorObject
  | CastObject
  | CollationObject
  | DictionaryObject
  | ConfigurationObject
  | SequenceObject
  | ViewObject
  | TriggerObject
  | RuleObject
  | PolicyObject
  | StatisticsObject;

/** A name as SQL writes it and messages show it: plain where it can be, quoted where it must be. */
export function toLabel(...parts: readonly string[]): string {
  return parts.map((part) => (/^[a-z_][a-z0-9_$]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`)).join('.');
}

/** Kind and name, one text per object of a database: `function public.total(integer)`, `trigger public.orders.stamp`. */
export function toObjectLabel(object: SchemaObject): string {
  switch (object.kind) {
    case 'extension':
      return `extension ${toLabel(object.name)}`;
    case 'cast':
      return `cast (${object.source} AS ${object.target})`;
    case 'function':
    case 'procedure':
    case 'aggregate':
      return `${object.kind} ${toLabel(object.schema, object.name)}(${object.signature})`;
    case 'operator':
      return `operator ${toLabel(object.schema)}.${object.name}(${object.left ?? 'NONE'}, ${object.right})`;
    case 'trigger':
    case 'rule':
    case 'policy':
      return `${object.kind} ${toLabel(object.table.schema, object.table.name, object.name)}`;
    case 'collation':
    case 'composite':
    case 'domain':
    case 'enum':
    case 'materialized view':
    case 'range':
    case 'sequence':
    case 'statistics':
    case 'text search configuration':
    case 'text search dictionary':
    case 'view':
      return `${object.kind} ${toLabel(object.schema, object.name)}`;
  }
}

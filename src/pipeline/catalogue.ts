// What is there, as a plain value: read once under the plan's locks, compared by digest, and enough to build the schema anew elsewhere.
// Names are the catalogue's own, unquoted. Every text that is SQL came from a pg_get_*def function and is not trusted.
import type { DefaultGrant, Grant } from './grant.js';
import type { Index, SchemaObject, TableName } from './schema-object.js';

export * from './grant.js';
export * from './schema-object.js';

export interface Catalogue {
  readonly server: ServerFacts;
  readonly schemas: readonly {
    readonly name: string;
    readonly comment: string | null;
    /** `public` only: a role owns it, not whoever owns the database (as databases from before 15 have it). */
    readonly ownedByRole?: boolean;
  }[];
  readonly tables: readonly Table[];
  /** Everything else that the schema needs, in the order in which it can be created; made and read by the postgres system only. */
  readonly objects: readonly SchemaObject[];
  /**
   * What has to be there first: label → labels, from pg_depend. Labels are toObjectLabel's, and `table s.t`, `default s.t.c`,
   * `constraint s.t.c`, `index s.i`, `domain constraint s.d.c`, `schema s` for the pieces of tables and domains.
   */
  readonly dependencies?: Readonly<Record<string, readonly string[]>>;
  /** ACLs of what is in scope. No part of the digest: a plan holds what it makes of them. */
  readonly grants?: readonly Grant[];
  readonly defaultGrants?: readonly DefaultGrant[];
}

export interface ServerFacts {
  /** `server_version_num`, for example 150018. */
  readonly version: number;
  /** From `pg_control_system()`, as text: 64 bits. */
  readonly systemIdentifier: string;
  readonly database: string;
  readonly databaseOid: number;
  readonly encoding: string;
  readonly inRecovery: boolean;
  /** How the database sorts and classifies text; absent where nobody asked. */
  readonly locale?: DatabaseLocale;
}

export interface DatabaseLocale {
  /** `c` libc, `i` ICU, `b` builtin (17), as in pg_database.datlocprovider. */
  readonly provider: string;
  readonly collate: string;
  readonly ctype: string;
  /** ICU's or the builtin provider's locale. */
  readonly locale: string | null;
  readonly icuRules: string | null;
}

export type TypeKind = 'base' | 'enum' | 'domain' | 'composite' | 'range' | 'multirange' | 'array';

export interface DataType {
  /** As `format_type(oid, typmod)` prints it with `search_path` empty, for example `character varying(50)`. */
  readonly display: string;
  /** `domain` for a column of a domain; the other members then tell of the type under it, element, labels and attributes included. */
  readonly kind: TypeKind;
  /** `pg_type.typname` after domains are followed: `varchar`, `int4`, `jsonb`; for an array that of its element; enum, composite and range: their own name. */
  readonly base: string;
  /** For arrays the element's type. */
  readonly element?: DataType;
  /** `character(n)`, `varchar(n)`, `bit(n)`: n. */
  readonly length?: number;
  /** `numeric(p, s)`. */
  readonly precision?: number;
  readonly scale?: number;
  /** For composites: attribute names and types in order. */
  readonly attributes?: readonly { readonly name: string; readonly type: DataType }[];
  readonly labels?: readonly string[];
  /** Name of the domain, when the column's type is one, for messages. */
  readonly domain?: string;
  /** False for a nondeterministic collation: equal values may have other bytes. */
  readonly deterministicCollation: boolean;
}

export interface TableColumn {
  readonly attnum: number;
  readonly name: string;
  readonly type: DataType;
  readonly notNull: boolean;
  /** `a` always, `d` by default, as in pg_attribute.attidentity. */
  readonly identity: '' | 'a' | 'd';
  /** `s` stored, `v` virtual (18), as in pg_attribute.attgenerated. */
  readonly generated: '' | 's' | 'v';
  /** Default or generation expression. */
  readonly expression: string | null;
  readonly comment: string | null;
  readonly labels: readonly { readonly provider: string; readonly label: string }[];
  /** From pg_stats, absent without statistics or the right to read them. nDistinct as a count, never as a negative fraction. */
  readonly statistics?: { readonly nDistinct: number; readonly nullFraction: number; readonly averageWidth: number };
  /** Came from a parent by inheritance and is not declared here as well. */
  readonly inherited?: boolean;
  /** Qualified and quoted by the server, when it is not the type's own. */
  readonly collation?: string;
  /** pg_attribute.attstorage (`p`, `e`, `m`, `x`) when it is not the type's own. */
  readonly storage?: string;
  /** `p` pglz, `l` lz4, when set. */
  readonly compression?: string;
  readonly statisticsTarget?: number;
  /** attoptions: `n_distinct=…`. */
  readonly options?: readonly string[];
}

export interface Constraint {
  readonly name: string;
  /** As in pg_constraint.contype: primary key, unique, foreign key, check, exclusion, not null (18). */
  readonly kind: 'p' | 'u' | 'f' | 'c' | 'x' | 'n';
  readonly columns: readonly string[];
  readonly references?: TableName & { readonly columns: readonly string[] };
  readonly deferrable: boolean;
  readonly validated: boolean;
  /** pg_get_constraintdef(oid). */
  readonly definition: string;
  readonly comment: string | null;
  /** True when it came from a parent (partition or inheritance) and is made there. */
  readonly inherited: boolean;
  /** The parent's index when this is a key of a partition whose index hangs on it. */
  readonly partOf?: TableName;
  /** NO INHERIT: children do not get it. */
  readonly noInherit?: boolean;
}

export interface Table extends TableName {
  readonly oid: number;
  /** `r` ordinary, `p` partitioned, as in pg_class.relkind. */
  readonly kind: 'r' | 'p';
  readonly unlogged: boolean;
  readonly comment: string | null;
  readonly columns: readonly TableColumn[];
  readonly constraints: readonly Constraint[];
  readonly indexes: readonly Index[];
  /** Direct parents by inheritance, or the one partitioned parent. */
  readonly parents: readonly TableName[];
  /** For a partitioned table: key columns (expressions as null) and pg_get_partkeydef. */
  readonly partitionKey?: {
    readonly columns: readonly (string | null)[];
    readonly mentions: readonly string[];
    readonly definition: string;
  };
  /** For a partition: pg_get_expr(relpartbound). */
  readonly partitionBound?: string;
  readonly rowSecurity: boolean;
  /** FORCE ROW LEVEL SECURITY. */
  readonly forceRowSecurity?: boolean;
  /** reloptions, and those of the TOAST table, as `name=value`. */
  readonly options?: readonly string[];
  readonly toastOptions?: readonly string[];
  /** pg_class.relreplident when it is not the default; the index's name for `i`. */
  readonly replicaIdentity?: { readonly kind: 'n' | 'f' | 'i'; readonly index?: string };
  readonly clusterIndex?: string;
  /** CREATE TABLE … OF: qualified and quoted by the server. */
  readonly ofType?: string;
  /** reltuples (-1: never analysed) and pg_total_relation_size without indexes (TOAST included). */
  readonly estimatedRows: number;
  readonly bytes: number;
  /** relpages as the server knows it now, for cutting into ctid ranges. */
  readonly pages: number;
}

/** `schema.table` as it stands in messages and documents' findings. */
export function toTableLabel(table: TableName): string {
  return `${table.schema}.${table.name}`;
}

// What is there, as a plain value: read once under the plan's locks, compared by digest, and enough to build the schema anew elsewhere.
// Names are the catalogue's own, unquoted. Every text that is SQL came from a pg_get_*def function and is not trusted.

export interface Catalogue {
  readonly server: ServerFacts;
  readonly schemas: readonly { readonly name: string; readonly comment: string | null }[];
  readonly tables: readonly Table[];
  /** Everything else that the schema needs, in the order in which it can be created; made and read by the postgres system only. */
  readonly objects: readonly SchemaObject[];
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
}

export interface TableName {
  readonly schema: string;
  readonly name: string;
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
  /** reltuples (-1: never analysed) and pg_total_relation_size without indexes (TOAST included). */
  readonly estimatedRows: number;
  readonly bytes: number;
  /** relpages as the server knows it now, for cutting into ctid ranges. */
  readonly pages: number;
}

/** Any other object: type, domain, sequence, function, view, trigger, policy, extension, and the rest. */
export interface SchemaObject {
  readonly kind: string;
  readonly schema: string | null;
  readonly name: string;
  /** The table it hangs on (trigger, policy, rule, owned sequence), if any. */
  readonly table?: TableName;
  readonly [member: string]: unknown;
}

/** `schema.table` as it stands in messages and documents' findings. */
export function toTableLabel(table: TableName): string {
  return `${table.schema}.${table.name}`;
}

// The seven doors to the outside world. The data plane knows these and nothing behind them.
import type { Json } from '../kernel/canonical-json.js';
import type { Finding } from '../kernel/errors.js';
import type { Batch, Masked } from './batch.js';
import type { Catalogue, DataType, TableName } from './catalogue.js';
import type { CheckPlan, Counted } from './check.js';
import type { RolesDefinition } from './definition.js';
import type { DefinitionDigest } from './definition-digest.js';
import type { Appended, Event } from './event.js';
import type { Decision, GateInput } from './decision.js';
import type { DropKept, DropOptions, DropSeen, DropStep } from './drop-step.js';
import type { DeliveryPlan, DeliveryTable } from './delivery-plan.js';
import type { ManifestTable, MarkerRow, MarkerSeen } from './marker.js';
import type { Plan } from './plan.js';
import type { Frequencies, PrivacyAnswer, PrivacyQuestion, Sampling } from './privacy.js';
import type { CountedColumn, CutReference, Trial, Trialled } from './source-question.js';

// ── Source

export interface Source {
  /** The catalogue in scope as it is now. MUST return every problem of access and support as findings, not only the first. */
  describe(scope: SourceScope): Promise<SourceDescription>;
  /**
   * Locks every table of the plan (ACCESS SHARE), reads the catalogue again, compares its digest with the plan's, then exports a snapshot.
   * MUST throw `PLAN_STALE` before a row is read when they differ.
   */
  open(plan: Plan, scope: SourceScope): Promise<Snapshot>;
  /**
   * The moment that somebody else holds, locked and exported anew, so that it outlives him. The first of them that can still be had; undefined
   * when none can: nobody held the plan's tables all the time since.
   */
  join(plan: Plan, scope: SourceScope, held: readonly HeldSnapshot[]): Promise<Snapshot | undefined>;
  /** Rows with a value, and distinct values, of columns whose statistics are missing and of paths, which have none. In the order of the requests. */
  count(columns: readonly CountedColumn[]): Promise<readonly { readonly rows: number; readonly distinct: number }[]>;
  /** Rows that refer to a row left behind, of what will be copied. In the order of the references. */
  countCut(references: readonly CutReference[]): Promise<readonly number[]>;
  /** By what the server counts of the plan's tables and their sequences, whether a row may have changed. Reads no row. */
  state(plan: Plan, catalogue: Catalogue): Promise<SourceState>;
  /** Which made-up rows meet a condition of the schema, as the server itself evaluates it. In the order of the trials; reads no table. */
  tryOut(trials: readonly Trial[]): Promise<readonly Trialled[]>;
  close(): Promise<void>;
}

/** Two looks with the same digest: between the first and `lagMs` before the second no change was committed. */
export interface SourceState {
  /** Null: the server cannot say; `unknown` says why. */
  readonly digest: string | null;
  /** Null: nobody knows. */
  readonly lagMs: number | null;
  readonly unknown?: string;
}

export type { CountedColumn, CutReference, Trial, Trialled } from './source-question.js';

export interface SourceDescription {
  readonly catalogue: Catalogue;
  /** What `PLAN_STALE` compares. */
  readonly digest: string;
  /** Host and port as the server itself names them: what the gate compares with the target's. */
  readonly address: string;
  readonly findings: readonly Finding[];
}

export interface SourceScope {
  /** Patterns over `schema.table` with `*`; `exclude` wins. Default: every table outside the system's schemas. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** A snapshot that a session of the source holds, with locks on every table of the plan. */
export interface HeldSnapshot {
  /** Of the moment that it shows: the same for everybody who holds it, however often it was exported anew. */
  readonly moment: string;
  /** As which it is exported, for readers on other connections. */
  readonly id: string;
  /** The server's process that holds it, and when that began, in seconds since 1970. */
  readonly backend: string;
  /** When the moment was, at the latest; in ms since 1970. */
  readonly openedAtMs: number;
}

export interface Snapshot {
  readonly held: HeldSnapshot;
  /** Cuts the plan's tables into ranges, largest table first; a small table is one range. */
  ranges(): readonly Range[];
  /** The lines of one range, hidden columns included. MUST pause the server when the consumer pauses. */
  read(range: Range): AsyncIterable<Batch>;
  /** Where the sequences stand now. They are no part of a snapshot: read after it, they are never behind it. */
  sequences(): Promise<readonly SequenceValue[]>;
  /** What the source had to bear so far. */
  usage(): SourceUsage;
  /** Rejects when a budget is exceeded (snapshot age, lag, a session that waits for our locks). MUST be watched by the caller. */
  readonly exceeded: Promise<never>;
  close(): Promise<void>;
}

export interface SequenceValue extends TableName {
  /** A bigint as text. */
  readonly lastValue: string;
  readonly isCalled: boolean;
}

export interface Range {
  /** Index into `Plan.tables`. */
  readonly table: number;
  readonly range: number;
  /** `[from, to)` in pages, without an end for the last of a table; absent: the whole table. */
  readonly pages?: readonly [from: number, to: number | null];
}

export interface SourceUsage {
  readonly snapshotAgeMs: number;
  readonly rows: number;
  readonly bytes: number;
  readonly longestBlockedMs: number;
  readonly replicationLagBytes: number | null;
}

// ── Mask

export interface MaskExecutor {
  /** Takes ownership of the batch's bytes. MUST reject with a DataError that names table, column and row when a transform refuses a value. */
  mask(batch: Batch): Promise<Masked>;
  /** How many batches it can work on at once. */
  readonly width: number;
  close(): Promise<void>;
}

/**
 * Keys of different hierarchies have nothing in common: what is masked in one environment cannot be joined with what is masked in another, and who
 * may reverse tokens cannot mask. The keys that sign the log are none of these.
 */
export interface KeyHierarchy {
  readonly purpose: 'masking' | 'token' | 'transport';
  readonly workspace: string;
  readonly environment: string;
}

/** The keys of a hierarchy, opened; nothing is made before the first use. */
export type OpenKeys = (hierarchy: KeyHierarchy) => KeyProvider;

/** The keys of one hierarchy, in versions from 1. */
export interface KeyProvider {
  readonly hierarchy: KeyHierarchy;
  /** For so many days whoever administers the keys can bring back what `destroyUpTo` destroyed; absent: nobody can, but from a backup. */
  readonly pendingDays?: number;
  /**
   * 32 bytes for a label (`toKeyLabel`). The same label and version give the same bytes for ever; the master never leaves the provider. MUST throw
   * KEY_VERSION_DESTROYED for a version that was destroyed, and KEY_VERSION_MISSING for one that was never made or got lost.
   */
  derive(label: string, version: number): Promise<Uint8Array>;
  /** The version that new plans use: the newest. Makes the first one; first uses that meet MUST agree. */
  currentVersion(): Promise<number>;
  /** Instant (ms) after which a version may not be used any more; null: never. */
  expiresAt(version: number): Promise<number | null>;
  /** Every version that there was, oldest first; makes none. */
  versions(): Promise<readonly KeyVersion[]>;
  /** Makes the next version, which is current from now on; of a hierarchy without keys the first one. Returns its number. */
  rotate(): Promise<number>;
  /**
   * Destroys this version and every one before it. MUST be durable when it resolves, do nothing to what is destroyed already, and refuse the
   * current version and later ones (KEY_VERSION_CURRENT).
   */
  destroyUpTo(version: number): Promise<void>;
}

export interface KeyVersion {
  readonly version: number;
  /** `missing`: it was made, it is not there, and nobody destroyed it. */
  readonly state: 'current' | 'kept' | 'destroyed' | 'missing';
  /** Instants in ms; null: the provider does not know, or never. */
  readonly madeAt: number | null;
  readonly expiresAt: number | null;
  readonly destroyedAt: number | null;
}

// ── Gate

export interface Policy {
  /** What it decides by, so that a failure to decide can name it too. */
  readonly bundle?: Decision['policy'];
  /** Decides or throws; a caller that cannot get a decision MUST treat that as deny. */
  /** `decisionId`: that of a record that is taken again; default: a new one. */
  decide(input: GateInput, decisionId?: string): Promise<Decision>;
  close(): Promise<void>;
}

// ── Deliver

export interface Target {
  /** What is there now, and every problem that would stop a delivery, before a row is read. */
  inspect(plan: DeliveryPlan, catalogue: Catalogue): Promise<{ readonly facts: TargetFacts; readonly findings: readonly Finding[] }>;
  /** Drops staging of dead runs, but for those of which somebody says that they go on. Returns what it dropped. */
  sweep(goesOn?: ReadonlySet<string>): Promise<readonly string[]>;
  /** A staging place beside the target with the schema up to the data. Holds the run's advisory lock until closed. */
  begin(plan: DeliveryPlan, catalogue: Catalogue, run: StagingRun & { readonly nonce: Uint8Array }): Promise<Staging>;
  /**
   * Staging that an earlier attempt of this run left with a record of its ranges, for the same plan; with the run's lock, as `begin`. Undefined,
   * and nothing is left of it, where there is none that could be gone on with. Absent: a target that keeps no such record.
   */
  adopt?(plan: DeliveryPlan, catalogue: Catalogue, run: StagingRun, planDigest: string): Promise<AdoptedStaging | undefined>;
  /** Into the staging of a run that somebody else leads, to load ranges there; undefined where there is none for this plan. */
  share?(run: StagingRun, planDigest: string): Promise<SharedStaging | undefined>;
  /** The versions that there are, by what each says of itself in its comment. */
  datasets(): Promise<readonly DatasetVersion[]>;
  /** Which server and database it delivers to: what the log calls it. */
  place(): Promise<{ readonly server: string; readonly database: string }>;
  /** Those of the runs that may still be at work on this target: all of them while somebody has the target's lock. */
  findAlive(runIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** What stands in the marker's place in a version of this target. */
  marker(version: DatasetVersion): Promise<MarkerSeen>;
  /** Absent: a target whose versions cannot be cloned. */
  readonly clones?: Clones;
  /** Shuts the current version of that run to everybody of the environment, and ends their sessions. MUST throw TARGET_BUSY, TARGET_CHANGED. */
  quarantine(runId: string): Promise<void>;
  /** What would be dropped with a version, in order, when those of `gone` were dropped before; roles of the environment only with its last one. */
  dropSteps(version: DatasetVersion, options?: DropOptions & { readonly gone?: readonly DatasetVersion[] }): Promise<readonly DropStep[]>;
  /**
   * Closes the version to everybody, ends its sessions and drops it: what stands there already no more is no error. Returns what had to stay and
   * why. MUST throw TARGET_BUSY while somebody works on the target, TARGET_CHANGED when the steps are no longer those of the version, and
   * EXPIRY_IN_USE where sessions are left that it may not end.
   */
  drop(runId: string, steps: readonly DropStep[], options?: DropOptions): Promise<readonly DropKept[]>;
  /** On a session of its own: what of these steps is there, and what the server tells of where else it may be. */
  seeDropped(steps: readonly DropStep[]): Promise<DropSeen>;
  /** A login with the rights of a version's readers alone, which `close` ends. Absent: a target whose login makes no others. */
  reading?(roles?: RolesDefinition): Promise<{ readonly login: Login; close(): Promise<void> }>;
  /** Makes the previous version current again, in one step. MUST refuse one whose marker does not agree with its comment, or has expired. */
  rollback(permit?: Permit): Promise<DatasetVersion>;
  close(): Promise<void>;
}

export interface TargetFacts {
  readonly systemIdentifier: string;
  readonly databaseOid: number | null;
  readonly database: string;
  readonly address: string;
  readonly serverVersion: number;
  /** What the run may need on the target's disk at its peak, beside what is there: an estimate from the source's sizes. */
  readonly peakBytes: number;
}

/** A role of the target and its password, which is secret. */
export interface Login {
  readonly role: string;
  readonly password: string;
}

export interface StagingRun {
  readonly id: string;
  /** Of the run's own login, for all who work on it; absent: one that nobody else knows. */
  readonly password?: string | undefined;
  /** The highest number of a version that was dropped: no other version gets it. */
  readonly retired?: number;
  /** What it is going to be loaded in, where that is known when it begins. */
  readonly ranges?: readonly Range[];
}

export interface AdoptedStaging {
  readonly staging: Staging;
  readonly ranges: Ranges;
  /** Of the snapshot that its rows are from. */
  readonly moment: string;
}

export interface SharedStaging {
  readonly ranges: Ranges;
  readonly moment: string;
  readonly nonce: Uint8Array;
  close(): Promise<void>;
}

/** The ranges of a run, and who loads which. */
export interface Ranges {
  /** In the order in which they are taken. */
  readonly all: readonly Range[];
  /** Whether others may load some of them. */
  readonly shared: boolean;
  /**
   * Gives `load` a range that nobody has, by its index in `all`, and the way into its table; the rows and the receipt that it returns are kept in
   * one step. `busy`: all that are left are under way elsewhere. `done`: none is left.
   */
  loadNext(load: (at: number, into: LoadInto) => Promise<Receipt>): Promise<'loaded' | 'busy' | 'done'>;
  /**
   * The same of this range; what `load` notes beside the receipt is kept in the same step. `busy`: somebody else has it. Absent: ranges that
   * nobody chooses.
   */
  loadOne?(
    at: number,
    load: (into: LoadInto) => Promise<{ readonly receipt: Receipt; readonly note: string }>,
  ): Promise<'loaded' | 'busy' | 'done'>;
  /** Of these ranges, those that are loaded, by whomever. */
  findLoaded(among: readonly number[]): Promise<readonly { readonly at: number; readonly receipt: Receipt; readonly note?: string }[]>;
}

/** As `Staging.load`. */
export type LoadInto = Staging['load'];

export interface Staging {
  /** Name of the staging database, for the Reader and for people. */
  readonly database: string;
  /** Where a version is some schemas of a database: their names, and those under which they stand until it is published. */
  readonly schemas?: ReadonlyMap<string, string>;
  /** With which the Reader looks at staging, so that what the schema's code does there it does with the rights of the run alone. */
  readonly login?: Login;
  /** The run's public nonce: key of the digests. */
  readonly nonce: Uint8Array;
  /**
   * Loads one stream of one table; several streams of one table MAY run at once. Returns the rows that the target itself counted. `alone`: no
   * other stream of the run goes where this one goes, so that the table MAY be emptied first and its rows come to stand in the stream's order.
   */
  load(table: DeliveryTable, batches: AsyncIterable<Masked>, alone: boolean): Promise<{ readonly rows: number }>;
  /** Keeps a record of the ranges beside the rows, so that another attempt can go on with them. Before any is loaded. Absent: it keeps none. */
  record?(of: { readonly moment: string; readonly planDigest: string }, ranges: readonly Range[]): Promise<Ranges>;
  /** Ends what is under way here and lets go of the run, but leaves it for who goes on with it. */
  leave?(): Promise<void>;
  /**
   * All rows that go into this table are in, so that what needs no others MAY be built from now on, while others are still loaded. What comes of
   * it is heard at `finish`.
   */
  loaded(table: TableName): void;
  /** Keys, constraints, indexes, sequences, views, triggers, policies, comments: everything after the data. */
  finish(onProgress?: (done: number, of: number) => void): Promise<readonly Finding[]>;
  /** Puts the sequences where those of the source stand, or past the largest pseudonym of the column that they feed. After finish. */
  setSequences(values: readonly SequenceValue[]): Promise<void>;
  /** The pipeline's own SQL files, in order, as the environment's owner: after finish, before verify. */
  runAfter(files: readonly { readonly path: string; readonly sql: string }[]): Promise<void>;
  /** Tables that the plan does not name, counted: `after` files made them. */
  beside(): Promise<readonly ManifestTable[]>;
  /**
   * Hands everything over to the environment, and says what stands there then beside rows, under the names that it is published with. Before mark.
   * Absent: a target that cannot say, and whose versions are published without a record of it.
   */
  definitions?(): Promise<readonly DefinitionDigest[]>;
  /** System identifiers of servers that it is published on, where that is not the target's own: the log names them before a marker does. */
  servers?(): readonly string[];
  /**
   * Writes the signed marker, for everybody to read and nobody to change. After verify, before publish. `at`: the same, made out to one of `servers`.
   */
  mark(row: MarkerRow, at?: (systemIdentifier: string) => Promise<MarkerRow>): Promise<void>;
  /**
   * Staging becomes current and current becomes previous, in one step. MUST leave the target as it was when it rejects.
   * Findings (warnings) tell what could not be tidied up afterwards.
   */
  publish(version: DatasetVersion): Promise<readonly Finding[]>;
  /** What the log says of where a version went that others take from there; asked before it is published. Absent: nobody does. */
  sent?(): Readonly<Record<string, Json>>;
  /** Names, counts and codes of those who take it, told as they come. */
  listen?(hear: (line: string) => void): void;
  /** Leaves nothing behind. MUST be safe to call twice and after a failure. */
  drop(): Promise<void>;
}

/** Copies of the published version, each for one purpose, with a login that reaches it and nothing else. */
export interface Clones {
  /** Those that somebody may work in, by id; whatever their time. */
  list(): Promise<readonly Clone[]>;
  /**
   * MUST leave nothing behind when it rejects. One with the order's id that is there gets a new password and a new time. Throws CLONES_FULL,
   * CLONE_BUSY, CLONE_NO_TEMPLATE, CLONE_MARKER, TARGET_NO_ROOM.
   */
  make(order: CloneOrder): Promise<{ readonly clone: Clone; readonly login: Login }>;
  /** Database and role; false: there is none. Throws CLONE_BUSY while somebody is at work on it. */
  drop(id: string): Promise<boolean>;
  /** Drops what is half made or half dropped, of whatever target here. Returns what it dropped. */
  sweep(): Promise<readonly string[]>;
}

export interface Clone {
  /** Of the form of a run's. */
  readonly id: string;
  readonly target: string;
  /** What it was asked for, for example `pr-123`: one clone of a target at a time. */
  readonly for: string;
  /** Name of the database, and of the only role that may come in. */
  readonly database: string;
  /** Of what it is a copy. */
  readonly version: number;
  readonly runId: string;
  readonly planDigest: string;
  readonly bytes: number;
  readonly madeAt: string;
  /** When that version expires: no clone of it is for later. */
  readonly lastsUntil: string;
  /** From then on its login is refused, and it is due to be dropped. */
  readonly expiresAt: string;
}

export interface CloneOrder extends Pick<Clone, 'id' | 'for' | 'expiresAt' | 'lastsUntil'> {
  /** No more than so many of a target. */
  readonly max: number;
  /** What all databases of the target may have together. */
  readonly megabytes?: number | undefined;
}

export interface Receipt {
  readonly schema: string;
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  /**
   * Sum modulo 2^128 of SipHash-2-4-128 of each line (without `\n`) under the run's nonce, as 32 hex digits, highest first.
   * The 16 bytes of each output are read as a little-endian number.
   */
  readonly digest: string;
}

export interface DatasetVersion {
  readonly target: string;
  readonly version: number;
  readonly state: 'staging' | 'current' | 'previous';
  readonly runId: string;
  readonly database: string;
  /** Of its marker, where a version is some schemas of a database. */
  readonly schema?: string;
  readonly planDigest: string;
  readonly publishedAt: string | null;
  /** Nobody of the environment may use it. */
  readonly closed?: 'expiring' | 'quarantined';
  /** It lost its place by a roll-back: the next one does not return to it. */
  readonly rolledBack?: true;
  /** The version after it stands in its very place: nobody returns to it, and it ends as soon as it may. */
  readonly replaced?: true;
}

/** Asked for the version that is about to become current again, before anything changes: throws where it may not. */
export type Permit = (version: DatasetVersion) => Promise<void>;

export type { DropKept, DropOptions, DropSeen, DropStep } from './drop-step.js';

// ── Verify

/** What verify looks through. MUST share no file with an implementation of Target. */
export interface Reader {
  /**
   * The lines of `COPY … TO STDOUT` of one table or materialized view (without partitions and children), as chunks that may cut lines anywhere,
   * in the heap's order unless another is asked for. `source` is read under the run's snapshot. At most one field may be a multi-valued path
   * (one with `[]`, or inside `xml`): it gives a line per element, beside the other fields of its row.
   */
  lines(side: 'source' | 'staging', table: TableName, fields: readonly Field[], options?: LineOptions): AsyncIterable<Uint8Array>;
  /** Everything in staging that holds rows of its own: tables and materialized views, generated columns included. */
  relations(): Promise<readonly Relation[]>;
  /** Broken references, constraints that are not valid, sequences behind their columns. */
  integrity(): Promise<readonly Finding[]>;
  /**
   * What checks count in staging, in their order. MUST be asked on a session that only reads, each statement bound to a time-out, as the login of
   * the run. `asOfMs`: the moment that freshness is held against.
   */
  count(checks: readonly CheckPlan[], asOfMs: number): Promise<readonly Counted[]>;
  /** What is asked of staging about persons, in the order of the questions, under the same limits as checks. */
  measure(questions: readonly PrivacyQuestion[]): Promise<readonly PrivacyAnswer[]>;
  /** How often the most frequent values of a column stand on a side; `source` under the run's snapshot. No value leaves the server. */
  frequencies(side: 'source' | 'staging', table: TableName, column: string, options: FrequencyOptions): Promise<Frequencies>;
  close(): Promise<void>;
}

export interface FrequencyOptions {
  /** So many values. */
  readonly most: number;
  readonly sample?: Sampling;
}

/** A column, or the text at a path inside it. */
export interface Field {
  readonly column: string;
  readonly type: DataType;
  readonly path?: string;
}

export interface LineOptions {
  /** A condition of the plan's author, over the table alone. */
  readonly where?: string;
  /** Columns to sort by; text byte by byte. */
  readonly order?: readonly string[];
  /** No more than so many rows: of pages that the seed picks, in any order; without a seed the first ones, in the heap's order. */
  readonly sample?: { readonly rows: number; readonly seed?: number };
  /** About so many rows, of pages that the seed picks, in the heap's order. */
  readonly part?: Sampling;
}

/** A table or materialized view of staging; the columns with their types as far as a reader needs them. */
export interface Relation extends TableName {
  readonly columns: readonly { readonly name: string; readonly base: string; readonly array: boolean; readonly generated: boolean }[];
}

// ── Audit

export interface AuditSink {
  /** Resolves when the event is durable and covered by a signed checkpoint. Events appended together MAY share one. */
  append(event: Event): Promise<Appended>;
  /** The text as a note signed with the log's key. MUST refuse what could be taken for a checkpoint. */
  sign(text: string): Promise<string>;
  /** Stores a text where it can be erased, and gives the commitment that stands for it in the log. */
  keep(text: string): Promise<string>;
  /** The events of these types that the log still has, oldest first; of one run, or of all. */
  read(types: readonly string[], runId?: string): Promise<readonly Event[]>;
  /** Those of `read(types)` that later runs go by: the newest of each content, and intents without an outcome. SHOULD read no others. */
  standing(types: readonly string[]): Promise<readonly Event[]>;
  close(): Promise<void>;
}

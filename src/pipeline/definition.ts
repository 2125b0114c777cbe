// What people write, as plain values: the documents after parsing and before they meet a catalogue. Text and line numbers live in src/documents.
import type { Json } from '../kernel/canonical-json.js';
import type { CheckDefinition } from './check.js';
import type { GateCallers } from './gate-callers.js';
import type { Playbook } from './playbook.js';
import type { Watch, WatchRule } from './watch.js';
import type { PrivacyDefinition, PrivacyLimits } from './privacy.js';

/** Where a member of a document stands: by JSON pointer (`/tables/public.customer/columns/email`), for findings. */
export interface Origin {
  readonly file: string;
  line(pointer: string): number;
}

export interface Described<Body> {
  readonly body: Body;
  readonly origin: Origin;
}

/** An exception to the strict way: a sentence that is stored and reported. */
export interface Reasoned {
  readonly reason: string;
  /** Last day of validity, `YYYY-MM-DD`. */
  readonly expires?: string;
}

export type Region = string;

export interface PipelineDefinition {
  readonly kind: 'Pipeline';
  readonly name: string;
  readonly source: { readonly connection: string; readonly region?: Region; readonly writable?: Reasoned };
  readonly target: TargetDefinition;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly tables?: Readonly<Record<string, { readonly rows: Rows }>>;
  readonly classification: string;
  /** Name of a Rulebook document; `default` is the one that Bauta ships. */
  readonly rulebook: string;
  readonly overrides?: readonly OverrideDefinition[];
  /** Kept schema texts that a detector hit, by object: `function public.total`. */
  readonly schemaTexts?: readonly (Reasoned & { readonly object: string; readonly action: 'keep' | 'drop' })[];
  readonly after?: readonly string[];
  /** What the copy has to be beside masked. */
  readonly checks?: readonly CheckDefinition[];
  readonly purpose: string;
  readonly owner: string;
  readonly legalBasis: string;
  readonly subjectCategories: readonly string[];
  readonly retentionDays: number;
  /** `required`: each run waits, planned, until somebody approves of the plan. */
  readonly approval?: 'required';
}

/** Where data of a dropped version may still be. */
export const reaches = ['backups', 'walArchives', 'replicas', 'diskSnapshots', 'files', 'topics'] as const;
export type Reach = (typeof reaches)[number];

/** Where a copy goes and what may be in it. */
export interface TargetDefinition {
  /** A reference, or the name of a Connection document. */
  readonly connection: string;
  readonly environment: string;
  readonly class: 'ci' | 'dev' | 'test' | 'staging' | 'vendor' | 'production';
  readonly region?: Region;
  readonly safeguard?: string;
  /** Highest tags that may go there, as prefixes (`tagClasses`). */
  readonly allows: readonly string[];
  readonly sameServer?: Reasoned;
  readonly adopt?: Reasoned;
  /** Versions are schemas of one database and not databases, for one reason; `builder` is the login that makes what becomes one. */
  readonly swapSchemas?: Pick<Reasoned, 'reason'> & { readonly builder: string };
  readonly keepVersions?: number;
  /** Copies of the published version may be made, each with a login of its own. */
  readonly clones?: ClonesDefinition;
  /** What a service does when rows are not those that were published; default: people are told. */
  readonly onDrift?: 'alert' | 'quarantine' | 'provision';
  /** An expired version is dropped so many hours later, for one reason; without it at once. */
  readonly keepExpired?: Pick<Reasoned, 'reason'> & { readonly hours: number };
  /** How long data of a dropped version stays where nobody of ours can drop it, and who says so. */
  readonly declared?: Readonly<Partial<Record<Reach, Pick<Reasoned, 'reason'> & { readonly days: number }>>>;
  readonly roles?: RolesDefinition;
  /** How far persons may be singled out, linked and guessed in a copy; what is left out is as the class has it. */
  readonly privacy?: PrivacyDefinition;
  /** Domains of tokens that may be exchanged back, by name: only these may stand there. */
  readonly tokens?: Readonly<Record<string, TokenDomainDefinition>>;
  /** Each version is written as an archive too, sealed to the environment's key and to these public keys. */
  readonly file?: { readonly recipients?: readonly string[] };
  readonly keys?: KeysDefinition;
  /** `connection` is a broker: agents beside the environment's databases load what goes there. */
  readonly kafka?: KafkaDefinition;
}

/** How a dataset goes through a broker. Without members: bulk, encrypted, one agent has to publish. */
export interface KafkaDefinition {
  readonly encoding?: 'bulk' | 'rows';
  /** With that encoding, and only then. */
  readonly rows?: RowsDefinition;
  /** What the dataset is called, and with it the agents' database. Default: the environment's name. */
  readonly database?: string;
  /** In a class above `dev` topics are made only where this says so. */
  readonly topics?: 'create';
  readonly partitions?: number;
  readonly replication?: number;
  /** So many have to have published before the run has. */
  readonly agents?: number;
  /** How long they are waited for, each time. */
  readonly waitMinutes?: number;
  /** Values are not encrypted beyond TLS, for one reason. */
  readonly clear?: Pick<Reasoned, 'reason'>;
  /** What all topics begin with; default `bauta`. */
  readonly prefix?: string;
  /** Where it is proved what stands at the broker: masked rows are there for the time of a run. Default: a server of the run's own. */
  readonly proving?: string;
}

/** One record per row, for consumers that are not ours: how it looks, and who may read it. */
export interface RowsDefinition {
  readonly format: 'connect-json' | 'json' | 'avro';
  /** `decimal`: unscaled bytes, where the column's type says its scale. Default: text. */
  readonly numeric?: 'text' | 'decimal';
  /** Default: list. */
  readonly arrays?: 'list' | 'text';
  /** `text` carries NaN and infinities. Default: number. */
  readonly floats?: 'number' | 'text';
  /** Of Avro's schemas. `login`: reference to NAME:PASSWORD, granted for the registry's host and port. */
  readonly registry?: { readonly url: string; readonly login?: string };
  /** Principals, as `User:NAME`, who may read from publication on. */
  readonly readers?: readonly string[];
  /** What is estimated to be larger goes to topics of its version. Default 1024. */
  readonly transactionMegabytes?: number;
  /** From the first record to publication. Default 15, which is the most that brokers take by themselves. */
  readonly transactionMinutes?: number;
}

/** A domain of tokens: of which form they are, and which sources feed it. Parameters of the transform `token` that are left out have its defaults. */
export interface TokenDomainDefinition extends Reasoned {
  readonly form: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly separators?: string;
  readonly testPrefix?: string;
  /** Words for what it may be exchanged outside of a run; without them it is exchanged for nothing. */
  readonly purposes?: readonly string[];
  /** Tokens are drawn and kept with their values, encrypted, at the service: its requests and its runs exchange them, a command line cannot. */
  readonly vaulted?: boolean;
  /** `SYSTEM IDENTIFIER/DATABASE`: what a source is, whatever documents call it. */
  readonly sources: readonly string[];
}

/** By default an environment has keys of its own, and uses the newest. */
export interface KeysDefinition {
  /**
   * Labels and keys are those of that environment: both then share every pseudonym. `tokens`: those of what can be exchanged back too; who may exchange
   * in one then can with what the other holds.
   */
  readonly join?: Pick<Reasoned, 'reason'> & { readonly environment: string; readonly tokens?: boolean };
  /** This version, up to and including the day `until` (`YYYY-MM-DD`), although there may be a newer one. */
  readonly previous?: { readonly version: number; readonly until: string };
}

/** The environment whose labels and keys its tokens are under: its own, unless a document joins tokens too. */
export function toTokenEnvironment(environment: string, { join }: KeysDefinition = {}): string {
  return join?.tokens === true ? join.environment : environment;
}

/** A pipeline as it is written: its target may be the name of an Environment document. Bound pipelines have the target itself. */
export interface PipelineDocument extends Omit<PipelineDefinition, 'target'> {
  readonly target: TargetDefinition | string;
}

export interface ClonesDefinition {
  /** At a time. */
  readonly max: number;
  /** The longest that one may be asked for. */
  readonly hours: number;
  /** What the versions, templates and clones of the target may have together on its disk. Absent: as far as can be seen from here. */
  readonly megabytes?: number;
}

/** Roles of the environment, on the target's server. Without names: the database's name and `_owner`, `_rw`, `_ro`. */
export interface RolesDefinition {
  readonly owner?: string;
  readonly readWrite?: string;
  readonly readOnly?: string;
  /** Role of the source → role of the target that gets what it was granted. With it nobody gets anything else. */
  readonly map?: Readonly<Record<string, string>>;
}

/** How one tag is disguised. */
export interface RuleDefinition {
  readonly transform: string;
  readonly params?: Readonly<Record<string, Json>>;
  readonly scope?: Scope;
  readonly domain?: string;
  /** Asked for where the rule is laxer than it has to be, for example a fake that leaves the reserved space. */
  readonly reason?: string;
  readonly expires?: string;
}

/**
 * Other than the rulebook says, for columns given by `schema.table.column` (patterns allowed), for one reason. What is left out stays as the
 * rulebook has it, so that a reason alone accepts a finding that asks for one.
 */
export interface OverrideDefinition extends Partial<Omit<RuleDefinition, 'reason' | 'expires'>>, Reasoned {
  readonly columns: readonly string[];
  /** Only this path of a json-like column; without it all of the column. */
  readonly path?: string;
}

export interface RulebookDefinition {
  readonly kind: 'Rulebook';
  readonly name: string;
  /** Tag → rules in order of preference: the first whose transform fits the column's type is taken. */
  readonly rules: Readonly<Record<string, readonly RuleDefinition[]>>;
}

export type Scope = 'value' | 'subject' | 'row';

/** A tag, or what is known of the paths inside a json, jsonb, hstore, xml, composite or array column. */
export type ColumnClassification = string | PathClassification;

export interface PathClassification {
  /** Path (`contact.email`, `items[].name`; `[]` is any element) → tag or `none`. */
  readonly paths: Readonly<Record<string, string>>;
  readonly rest?: 'drop' | (Reasoned & { readonly action: 'keep' });
}

export type Rows = 'all' | 'none' | { readonly where: string };

export interface TableClassification {
  /** Each row of this table is a person. */
  readonly person?: boolean;
  /**
   * Foreign-key columns, by name, that lead from a row to its person: one step (`customer_id`) or several (`order_id.customer_id`). A step is
   * the foreign key that holds exactly this column, or, written `shop_id+customer_id`, these. The last step may be columns without a foreign key
   * that hold a person's key all the same.
   */
  readonly subject?: string;
  readonly columns?: Readonly<Record<string, ColumnClassification>>;
  readonly keep?: readonly (Reasoned & { readonly columns: readonly string[] })[];
}

export interface ClassificationDefinition {
  readonly kind: 'Classification';
  readonly name: string;
  readonly tables: Readonly<Record<string, TableClassification>>;
  /** Patterns over `schema.table.column` with `*`, for whole families: `*.created_at: none`. Confirmed columns only. */
  readonly patterns?: Readonly<Record<string, string>>;
}

/** `classification.lock`: the columns that a person confirmed, by `toSqlName(schema, table, column)`, with who and when. */
export interface ClassificationLock {
  readonly version: 1;
  readonly columns: Readonly<Record<string, { readonly tag: string; readonly by: string; readonly at: string }>>;
}

/** What a run is asked for with, beside its pipeline. */
export interface RunParameters {
  /** 0 to 9, the greater first. */
  readonly priority?: number;
  /** So long after it was due, or after what asked for it, a run is late. */
  readonly deadlineMinutes?: number;
}

/** When runs of a pipeline are due by themselves. */
export interface ScheduleDefinition {
  readonly kind: 'Schedule';
  readonly name: string;
  readonly pipeline: string;
  readonly cron: string;
  readonly timeZone: string;
  /** First day on which a run may be due, `YYYY-MM-DD` in the zone. */
  readonly startDate?: string;
  /** `schema-changed`: the source is looked at then, and a run is asked for when its catalogue is not what it was at the last look. */
  readonly when: 'always' | 'schema-changed';
  /** What was due while nobody could ask for it: a run each, or none. */
  readonly catchUp: boolean;
  /** May a run begin while another one of the pipeline has not ended? */
  readonly overlap: boolean;
  readonly parameters?: RunParameters;
}

/** What asks for a run of a pipeline when something happens. */
export interface TriggerDefinition {
  readonly kind: 'Trigger';
  readonly name: string;
  readonly pipeline: string;
  /** `dataset`: the pipeline whose new dataset versions are meant. */
  readonly on: { readonly webhook: WebhookDefinition } | { readonly dataset: string };
  /** A delivery is an alert about what the pipeline published: it opens an incident by this playbook, and asks for no run. */
  readonly playbook?: string;
  readonly parameters?: RunParameters;
}

/** `github`: HMAC of the body. `gitlab`: a token in a header. `hmac`: id, time and body signed (Standard Webhooks). */
export interface WebhookDefinition {
  readonly form: 'github' | 'gitlab' | 'hmac';
  /** A reference. */
  readonly secret: string;
  /** Absent: `push` of GitHub, `Push Hook` of GitLab; of `hmac` everything. */
  readonly events?: readonly string[];
  readonly branches?: readonly string[];
  /** What clones of the pipeline's environment are called before the number of a pull or merge request: with its end such a clone is dropped. */
  readonly clones?: string;
}

/** How a Postgres server or a broker is spoken to where that is not all in one secret. */
export interface ConnectionDefinition {
  readonly kind: 'Connection';
  readonly name: string;
  /** Default: postgres. */
  readonly system?: 'postgres' | 'kafka';
  /** Reference to a secret that is a whole connection string: host, port and database are in it. */
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  /** Reference to a secret that was granted for this host, port and database. */
  readonly password?: string;
  /** In place of both: reference to JSON with `username` and `password`, granted likewise; what is lent is kept alive for the run. */
  readonly credentials?: string;
  /** Of a broker, each HOST:PORT, in place of host, port and database; its secrets are granted for every one of them. */
  readonly hosts?: readonly string[];
  /** Of a broker: how `user` and `password`, or `token`, are shown. */
  readonly mechanism?: 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer';
  /** Reference to a secret, read anew at every login. */
  readonly token?: string;
  /** Of a broker: ours, PEM, with a reference to its key. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly region?: Region;
  readonly tls?: TlsDefinition;
}

/** Without `mode`: the certificate is checked, and so is its name; on loopback there is no TLS. */
export interface TlsDefinition {
  readonly mode?: 'verify-ca' | 'require' | 'disable';
  readonly reason?: string;
  /** Certificates of the authority, PEM, instead of those that Node trusts. */
  readonly ca?: string;
}

/** A target that several pipelines share. Its name is the environment's. */
export interface EnvironmentDefinition extends Omit<TargetDefinition, 'environment'> {
  readonly kind: 'Environment';
  readonly name: string;
  readonly owner: string;
  readonly purpose: string;
  /** No copy in it says that it is kept for longer. */
  readonly retentionDays?: number;
}

/** Who is told of what. */
export interface ChannelDefinition {
  readonly kind: 'Channel';
  readonly name: string;
  readonly events: readonly string[];
  /** Without it: of every pipeline. */
  readonly pipelines?: readonly string[];
  /** Which of the members below is there. */
  readonly via: 'slackWebhook' | 'slack' | 'teams' | 'webhook' | 'email';
  readonly slackWebhook?: { readonly url: string };
  readonly slack?: { readonly channel: string; readonly token: string };
  readonly teams?: { readonly url: string };
  readonly webhook?: { readonly url: string; readonly secret: string };
  readonly email?: { readonly to: readonly string[] };
}

/** Who answers for the data. Recorded, for the reports; nothing is decided by it. */
export interface OrganisationDefinition {
  readonly kind: 'Organisation';
  readonly name: string;
  readonly legalName: string;
  readonly acts: 'controller' | 'processor';
  readonly contact: string;
  readonly representative?: string;
  readonly dataProtectionOfficer?: string;
  /** With whom it decides on purposes and means, Art. 26 GDPR. */
  readonly jointControllers?: readonly { readonly name: string; readonly contact: string }[];
  /** For whom a processor works. */
  readonly customers?: readonly { readonly name: string; readonly contact: string }[];
}

/** Whose identity tokens say who asks. Its trusts give no right: each says for whom a token stands, and which of that one's roles it has at most. */
export interface IssuerDefinition {
  readonly kind: 'Issuer';
  readonly name: string;
  /** `github`, `gitlab`: tokens of jobs, each taken once. `oidc`: of people and their programs. */
  readonly form: 'github' | 'gitlab' | 'oidc';
  readonly issuer: string;
  readonly audience: string;
  readonly trusts: readonly TrustDefinition[];
}

export interface TrustDefinition {
  /** What a token has to say, each of it exactly. */
  readonly claims: Readonly<Record<string, string | number | boolean>>;
  readonly person: string;
  /** At most: what the person does not have, the token has not either. */
  readonly roles: readonly string[];
}

/** Which deployments it decides about, what it asks for, and how much of that is enough. Patterns are names, or beginnings of names and a star. */
export interface GateDefinition {
  readonly kind: 'Gate';
  readonly name: string;
  readonly environments: readonly string[];
  readonly services: readonly string[];
  /** 0 to 100, with two decimals at most. */
  readonly threshold: number;
  /** Until the end of that day (UTC) a no is told and not enforced. */
  readonly advise?: { readonly until: string; readonly reason: string; readonly owner: string };
  /** Of the data that tests ran on. `reason`: why none is asked for. */
  readonly dataset: {
    readonly required: boolean;
    readonly reason?: string;
    readonly points: number;
    readonly checkPoints: number;
    /** What may have been measured of its privacy at most. */
    readonly privacy?: PrivacyLimits;
    /** Of the statement of `bauta attest`. */
    readonly maxAgeMs: number;
  };
  readonly evidence: readonly EvidenceRequirement[];
  /** How long an answer may be gone by; less where something that it rests on ends before. */
  readonly validForMs: number;
  readonly parameters: {
    /** Percent of its points that evidence loses for each. */
    readonly penalties: Readonly<Record<EvidenceSeverity | 'failed', number>>;
    readonly fixableCriticals: number;
    readonly driftMaxAgeMs: number;
    /** Of the vulnerabilities that a tool knew, when it made its report. */
    readonly databaseMaxAgeMs: number;
    readonly logLagSeconds: number;
    /** Codes for which the version that the tests ran on is revoked, when a decision is flipped. */
    readonly revokeOn: readonly string[];
  };
  /** Who may ask it in a language of his own. */
  readonly callers?: GateCallers;
  /** Whose signatures of attestations it believes: public keys in PEM. */
  readonly attestors?: readonly { readonly name: string; readonly key: string }[];
}

/** What a report may be about, and how bad its findings may be. */
export const evidenceSubjects = ['commit', 'image', 'environment'] as const;
export type EvidenceSeverity = 'critical' | 'high' | 'medium' | 'low' | 'unknown';

export interface EvidenceRequirement {
  readonly name: string;
  readonly type: string;
  /** The name of the tool, or its beginning and a star; null: whichever. */
  readonly tool: string | null;
  readonly subject: (typeof evidenceSubjects)[number];
  readonly points: number;
  readonly maxAgeMs: number;
  /** Any of them; empty: whoever may send it. */
  readonly producers: readonly Readonly<Record<string, string>>[];
}

/** How strictly the log is watched for one thing; its name is the rule. What it leaves out is as without it. */
export interface WatchDefinition extends Partial<Pick<Watch, 'sigmas' | 'atLeast' | 'hours' | 'graceMinutes' | 'playbook'>> {
  readonly kind: 'Watch';
  readonly name: WatchRule;
  /** It is not watched for. */
  readonly off?: { readonly reason: string };
}

/** What is done about an incident, step by step. */
export interface PlaybookDefinition extends Playbook {
  readonly kind: 'Playbook';
}

export type Definition =
  | PipelineDocument
  | ClassificationDefinition
  | RulebookDefinition
  | ScheduleDefinition
  | TriggerDefinition
  | ConnectionDefinition
  | EnvironmentDefinition
  | ChannelDefinition
  | OrganisationDefinition
  | IssuerDefinition
  | GateDefinition
  | WatchDefinition
  | PlaybookDefinition;

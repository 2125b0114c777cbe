// Every setting of the process, once: name, type, default, one line of documentation. Parsed once, all problems together, then frozen.
import { type Finding, sortFindings, toError, toFinding } from '../kernel/errors.js';
import { findNearestName } from '../kernel/nearest.js';

interface Declaration<T> {
  readonly parse: (text: string) => T | undefined;
  /** What is accepted, for messages and docs. */
  readonly expected: string;
  readonly default: T;
  readonly doc: string;
}

const integer = (min: number, max: number, fallback: number, doc: string): Declaration<number> => ({
  parse: (text) => (/^\d{1,15}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
  expected: `a whole number from ${min} to ${max}`,
  default: fallback,
  doc,
});

/** A number that depends on the machine, unless it is set. */
const automatic = (min: number, max: number, doc: string): Declaration<number | 'auto'> => {
  const { parse, expected } = integer(min, max, min, doc);
  return { parse: (text) => (text === 'auto' ? text : parse(text)), expected: `${expected}, or auto`, default: 'auto', doc };
};

const text = (fallback: string, doc: string): Declaration<string> => ({
  parse: (value) => value || undefined,
  expected: 'a text',
  default: fallback,
  doc,
});

const optionalText = (doc: string): Declaration<string> => ({ parse: (value) => value || undefined, expected: 'a text', default: '', doc });

const oneOf = <Word extends string>(words: readonly Word[], fallback: Word, doc: string): Declaration<Word> => ({
  parse: (value) => words.find((word) => word === value),
  expected: `one of ${words.join(', ')}`,
  default: fallback,
  doc,
});

/** Where something of ours is sent, without a secret in it: over TLS, or on this machine. Empty by default. */
const address = (doc: string): Declaration<string> => ({
  parse: (value) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    const isHere = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
    return url && (url.protocol === 'https:' || isHere) && url.username === '' && url.password === '' ? value : undefined;
  },
  expected: 'an https:// address, or http:// on this machine, without a password',
  default: '',
  doc,
});

/** Where a secret is: the secret itself is never a setting. Empty by default. */
const reference = (doc: string): Declaration<string> => ({
  parse: (value) => (/^(env:[A-Za-z_][A-Za-z0-9_]*|file:[^\0\n\r]+)$/.test(value) && !value.includes('://') ? value : undefined),
  expected: 'env:NAME or file:PATH',
  default: '',
  doc,
});

/** Checked once more, and in full, by the client that uses it. */
const hosts = (doc: string): Declaration<string> => ({
  parse: (value) => (/^[A-Za-z0-9_.:*=/+[\],\s-]*$/.test(value) ? value : undefined),
  expected: 'hosts such as hooks.slack.com or idp.internal:8443=10.2.0.0/16',
  default: '',
  doc,
});

/** Words of a closed list, separated by commas; kept in the list's order. */
const someOf = (words: readonly string[], doc: string): Declaration<string> => ({
  parse: (value) => {
    const named = new Set(value.split(',').map((word) => word.trim()));
    return [...named].every((word) => words.includes(word)) ? words.filter((word) => named.has(word)).join(',') : undefined;
  },
  expected: `words of ${words.join(', ')}, separated by commas`,
  default: words.join(','),
  doc,
});

export const declarations = {
  BAUTA_HOME: text('.bauta', 'Folder of keys, log and runs; made 0700 when missing. `--home` overrides it.'),
  BAUTA_THREADS: automatic(
    0,
    64,
    'Threads that mask. 0: the calling thread does it; auto: one for each core but the first, which reads and writes, from 1 to 4.',
  ),
  BAUTA_CONNECT_TIMEOUT_MS: integer(100, 600_000, 10_000, 'How long a server may take to accept a session, in milliseconds.'),
  BAUTA_BROKER_WAIT_MS: integer(
    1000,
    3_600_000,
    30_000,
    'How long a broker that goes away while it is used is waited for, in milliseconds, before what needs it fails. An agent tries again after that.',
  ),
  BAUTA_EXTRACT_CONNECTIONS: automatic(1, 32, 'Sessions that read the source at once. auto: one for each core, from 2 to 4.'),
  BAUTA_LOAD_CONNECTIONS: automatic(
    1,
    32,
    'Sessions that write the target at once; also for keys and indexes. auto: one for each core, from 2 to 4.',
  ),
  BAUTA_BATCH_BYTES: integer(4096, 16_777_216, 262_144, 'Size of a batch of COPY text, in bytes.'),
  BAUTA_RANGE_BYTES: integer(
    1_048_576,
    1_099_511_627_776,
    67_108_864,
    'Size of the ctid ranges that a big table is cut into, in bytes of heap.',
  ),
  BAUTA_WHOLE_TABLE_BYTES: integer(
    1_048_576,
    1_099_511_627_776,
    1_073_741_824,
    'A table that takes more on disk is cut into ranges whatever the others take; a smaller one may be read and loaded in one piece, which is faster.',
  ),
  BAUTA_SNAPSHOT_MAX_AGE_MS: integer(1000, 604_800_000, 14_400_000, 'Source budget: how old the snapshot may get, in milliseconds.'),
  BAUTA_SOURCE_BLOCKED_MS: integer(
    100,
    3_600_000,
    5000,
    'Source budget: how long another session may wait for one of our locks, in milliseconds.',
  ),
  BAUTA_SOURCE_ROWS_PER_SECOND: integer(0, 1_000_000_000, 0, 'Source budget: rows read per second at most. 0: no limit.'),
  BAUTA_SOURCE_LAG_BYTES: integer(0, 1_099_511_627_776, 0, 'Source budget: replication lag of the source in bytes at most. 0: no limit.'),
  BAUTA_LOCK_TIMEOUT_MS: integer(100, 3_600_000, 10_000, 'How long we wait for a lock, on source and target, in milliseconds.'),
  BAUTA_STATEMENT_TIMEOUT_MS: integer(0, 86_400_000, 0, 'How long one statement may take on the source, in milliseconds. 0: no limit.'),
  BAUTA_CHECK_TIMEOUT_MS: integer(
    100,
    86_400_000,
    300_000,
    "How long one statement of a pipeline's checks may take, in milliseconds; a check that takes longer was not made.",
  ),
  BAUTA_VERIFY_SLOTS: integer(
    10,
    28,
    24,
    'Memory of the verifier: 2^n fingerprints of 4 bytes (24: 64 MiB). More originals than fit are more passes.',
  ),
  BAUTA_PRIVACY_ROWS: integer(
    1_000,
    1_000_000_000,
    200_000,
    'Rows of a table on which privacy is measured, where it has more: a part of its pages, by which risks are overstated and never understated.',
  ),
  BAUTA_ARCHIVES: optionalText(
    'Folder of archives (`target.file`), which the service has in common with its workers. Default: `archives` in BAUTA_HOME.',
  ),
  BAUTA_LOG_PERIOD: oneOf(
    ['year', 'month', 'never'],
    'year',
    'When a log ends and the next of the chain begins, so that an old one can be deleted as a whole.',
  ),
  BAUTA_LOG_WITNESSES: text(
    '',
    'File with a trust policy (c2sp.org/tlog-policy) whose witnesses with a URL are asked to cosign the log: by the process with BAUTA_METADATA_SEQUENCER, and by `bauta audit cosign`. Page 1 of reports that a process with it makes counts them.',
  ),
  BAUTA_LOG_COSIGN_SECONDS: integer(
    1,
    86_400,
    60,
    'How often the witnesses of BAUTA_LOG_WITNESSES are asked, in seconds, while the log has grown since.',
  ),
  BAUTA_LOG_ANCHORS: optionalText(
    'Places that checkpoints of the log are put at, with spaces between: file:///FOLDER of another machine, git+https://HOST/REPOSITORY.git#BRANCH:FOLDER (or git+file://), s3://BUCKET/PREFIX of a bucket with object lock: by the process with BAUTA_METADATA_SEQUENCER, and by `bauta audit anchor`. BAUTA_HTTP_HOSTS lists the host of a repository.',
  ),
  BAUTA_LOG_ANCHOR_SECONDS: integer(10, 86_400, 3600, 'How often that is done, in seconds, while the log has grown since.'),
  BAUTA_LOG_ANCHOR_TOKEN: reference('Where the login of that repository is: a token that may push to the branch, or USER:PASSWORD.'),
  BAUTA_LOG_ANCHOR_LOCK_DAYS: integer(
    1,
    36_500,
    2190,
    'How long a checkpoint in a bucket is locked (compliance mode: nobody can shorten it), in days. The default is six years.',
  ),
  BAUTA_LOG_RETENTION_DAYS: integer(
    0,
    36_500,
    2190,
    'How long a log of the chain is kept after it ended, in days; before, `bauta audit delete` refuses. The default is six years.',
  ),
  BAUTA_SERVER: address('Command line: the service that commands speak to, as `--server`; what they do is then done there.'),
  BAUTA_TOKEN: reference('Command line: where the token of that service is, as `--token`.'),
  BAUTA_HTTP_HOST: text('127.0.0.1', 'Service: the address that it listens on. Beyond this machine only behind something that speaks TLS.'),
  BAUTA_HTTP_PORT: integer(0, 65_535, 4280, 'Service: the port that it listens on. 0: a free one.'),
  BAUTA_WORKER_PORT: integer(
    0,
    65_535,
    0,
    'Worker: the port on which it says whether it is well, and its metrics, without a token. 0: it does not listen.',
  ),
  BAUTA_HTTP_CERTIFICATE: reference(
    'Service: where the certificate is that it listens with, with those that vouch for it, in PEM. Without it it speaks HTTP, for something in front of it that speaks TLS.',
  ),
  BAUTA_HTTP_KEY: reference('Service: where the private key of that certificate is, in PEM.'),
  BAUTA_HTTP_BODY_BYTES: integer(1024, 4_194_304, 1_048_576, 'Service: the largest body of a request, in bytes.'),
  BAUTA_METADATA: reference('Service: connection string of the metadata database, as `bauta_service`. Without it an embedded Postgres.'),
  BAUTA_METADATA_OWNER: reference('Service: the same as `bauta_owner`, for migrations. Without it none are run.'),
  BAUTA_METADATA_SEQUENCER: reference('Service: the same as `bauta_sequencer`. Without it this process does not sequence the audit log.'),
  BAUTA_LOG_KEY: reference(
    'Service: the key that signs the audit log: 32 bytes in base64, or what `keys/log.key` of a home holds; the same for every process that sequences. On an embedded Postgres it is made when missing.',
  ),
  BAUTA_METADATA_CONNECTIONS: integer(2, 100, 10, 'Service: sessions of this process on the metadata database.'),
  BAUTA_POSTGRES_FOLDER: text(
    'auto',
    'Service: folder of the embedded Postgres, which every user may traverse. `auto`: below /var/lib/bauta or ~/.local/state/bauta.',
  ),
  BAUTA_SERVER_KEY: reference(
    'Service: 32 bytes in base64 under which tokens are stored. Without it `server.key` in BAUTA_HOME, made when missing.',
  ),
  BAUTA_GRANTS: optionalText(
    'A file of the operator: which secrets documents of a workspace may name, and the servers that a password may be shown to (docs/schema/grants.json).',
  ),
  BAUTA_SECRETS: text('/run/secrets', 'Service: the folder that `file:` references of documents are looked up in.'),
  BAUTA_KEYS: oneOf(
    ['file', 'vault', 'aws-kms'],
    'file',
    'Where the keys are: in files below BAUTA_HOME, in the transit engine of BAUTA_VAULT, or in KMS of AWS.',
  ),
  BAUTA_VAULT: address('Address of HashiCorp Vault, which `vault:` references are read from. Without it there are none.'),
  BAUTA_VAULT_CA: optionalText('Vault: file with the certificates of its authority, PEM, instead of those that Node trusts.'),
  BAUTA_VAULT_NAMESPACE: optionalText('Vault: the namespace that all requests are in.'),
  BAUTA_VAULT_AUTH: oneOf(['approle', 'kubernetes', 'token'], 'approle', 'Vault: how this process logs in.'),
  BAUTA_VAULT_AUTH_MOUNT: optionalText('Vault: where that method is mounted. Default: its own name.'),
  BAUTA_VAULT_ROLE_ID: reference('Vault: the role id of AppRole.'),
  BAUTA_VAULT_SECRET_ID: reference('Vault: the secret id of AppRole.'),
  BAUTA_VAULT_TOKEN: reference('Vault: the token, with BAUTA_VAULT_AUTH=token.'),
  BAUTA_VAULT_ROLE: optionalText('Vault: the name of the role, with BAUTA_VAULT_AUTH=kubernetes.'),
  BAUTA_VAULT_JWT: {
    ...reference('Vault: the token of the Kubernetes service account.'),
    default: 'file:/var/run/secrets/kubernetes.io/serviceaccount/token',
  },
  BAUTA_VAULT_TRANSIT: text('transit', 'Vault: where the transit engine with the keys is mounted.'),
  BAUTA_VAULT_WAIT_MS: integer(
    0,
    3_600_000,
    120_000,
    'Vault: how long one that is sealed or away is waited for, in milliseconds, before what needs it fails.',
  ),
  BAUTA_AWS_REGION: {
    parse: (value: string) => (/^[a-z]{2,6}(-[a-z]+){1,3}-\d{1,2}$/.test(value) ? value : undefined),
    expected: 'a region such as eu-central-1',
    default: '',
    doc: 'AWS: the region of Secrets Manager, which `aws:` references are read from, and of KMS. Without it there are none. Credentials are found as the SDK of AWS does.',
  },
  BAUTA_AWS_KMS_ENDPOINT: address('AWS: address of KMS, such as that of a VPC endpoint, instead of the public one of the region.'),
  BAUTA_AWS_S3_ENDPOINT: address('AWS: address of S3, or of a store that speaks its language, instead of the public one of the region.'),
  BAUTA_AWS_SECRETS_ENDPOINT: address('AWS: address of Secrets Manager, instead of the public one of the region.'),
  BAUTA_RUNS: integer(0, 16, 1, 'Service: runs that a process works on at once. 0: it works on none.'),
  BAUTA_RATE_TOKEN: integer(0, 100_000, 300, 'Service: requests a second of one token, at each replica. 0: no limit.'),
  BAUTA_RATE_EXCHANGE: integer(
    1,
    1_000_000,
    100,
    'Service: values a second that one person may exchange for tokens, or tokens for values, in one domain, at each replica; more at once is paid off by waiting.',
  ),
  BAUTA_RATE_ADDRESS: integer(
    0,
    100_000,
    1000,
    'Service: requests a second from one address, at each replica; one without a valid token counts for twenty. 0: no limit.',
  ),
  BAUTA_HTTP_PROXIES: integer(
    0,
    5,
    0,
    'Service: proxies of yours before it, whose X-Forwarded-For says who asks. 0: whoever is connected asks.',
  ),
  BAUTA_APPROVAL_HOURS: integer(
    1,
    2160,
    72,
    'Service: how long something waits for an approval, and how long an approval holds, in hours.',
  ),
  BAUTA_ACCESS_REVIEW_DAYS: integer(
    0,
    366,
    90,
    'Service: how many days after the last review of access the service opens the next one itself; 0: only when somebody opens one.',
  ),
  BAUTA_HEARTBEAT_MS: integer(
    200,
    60_000,
    2000,
    'Service: within two of these, in milliseconds, a worker that is silent is noticed and its runs are taken over.',
  ),
  BAUTA_HTTP_HOSTS: hosts(
    'Service: hosts that anything may be sent to by HTTPS, as HOST or HOST:PORT, `*.` for any name below; behind = the networks of a host that is not public, joined by +. Without it nothing is sent.',
  ),
  BAUTA_POLICY_BUNDLE: optionalText(
    'A bundle of your own rules, which have to have nothing against a plan either: a file; an https address of a bundle server; git+https://HOST/REPOSITORY.git#BRANCH-OR-COMMIT:PATH (or git+file://) of one that is committed; s3://BUCKET/KEY. BAUTA_HTTP_HOSTS lists the host of a server or repository (http only on this machine). Its entrypoint is bauta/provision/deny.',
  ),
  BAUTA_GATE_BUNDLE: optionalText(
    'Service: a bundle of your own rules, which have to have nothing against a deployment either, named as BAUTA_POLICY_BUNDLE is. Its entrypoint is bauta/deploy/deny; one bundle may have both.',
  ),
  BAUTA_POLICY_KEY: reference('Where the public key is that bundles are signed by: a key or certificate in PEM, or a JWK.'),
  BAUTA_POLICY_UNSIGNED: optionalText(
    'Why a bundle without a signature is taken, as a sentence. Without it, it is not; where a key is set, it never is.',
  ),
  BAUTA_POLICY_TOKEN: reference(
    'Where the token is that the bundle server (Authorization: Bearer) or the repository (Basic: USER:PASSWORD, or a token alone) wants.',
  ),
  BAUTA_POLICY_SERVER: address(
    'An OPA server that is asked beside the rules of this release, at /v1/data/gate/provision/decision, and has to allow too.',
  ),
  BAUTA_POLICY_SERVER_TOKEN: reference('Where the token is that the OPA server wants (Authorization: Bearer).'),
  BAUTA_POLICY_MS: integer(
    100,
    60_000,
    5000,
    'How long the evaluation of a policy may take, in milliseconds; then it is ended, and the answer is a no.',
  ),
  BAUTA_OIDC_SKEW_SECONDS: integer(0, 300, 30, 'Service: how far the clock of an issuer of identity tokens may be off, in seconds.'),
  BAUTA_OIDC_KEYS_SECONDS: integer(
    60,
    86_400,
    600,
    'Service: for how long the keys of an issuer hold that were read, in seconds; then nobody comes in by it until it is reached again.',
  ),
  BAUTA_OIDC_REFRESH_SECONDS: integer(
    1,
    3600,
    30,
    'Service: an issuer is asked for its keys at most once in so many seconds, at each replica, also for a key that is not known.',
  ),
  BAUTA_SMTP: reference('Service: address of the relay for e-mail, smtps://USER:PASSWORD@HOST:PORT or smtp:// (with STARTTLS).'),
  BAUTA_SMTP_FROM: optionalText('Service: the address that e-mail is from.'),
  BAUTA_NOTIFY_MS: integer(
    0,
    60_000,
    1000,
    'Service: how often this process looks whom to tell of what, in milliseconds. 0: it tells nobody.',
  ),
  BAUTA_LINK_MINUTES: integer(
    1,
    1440,
    15,
    'Service: for how long the one-time link to the credentials of a clone can be redeemed, in minutes.',
  ),
  BAUTA_REPORTS_AT_ONCE: integer(
    1,
    8,
    1,
    'Service: reports that a process makes at once for whoever asks, each in a process of its own that may take a gigabyte; more are refused.',
  ),
  BAUTA_DAILY_REPORTS: optionalText(
    'Service: where this process keeps the reports of each day, and that it makes them: /FOLDER that all processes share, or s3://BUCKET/PREFIX of a bucket with object lock. What is collected about incidents is kept there, too. Empty: it makes none.',
  ),
  BAUTA_DAILY_REPORTS_ZONE: text('UTC', 'Service: the zone in which a day of the daily reports ends, an IANA name.'),
  BAUTA_DAILY_REPORTS_LOCK_DAYS: integer(
    1,
    36_500,
    2190,
    'Service: how long a daily report in a bucket is locked (compliance mode: nobody can shorten it), in days. The default is six years.',
  ),
  BAUTA_EXPIRING_DAYS: integer(
    0,
    365,
    3,
    'Service: how long before a dataset expires its channels are told, in days; never before half of its time is over.',
  ),
  BAUTA_DRIFT_MINUTES: integer(
    0,
    44_640,
    60,
    'Service: how often a published dataset is compared with its source, its documents and the policy, in minutes. 0: this process does not ask for it.',
  ),
  BAUTA_ROWS_MINUTES: integer(
    0,
    44_640,
    1440,
    'Service: how often the rows of a published dataset are compared with its manifest, in minutes; each look reads all of them. 0: this process does not ask for it.',
  ),
  BAUTA_SCHEDULE_TICK_MS: integer(
    0,
    60_000,
    1000,
    'Service: how often a process looks what is due by a schedule, in milliseconds. 0: it does not look.',
  ),
  BAUTA_POOL_TAGS: someOf(
    ['pii', 'pci', 'phi', 'special', 'sensitive', 'secret', 'quasi'],
    'Service: the classes of tags that this worker may touch, separated by commas. It is never given a run with another one.',
  ),
  BAUTA_SOURCE_RUNS: integer(1, 64, 2, 'Service: runs that may read one source at once, over all workers.'),
  BAUTA_HOLDER_AFTER_MS: integer(
    -1,
    3_600_000,
    10_000,
    'Service: how long a run reads its source before a process of its own holds the snapshot too, so that another worker can go on. -1: never.',
  ),
  BAUTA_HOLD_MS: integer(
    2000,
    3_600_000,
    60_000,
    'Service: how long a snapshot is held after the last sign of a worker of its run, in milliseconds.',
  ),
  BAUTA_SHARE_RANGES: integer(
    0,
    1_000_000,
    8,
    'Service: how many ranges of a run have to be open for a worker that has nothing else to do to load some of them. 0: it never does.',
  ),
  BAUTA_EVENTS_BROKER: reference(
    'Service: where the address of the broker is (kafkas://…) that audit events, usage and lineage are published on. Without it on none.',
  ),
  BAUTA_EVENTS: someOf(['audit', 'lineage', 'usage'], 'Service: which events are published, separated by commas.'),
  BAUTA_EVENTS_LINEAGE_URL: address(
    'Service: where lineage is sent as OpenLineage over HTTPS (`https://…/api/v1/lineage`) instead of the broker; BAUTA_HTTP_HOSTS lists its host.',
  ),
  BAUTA_EVENTS_LINEAGE_TOKEN: reference('Service: where the token is that this server wants (Authorization: Bearer).'),
  BAUTA_EVENTS_PREFIX: {
    ...text(
      'bauta',
      'Service: what the names of the topics of events begin with (`bauta.audit`, `bauta.audit.checkpoints`, `bauta.usage`, `bauta.lineage`).',
    ),
    parse: (value: string) => (/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/.test(value) ? value : undefined),
    expected: 'letters, digits, dots and dashes',
  },
  BAUTA_EVENTS_PARTITIONS: integer(
    1,
    1000,
    1,
    'Service: partitions of the topics of events, where they are made by us. One log is always in one of them.',
  ),
  BAUTA_EVENTS_REPLICATION: integer(
    0,
    15,
    0,
    'Service: replicas of the topics of events, where they are made by us. 0: as the broker has it.',
  ),
  BAUTA_EVENTS_DAYS: integer(
    1,
    36_500,
    30,
    'Service: how long events are kept by the broker, in days, where the topics are made by us. Checkpoints stay.',
  ),
  BAUTA_EVENTS_MS: integer(
    0,
    60_000,
    1000,
    'Service: how often this process looks for what is to be published, in milliseconds. 0: it publishes nothing.',
  ),
  BAUTA_AGENT_BROKER: reference('Agent: address of the broker, kafkas://…, as `--broker`.'),
  BAUTA_AGENT_TARGET: reference('Agent: connection string of its database, as `--target`.'),
  BAUTA_AGENT_TOKEN: optionalText('Agent: a file with the token by which it is enrolled, once, as `--token-file`.'),
  BAUTA_AGENT_HOST: text('127.0.0.1', 'Agent: the address on which it shows its metrics.'),
  BAUTA_AGENT_PORT: integer(0, 65_535, 0, 'Agent: the port on which it says whether it is well, and its metrics. 0: it does not listen.'),
  BAUTA_OTLP_URL: address(
    'Service: where runs are sent as OpenTelemetry traces (OTLP over HTTP, `https://…/v1/traces`). Without it nowhere.',
  ),
  BAUTA_LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug'], 'info', 'Service: what is logged, as JSON lines on stdout.'),
} as const;

export type Settings = Readonly<{ [Name in keyof typeof declarations]: (typeof declarations)[Name]['default'] }>;

/** Reads every `BAUTA_*` variable of `environment`. Throws SETTINGS_INVALID with all findings; an unknown variable is one. */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const findings: Finding[] = [];
  const settings: Record<string, string | number> = {};
  for (const [name, declaration] of Object.entries(declarations)) {
    const value = environment[name];
    const parsed = value === undefined ? declaration.default : declaration.parse(value);
    if (parsed === undefined) findings.push(toFinding('SETTING_INVALID', { name, expected: declaration.expected }));
    else settings[name] = parsed;
  }
  for (const name of Object.keys(environment)) {
    // Connections are settings of people, not of ours: they may be called BAUTA_CONN_anything. BAUTA_WORLD belongs to the tests.
    if (!name.startsWith('BAUTA_') || name in declarations || name.startsWith('BAUTA_CONN_') || name === 'BAUTA_WORLD') continue;
    findings.push(
      toFinding('SETTING_UNKNOWN', { name, expected: findNearestName(name, Object.keys(declarations)) ?? 'one of docs/configuration.md' }),
    );
  }
  if (findings.length > 0) throw toError('SETTINGS_INVALID', { amount: String(findings.length) }, sortFindings(findings));
  return Object.freeze(settings) as Settings;
}

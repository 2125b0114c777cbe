// Every setting of the process, once: name, type, default, one line of documentation. Parsed once, all problems together, then frozen.
import { type Finding, sortFindings, toError, toFinding } from '../kernel/errors.js';
import { findNearest } from '../kernel/nearest.js';

interface Declaration<T> {
  readonly parse: (text: string) => T | undefined;
  /** What is accepted, for messages and docs. */
  readonly expected: string;
  readonly default: T;
  readonly doc: string;
}

const integer = (min: number, max: number, fallback: number, doc: string): Declaration<number> => ({
  parse: (text) => (/^\d{1,12}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
  expected: `a whole number from ${min} to ${max}`,
  default: fallback,
  doc,
});

const text = (fallback: string, doc: string): Declaration<string> => ({
  parse: (value) => value || undefined,
  expected: 'a text',
  default: fallback,
  doc,
});

export const declarations = {
  BAUTA_HOME: text('.bauta', 'Folder of keys, log and runs; made 0700 when missing. `--home` overrides it.'),
  BAUTA_THREADS: integer(0, 64, 2, 'Threads that mask. 0: the calling thread does it.'),
  BAUTA_CONNECT_TIMEOUT_MS: integer(100, 600_000, 10_000, 'How long a server may take to accept a session, in milliseconds.'),
  BAUTA_EXTRACT_CONNECTIONS: integer(1, 32, 2, 'Sessions that read the source at once.'),
  BAUTA_LOAD_CONNECTIONS: integer(1, 32, 2, 'Sessions that write the target at once; also for keys and indexes.'),
  BAUTA_BATCH_BYTES: integer(4096, 16_777_216, 262_144, 'Size of a batch of COPY text, in bytes.'),
  BAUTA_RANGE_BYTES: integer(
    1_048_576,
    1_099_511_627_776,
    67_108_864,
    'Size of the ctid ranges that a big table is cut into, in bytes of heap.',
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
  BAUTA_VERIFY_SLOTS: integer(
    10,
    28,
    24,
    'Memory of the verifier: 2^n fingerprints of 4 bytes (24: 64 MiB). More originals than fit are more passes.',
  ),
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
      toFinding('SETTING_UNKNOWN', { name, expected: findNearest(name, Object.keys(declarations)) ?? 'one of docs/configuration.md' }),
    );
  }
  if (findings.length > 0) throw toError('SETTINGS_INVALID', { amount: String(findings.length) }, sortFindings(findings));
  return Object.freeze(settings) as Settings;
}

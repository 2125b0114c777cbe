// What is printed when a command does not get as far as its own output: the same members as ever, empty, and the error as an addition.
import { type ErrorView, type Finding, toErrorView, toFindings } from '../kernel/errors.js';
import { writeJson } from './print.js';

const noArchive = {
  ...{ state: 'failed', target: null, version: null, environment: null, madeAt: null, expiresAt: null, tables: 0, rows: 0 },
  ...{ database: null, file: null, findings: [] },
};

const empty: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  run: {
    ...{ runId: null, state: 'failed', dataset: null, tables: [], findings: [], verdicts: [], checks: [], privacy: null },
    ...{ decision: null, pruned: [] },
    ...{ seconds: 0, rowsPerSecond: 0, peakRssBytes: 0, checkpoint: null },
  },
  plan: { planDigest: null, plan: null, findings: [], decision: null },
  datasets: { datasets: [], findings: [] },
  rollback: { dataset: null, findings: [] },
  expire: { versions: [], findings: [] },
  hold: { version: null, until: null, findings: [] },
  revoke: { version: null, findings: [] },
  erase: { target: null, erasures: [], dropped: [], clones: [], left: [], completed: false, beyond: null, findings: [] },
  drift: { state: 'unknown', database: '', version: null, run: null, tables: [], definitions: null, why: null, findings: [] },
  environments: { environments: [], findings: [] },
  clones: { clones: [], findings: [] },
  audit: { state: 'broken', checkpoint: null, findings: [] },
  attest: {
    ...{ state: 'unknown', marker: null, nonce: null, database: null, systemIdentifier: null, compared: null, tables: [], time: null },
    findings: [],
  },
  load: noArchive,
  pull: noArchive,
  schedules: { schedules: [], findings: [] },
  apply: { dryRun: false, applied: [], findings: [] },
  runs: { runs: [], findings: [] },
  approvals: { approvals: [], findings: [] },
  detokenize: { values: [], keyVersion: null, findings: [] },
  people: { people: [], findings: [] },
  apikeys: { findings: [] },
  secrets: { findings: [] },
  keys: { findings: [] },
  policy: { findings: [] },
  check: { passed: false, database: null, version: null, run: null, checks: [], findings: [] },
  doctor: { ok: false, checks: [], findings: [] },
};

/** The members of a command's answer, each without anything in it. */
export const emptyAnswerOf = (command: 'run'): Readonly<Record<string, unknown>> => empty[command] ?? {};

/** One object on stdout, whichever the command. */
export function writeFailure(command: string | undefined, error: unknown): void {
  writeJson({ ...empty[command ?? ''], ...toFailure(error) });
}

export function toFailure(error: unknown): { readonly findings: readonly Finding[]; readonly error: ErrorView } {
  return { findings: toFindings(error), error: toErrorView(error) };
}

/** Was JSON asked for? Asked of the words themselves, because they may be what could not be parsed. */
export function asksForJson(words: readonly string[]): boolean {
  return words.some((word, i) => word === '--json' || word === '--format=json' || (word === '--format' && words[i + 1] === 'json'));
}

/** The command that was meant, if there is one of that name. */
export function findCommand(words: readonly string[]): string | undefined {
  return words.find((word) => Object.hasOwn(empty, word));
}

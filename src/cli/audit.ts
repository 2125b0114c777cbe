// `bauta audit verify` and `bauta audit prove ENTRY`: what an auditor does with nothing but the log's files and its public key. What changes a home
// (`delete`, `erase`) is beside.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { type Finding, toError, toFinding } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import {
  type ChainReport,
  type LogFiles,
  type ProofReport,
  type TrustPolicy,
  listLogs,
  prove,
  verifyChain,
  verifyProof,
} from '../pipeline/audit/audit.js';
import type { Checkpoint } from '../pipeline/event.js';
import { exportLog, findChangedTexts, openLogFiles, readTrustPolicy, toLastSignedPath } from '../systems/files/files.js';
import { type FoundAnchors, anchorHome, readPlaces, toAnchorLine } from './audit-anchor.js';
import { cosignLog } from './audit-cosign.js';
import { deleteOldLog, eraseKept } from './audit-delete.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toCount, toFindingText, writeJson } from './print.js';
import { findServer, requireServer } from './server.js';
import { readOwnVerifier, readVerifier } from './verifier-key.js';

export interface AuditOptions extends GlobalOptions {
  readonly log?: string;
  readonly key?: string;
  readonly known?: readonly string[];
  readonly proof?: string;
  readonly policy?: string;
  readonly anchor?: readonly string[];
  readonly to?: readonly string[];
  readonly out?: string;
  readonly reason?: string;
  readonly also?: readonly string[];
}

/** Consistent, but nobody knows who signed. */
const SIGNER_UNKNOWN = 5;

export async function audit(action: string, entry: string | undefined, options: AuditOptions): Promise<number> {
  if (action === 'verify' && entry === undefined)
    return options.proof === undefined ? verify(options) : verifyProofFile(options.proof, options);
  if (action === 'export' && entry === undefined) return exportService(options);
  if (action === 'cosign' && entry === undefined) return cosign(options);
  if (action === 'anchor' && entry === undefined) return anchor(options);
  if (action === 'prove' && entry !== undefined) return proveEntry(entry, options);
  if (action === 'delete' && entry !== undefined) return deleteOldLog(entry, options, () => look({ home: homeOf(options) }));
  if (action === 'erase' && entry !== undefined) return eraseKept(entry, options);
  throw ['prove', 'delete', 'erase'].includes(action)
    ? toError('OPTION_MISSING', { name: `what to ${action}`, expected: 'bauta audit --help' })
    : toError('OPTION_INVALID', { name: 'what to do', expected: 'verify, prove ENTRY, export, cosign, anchor, delete LOG or erase ID' });
}

const homeOf = (options: AuditOptions): string => options.home ?? parseSettings(process.env).BAUTA_HOME;

/** The log to look at: that of a service, of a folder, or of the home. */
async function openLog(options: AuditOptions): Promise<LogFiles> {
  if (options.log !== undefined) return openLogFiles(options.log);
  return (await findServer(options))?.own.log() ?? openLogFiles(join(homeOf(options), 'log'));
}

const isOwn = ({ log, server }: AuditOptions): boolean =>
  log === undefined && server === undefined && parseSettings(process.env).BAUTA_SERVER === '';

/** The log of a service as a folder, which is then checked without it. */
async function exportService(options: AuditOptions): Promise<number> {
  const { out } = options;
  if (out === undefined) throw toError('OPTION_MISSING', { name: '--out', expected: 'bauta audit --help' });
  const logs = await exportLog((await requireServer(options, 'audit')).own.log(), out);
  if (wantsJson(options)) writeJson({ logs, findings: [] });
  else process.stdout.write(`${logs.join(', ')} in ${out}; bauta audit verify --log ${out} --key log.pub\n`);
  return 0;
}

/** Of a log that lies here; a service asks its witnesses itself. */
async function cosign(options: AuditOptions): Promise<number> {
  const policy = options.policy ?? parseSettings(process.env).BAUTA_LOG_WITNESSES;
  if (policy === '') throw toError('OPTION_MISSING', { name: '--policy', expected: 'bauta audit --help' });
  if (options.server !== undefined)
    throw toError('OPTION_INVALID', { name: '--server', expected: 'a log that lies here: a service asks its witnesses itself' });
  return cosignLog(options.log ?? join(homeOf(options), 'log'), policy, wantsJson(options));
}

/** Of a log that lies here; a service anchors its logs itself. */
async function anchor(options: AuditOptions): Promise<number> {
  if (options.server !== undefined)
    throw toError('OPTION_INVALID', { name: '--server', expected: 'a log that lies here: a service anchors its logs itself' });
  const home = homeOf(options);
  const key = options.key ?? join(home, 'log.pub');
  return anchorHome({ folder: options.log ?? join(home, 'log'), key, places: options.to, json: wantsJson(options) });
}

async function verify(options: AuditOptions): Promise<number> {
  const { state, report, places } = await look(options);
  if (wantsJson(options)) writeJson({ state, ...report, anchors: places });
  else for (const line of toLines(report, state, places)) process.stdout.write(`${line}\n`);
  return exitCodes[state];
}

interface LookedAt {
  readonly state: State;
  readonly report: ChainReport;
  /** What lies at the places of `--anchor`. */
  readonly places: readonly FoundAnchors[];
}

async function look(options: AuditOptions): Promise<LookedAt> {
  const files = await openLog(options);
  const policy = options.policy === undefined ? undefined : await readTrustPolicy(options.policy);
  const verifier = (await readKey(options)) ?? (policy && (await findLogKey(files, policy)));
  const anchors = await readPlaces(options.anchor ?? [], verifier?.name ?? (await findKeyName(files)));
  const known = [...(await readKnown(options)), ...anchors.known];
  const checks = { known, ...(verifier ? { verifier } : {}), ...(policy ? { policy } : {}) };
  const report = await verifyChain(files, checks);
  const changed = isOwn(options) ? await findChangedTexts(join(homeOf(options), 'erasable')) : [];
  const findings = [
    ...report.findings,
    ...anchors.findings,
    ...changed.map((name) => toFinding('LOG_TEXT_CHANGED', { file: `erasable/texts/${name}` })),
  ];
  return { state: toState(findings, report.signatureChecked), report: { ...report, findings }, places: anchors.found };
}

/** As the newest checkpoint names it, whoever signed that. */
async function findKeyName(files: LogFiles): Promise<string> {
  const note = (await files.read(`${(await listLogs(files)).at(-1) ?? ''}/checkpoint`))?.toString('utf8') ?? '';
  const [origin = ''] = note.split('\n');
  return origin.slice(0, Math.max(0, origin.lastIndexOf('/')));
}

/** The log of a home, with its own key: what is said about it, and whether it is whole. */
export async function checkHome(home: string): Promise<{ whole: boolean; lines: readonly string[] }> {
  const { state, report } = await look({ home });
  return { whole: state === 'whole', lines: toLines(report, state) };
}

/** That of the policy which names this log; of one that names another, the first: then what is found says so. */
export async function findLogKey(files: LogFiles, { logs }: TrustPolicy): Promise<Verifier | undefined> {
  const note = (await files.read(`${(await listLogs(files)).at(-1) ?? ''}/checkpoint`))?.toString('utf8') ?? '';
  return logs.find(({ name }) => note.startsWith(`${name}/`)) ?? logs[0];
}

function toLines(
  { logs, deleted, findings, cosigned }: ChainReport,
  state: State,
  places: readonly FoundAnchors[] = [],
): readonly string[] {
  const toLine = ({ origin, size, root }: Checkpoint): string => `${origin}  ${toCount(size, 'entry', 'entries')}  root ${root}`;
  const gone = deleted.map((one) => stripControls(`${toLine(one)}  deleted on ${one.at} by entry ${one.log}/${one.entry}`));
  const checkpoints = logs.map((one) => stripControls(toLine(one)));
  const seen = (cosigned?.witnesses ?? []).map(({ name, at }) =>
    stripControls(`${cosigned?.origin}  ${toCount(cosigned?.size ?? 0, 'entry', 'entries')}  cosigned by ${name} at ${at}`),
  );
  return [...gone, ...checkpoints, ...seen, ...places.map(toAnchorLine), ...toVerdict(findings, state, 'every entry is what was signed')];
}

async function verifyProofFile(file: string, options: AuditOptions): Promise<number> {
  const policy = options.policy === undefined ? undefined : await readTrustPolicy(options.policy);
  const text = await read(file);
  const verifier = (await readKey(options)) ?? policy?.logs.find(({ name }) => text.includes(`\n${name}/`)) ?? policy?.logs[0];
  const report = verifyProof(text, file, verifier, policy);
  const state = toState(report.findings, report.signatureChecked);
  if (wantsJson(options)) writeJson({ state, ...report });
  else {
    if (report.event) process.stdout.write(stripControls(toEntryText(report)) + '\n');
    for (const line of toVerdict(report.findings, state, 'the entry is in the log')) process.stdout.write(`${line}\n`);
  }
  return exitCodes[state];
}

function toEntryText({ entry, event, checkpoint }: ProofReport): string {
  return `entry ${entry} of ${checkpoint?.origin} (${checkpoint?.size} entries): ${JSON.stringify(event)}`;
}

/** `17`: of the newest log; `2026/17`: of that one. */
async function proveEntry(entry: string, options: AuditOptions): Promise<number> {
  const [, name, index] = /^(?:(\d{4}(?:-\d\d)?)\/)?(0|[1-9]\d{0,14})$/.exec(entry) ?? [];
  if (index === undefined) throw toError('OPTION_INVALID', { name: 'ENTRY', expected: 'a number, or LOG/NUMBER as in 2026/17' });
  const files = await openLog(options);
  const log = name ?? (await listLogs(files)).at(-1);
  if (log === undefined) throw toError('LOG_EMPTY');
  const proof = await prove(files, log, Number(index));
  if (options.out !== undefined) await writeFile(options.out, proof);
  if (wantsJson(options)) writeJson({ log, entry: Number(index), proof });
  else if (options.out === undefined) process.stdout.write(proof);
  else process.stdout.write(`${options.out}: entry ${index} of ${log}; bauta audit verify --proof ${options.out} --key log.pub\n`);
  return 0;
}

type State = 'whole' | 'broken' | 'signer-unknown';
const exitCodes: Readonly<Record<State, number>> = { whole: 0, broken: 1, 'signer-unknown': SIGNER_UNKNOWN };

function toState(findings: readonly Finding[], signatureChecked: boolean): State {
  if (findings.some(({ severity }) => severity === 'error')) return 'broken';
  return signatureChecked ? 'whole' : 'signer-unknown';
}

function toVerdict(findings: readonly Finding[], state: State, held: string): readonly string[] {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const words: Readonly<Record<State, string>> = {
    whole: `${paint('whole', 32, process.stdout)}: ${held}`,
    broken: `${paint('broken', 31, process.stdout)}: ${toCount(errors, 'finding')}`,
    'signer-unknown': `${paint('consistent', 33, process.stdout)}, but nobody knows who signed: give the public key with --key`,
  };
  return [...findings.map(toFindingText), words[state]];
}

/** The key of one's own home is known; that of a log that came from elsewhere has to be given, and never comes with it. */
async function readKey(options: AuditOptions): Promise<Verifier | undefined> {
  if (options.key !== undefined) return readVerifier(options.key);
  return isOwn(options) && options.proof === undefined ? readOwnVerifier(join(homeOf(options), 'log.pub')) : undefined;
}

/** What was seen before: the files of `--known`, and for one's own home the checkpoint that was signed last. */
async function readKnown(options: AuditOptions): Promise<{ name: string; note: string }[]> {
  const known = await Promise.all((options.known ?? []).map(async (name) => ({ name, note: await read(name) })));
  if (!isOwn(options)) return known;
  const last = toLastSignedPath(join(homeOf(options), 'keys'));
  const note = await readFile(last, 'utf8').catch(() => undefined);
  return note === undefined ? known : [...known, { name: last, note }];
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    throw toError('LOG_UNREADABLE', { file });
  }
}

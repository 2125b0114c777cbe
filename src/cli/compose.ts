// The composition root of the data plane: documents and settings become a request and doors. Everything opened here is closed here.
// The command line reads documents from files; main.ts and worker.ts hand `composeRun` to the service, which has them from its database.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, userInfo } from 'node:os';
import { dirname, join } from 'node:path';

import { type Settings, parseSettings } from '../config/settings.js';
import { type SelectedDocuments, fitsSchema, loadDocuments, parseLock, readText, selectDocuments } from '../documents/documents.js';
import { systemClock } from '../kernel/clock.js';
import { type Finding, sortFindings, toError, toFinding } from '../kernel/errors.js';
import { type Verifier, parseVerifierKey } from '../kernel/signed-note.js';
import { newRunId } from '../kernel/ids.js';
import { scanSchemaTexts } from '../pipeline/classify/classify.js';
import { toTokenEnvironment } from '../pipeline/definition.js';
import { createMaskExecutor, prepareMask, withVaultedTokens } from '../pipeline/mask/mask.js';
import type { AuditSink, KeyHierarchy, Policy, Target } from '../pipeline/ports.js';
import { noRecordedKeys } from '../pipeline/recorded-keys.js';
import { type Request, toScope } from '../pipeline/prepare.js';
import type { Doors, OpenVault, Run, Succession } from '../pipeline/run.js';
import { toDecisionRecord } from '../pipeline/gate/gate.js';
import { FileAuditSink, keepDecision } from '../systems/files/files.js';
import { dropOfRun } from '../systems/archive/archive.js';
import {
  type ConnectionTarget,
  PostgresReader,
  type TargetStep,
  asLogin,
  openSource,
  openTarget,
  schemaTexts,
} from '../systems/postgres/postgres.js';
import { toArchiveRoot } from '../control/archive-keys.js';
import { openKeys } from '../control/open-keys.js';
import { type StreamSide, nowhere } from '../control/stream-side.js';
import { openStream } from './compose-stream.js';
import { openGatePolicy } from '../control/open-policy.js';
import { openLeases } from '../control/vaults.js';
import type { StreamStep } from '../systems/kafka/kafka.js';
import type { Leases } from '../systems/vault/vault.js';
import { createMaskPool } from '../threads/threads.js';
import type { GlobalOptions } from './context.js';
import { resolveSide, resolveTargetSide } from './local-secrets.js';
import { toArchiver } from './write-archive.js';
import { readKnown } from './read-known.js';

export interface Composed {
  readonly doors: Doors;
  readonly request: Request;
  readonly run: Run;
  readonly source: ConnectionTarget;
  readonly target: ConnectionTarget;
  readonly settings: Settings;
  readonly home: string;
  /** Keys of the logs that are known here. */
  readonly verifiers: readonly Verifier[];
  /** Closes every door, in the reverse order of opening. */
  readonly close: () => Promise<void>;
}

export interface ComposeOptions extends GlobalOptions {
  readonly file: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: TargetStep | StreamStep) => void | Promise<void>;
  /** Take a version that is there where it is what a run would make. */
  readonly reuse?: boolean;
}

/** Reads the documents, resolves the references, opens the doors. Throws DOCUMENTS_INVALID with every finding. */
export async function compose(options: ComposeOptions): Promise<Composed> {
  const environment = options.environment ?? process.env;
  const settings = parseSettings(environment);
  // Its thread compiles while the documents are read.
  const policy = openGatePolicy({ settings, home: options.home ?? settings.BAUTA_HOME, environment });
  policy.catch(() => undefined);
  let leases: Leases | undefined;
  try {
    const { request, after, connections } = await readRequest(options.file);
    const { source, target } = request.pipeline.body;
    const home = options.home ?? settings.BAUTA_HOME;
    leases = await openLeases(settings, environment, home);
    const secrets = { environment, settings, leases };
    return await composeRun({
      ...{
        settings,
        request,
        after,
        home,
        leases,
        signal: options.signal,
        onStep: options.onStep,
        policy,
        reuse: options.reuse,
      },
      source: await resolveSide(source.connection, connections.source, secrets),
      ...(await resolveTargetSide(target, connections, secrets)),
      ...(target.swapSchemas && { builder: await resolveSide(target.swapSchemas.builder, connections.builder, secrets) }),
    });
  } catch (error) {
    await leases?.close();
    await policy.then(
      (opened) => opened.close(),
      () => undefined,
    );
    throw error;
  }
}

export interface RunOptions {
  readonly settings: Settings;
  readonly home: string;
  /** Whose keys are used; default: the one that a command line has. */
  readonly workspace?: string | undefined;
  readonly request: Request;
  readonly after: Run['after'];
  readonly source: ConnectionTarget;
  readonly target: ConnectionTarget;
  /** As `target.swapSchemas` names it. */
  readonly builder?: ConnectionTarget | undefined;
  /** Where the pipeline's target is a broker; `target` then leads nowhere. */
  readonly stream?: StreamSide | undefined;
  /** Of the connections; closed after the doors. */
  readonly leases?: Leases | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((step: TargetStep | StreamStep) => void | Promise<void>) | undefined;
  /** Default: a new one. */
  readonly runId?: string;
  /** What source and target show of the run's sessions. */
  readonly applicationName?: string;
  /** One that is being opened already; the run closes it. */
  readonly policy?: Promise<Policy>;
  /** Default: that of the home. */
  readonly log?: RunLog;
  readonly reuse?: boolean | undefined;
  readonly succession?: Succession | undefined;
  /** Of a service: agents of an environment that were let go. */
  readonly revoked?: ((environment: string) => Promise<ReadonlySet<string>>) | undefined;
  /** Where tokens are kept; absent: nowhere that this process reaches, and what needs one is denied. */
  readonly vault?: OpenVault | undefined;
}

/** Where a run is told, who started it, and whose markers are known. */
export interface RunLog {
  readonly sink: AuditSink;
  readonly actor: () => Promise<string>;
  readonly verifiers: readonly Verifier[];
}

export async function openHomeLog(home: string, settings: Settings): Promise<RunLog> {
  const sink = new FileAuditSink({ home, period: settings.BAUTA_LOG_PERIOD });
  return { sink, actor: () => sink.identify(userName()), verifiers: await readVerifiers(home) };
}

/** Opens the doors for one run, whoever the documents came from. */
export async function composeRun(options: RunOptions): Promise<Composed> {
  const { settings, home, request: documents, after, leases } = options;
  const { pipeline } = documents;
  const signal = leases ? AbortSignal.any([leases.lost, ...(options.signal ? [options.signal] : [])]) : options.signal;
  const connecting = {
    connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS,
    signal,
    applicationName: options.applicationName,
  };
  const [source, target] = [
    { ...options.source, ...connecting },
    { ...options.target, ...connecting },
  ];
  const builder = requireBuilder(pipeline.body, options.builder && { ...options.builder, ...connecting });
  await mkdir(home, { recursive: true, mode: 0o700 }).catch(() => {
    throw toError('HOME_UNWRITABLE', { file: home });
  });
  const width = toWidth(settings);
  const closers: (() => Promise<void>)[] = [async () => leases?.close()];
  const opened = <T extends { close(): Promise<void> }>(door: T): T => {
    closers.unshift(() => door.close());
    return door;
  };
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    const { sink, actor, verifiers } = options.log ?? (await openHomeLog(home, settings));
    const hierarchy = toMaskingHierarchy(pipeline.body, options.workspace);
    const { open } = opened(await openKeys(home, settings));
    const [keys, tokenKeys] = [open(hierarchy), open(toTokenHierarchy(pipeline.body, options.workspace))];
    const file = requireWhole(pipeline.body);
    const transportKeys = open(toTransportHierarchy(pipeline.body, options.workspace));
    const side = requireStream(pipeline.body, options.stream);
    const { workspace, revoked } = options;
    const of = { settings, definition: pipeline.body.target, workspace, home, revoked, keys: transportKeys, verifiers };
    const streaming = side && (await openStream({ ...of, side, streams: Math.max(width.extract, width.load), onStep: options.onStep }));
    if (streaming) opened(streaming.target);
    const doors: Doors = {
      clock: systemClock,
      recordDecision: (decision, input, { atMs, tookNs }) =>
        keepDecision(home, toDecisionRecord(decision, input, { atMs, metrics: { timer_server_handler_ns: tookNs } })),
      keys,
      tokenKeys,
      vaulted: options.vault !== undefined,
      source: opened(
        openSource({
          connection: source,
          settings: toSourceSettings(settings),
          writable: pipeline.body.source.writable,
          clock: systemClock,
          verifiers,
        }),
      ),
      target:
        streaming?.target ??
        opened(
          openTarget({
            connection: target,
            builder,
            settings: toTargetSettings(settings),
            clock: systemClock,
            verifiers,
            ...(options.onStep ? { onStep: options.onStep } : {}),
          }),
        ),
      policy: opened(await (options.policy ?? openGatePolicy({ settings, home, environment: process.env }))),
      sink: opened(sink),
      executor: async (plan) => {
        // Asked for when a run may go ahead: what proves it starts as threads do, while source and target are made ready.
        streaming?.target.warmUp();
        const prepared = await prepareMask(plan, keys, tokenKeys);
        const executor = width.threads === 0 ? createMaskExecutor(prepared) : createMaskPool(prepared, width.threads);
        return options.vault ? withVaultedTokens(executor, plan, options.vault(tokenKeys, plan)) : executor;
      },
      // Planning a query folds what the schema's indexes call: the verifier too looks at staging with the rights of who built it.
      reader: (snapshotId, { database, schemas, login }) => {
        const place = streaming?.connection() ?? target;
        const staging = builder ?? (login ? asLogin(place, login) : place);
        const checkTimeoutMs = settings.BAUTA_CHECK_TIMEOUT_MS;
        return PostgresReader.open({ source, snapshotId, staging, stagingDatabase: database, stagingSchemas: schemas, checkTimeoutMs });
      },
      streams: width.extract,
      slotsLog2: settings.BAUTA_VERIFY_SLOTS,
      privacyRows: settings.BAUTA_PRIVACY_ROWS,
      // Kilobytes, and of all threads of this process.
      peakRssBytes: () => process.resourceUsage().maxRSS * 1024,
      dropArchives: (runId) => dropOfRun(toArchiveRoot(settings, home), hierarchy.workspace, runId),
      ...(file && {
        archive: toArchiver({
          root: toArchiveRoot(settings, home),
          workspace: hierarchy.workspace,
          target,
          keys: transportKeys,
          recipients: file.recipients ?? [],
        }),
      }),
    };
    const known = await readKnown(doors.sink, { open, keys, tokenKeys }, options.log === undefined ? home : undefined);
    const request: Request = { ...documents, ...known, knownSources: [...documents.knownSources, ...known.knownSources] };
    const run: Run = {
      id: options.runId ?? newRunId(systemClock.now()),
      nonce: randomBytes(16),
      after,
      actor,
      ...(signal ? { signal } : {}),
      ...(options.reuse ? { reuse: { verifiers } } : {}),
      ...(options.succession ? { succession: options.succession } : {}),
    };
    return { doors, request, run, source, target, settings, home, verifiers, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The keys that mask for the pipeline's environment: its own, unless a document joins it to another. */
export function toMaskingHierarchy({ target }: Request['pipeline']['body'], workspace = 'default'): KeyHierarchy {
  return { purpose: 'masking', workspace, environment: target.keys?.join?.environment ?? target.environment };
}

/** Those under which the pipeline's tokens can be exchanged back: its environment's own, unless a document joins tokens too. */
export function toTokenHierarchy({ target }: Request['pipeline']['body'], workspace = 'default'): KeyHierarchy {
  return { purpose: 'token', workspace, environment: toTokenEnvironment(target.environment, target.keys) };
}

/** Those that open the pipeline's archives: always its environment's own, whose end they are. */
export function toTransportHierarchy({ target: { environment } }: Request['pipeline']['body'], workspace = 'default'): KeyHierarchy {
  return { purpose: 'transport', workspace, environment };
}

/** A source alone, for who only holds a snapshot of it. */
export function openSourceOf(settings: Settings, source: ConnectionTarget): ReturnType<typeof openSource> {
  return openSource({ connection: source, settings: toSourceSettings(settings), clock: systemClock, verifiers: [] });
}

/** Digest of the source's catalogue in the scope of the pipeline. Throws SOURCE_UNREACHABLE and its like. */
export async function describeSource({
  settings,
  request,
  source,
  leases,
  signal,
}: Pick<RunOptions, 'settings' | 'request' | 'source' | 'leases' | 'signal'>): Promise<string> {
  const { body } = request.pipeline;
  const connection = { ...source, connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS, signal };
  const { writable } = body.source;
  const door = openSource({ connection, settings: toSourceSettings(settings), writable, clock: systemClock, verifiers: [] });
  try {
    return (await door.describe(toScope(request))).digest;
  } finally {
    await door.close();
    await leases?.close();
  }
}

/** One way to publish is never taken for the other: a document that asks for one without its login was composed wrongly. */
function requireBuilder({ target }: Request['pipeline']['body'], builder: ConnectionTarget | undefined): ConnectionTarget | undefined {
  if (target.swapSchemas === undefined) return undefined;
  if (builder === undefined) throw toError('CONNECTION_REFERENCE_INVALID', { name: target.swapSchemas.builder });
  return builder;
}

/** Nor is a broker ever taken for a database. */
function requireStream({ target }: Request['pipeline']['body'], side: StreamSide | undefined): StreamSide | undefined {
  if ((target.kafka === undefined) !== (side === undefined)) throw toError('CONNECTION_REFERENCE_INVALID', { name: target.connection });
  return side;
}

/** An archive is a database: where a version is some schemas of one, there is none. */
function requireWhole({ target: { file, swapSchemas } }: Request['pipeline']['body']): typeof file {
  if (file && swapSchemas) throw toError('ARCHIVE_OF_SCHEMAS');
  return file;
}

/** In a container the user may have a number only. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? ''}`;
  }
}

export interface ComposedTarget {
  readonly target: Target;
  readonly verifiers: readonly Verifier[];
  readonly request: Request;
  readonly connection: ConnectionTarget;
  readonly settings: Settings;
}

/** The target alone, for commands that ask for nothing else, and the keys of the logs that are known here. */
export async function composeTarget(options: ComposeOptions): Promise<ComposedTarget> {
  const environment = options.environment ?? process.env;
  const settings = parseSettings(environment);
  const { request, connections } = await readRequest(options.file);
  // Given back when the command ends.
  const leases = await openLeases(settings, environment, options.home ?? settings.BAUTA_HOME);
  const { connection: named, swapSchemas } = request.pipeline.body.target;
  const resolve = async (...side: [string, SelectedDocuments['connections']['target']]): Promise<ConnectionTarget> => ({
    ...(await resolveSide(...side, { environment, settings, leases })),
    connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS,
  });
  const home = options.home ?? settings.BAUTA_HOME;
  const verifiers = await readVerifiers(home);
  const { body } = request.pipeline;
  if (body.target.kafka) {
    const { stream } = await resolveTargetSide(body.target, connections, { environment, settings, leases });
    const { open } = await openKeys(home, settings);
    const side = { definition: body.target, workspace: undefined, home, side: stream!, keys: open(toTransportHierarchy(body)) };
    const { target } = await openStream({ settings, ...side, verifiers, streams: 1 });
    return { target, verifiers, request, connection: nowhere(named), settings };
  }
  const connection = await resolve(named, connections.target);
  const builder = swapSchemas && (await resolve(swapSchemas.builder, connections.builder));
  const target = openTarget({ connection, builder, settings: toTargetSettings(settings), clock: systemClock, verifiers });
  return { target, verifiers, request, connection, settings };
}

/** The public key of this home's log; none before the first run. */
export async function readVerifiers(home: string): Promise<readonly Verifier[]> {
  const verifier = parseVerifierKey(await readFile(join(home, 'log.pub'), 'utf8').catch(() => ''));
  return verifier ? [verifier] : [];
}

export async function readRequest(
  file: string,
): Promise<{ request: Request; after: Run['after']; connections: SelectedDocuments['connections'] }> {
  const loaded = await loadDocuments(file, readText);
  const findings: Finding[] = [...loaded.findings];
  const chosen = findings.some(({ severity }) => severity === 'error') ? undefined : await selectDocuments(loaded, readText);
  findings.push(...(chosen?.findings ?? []));
  const lockFile = chosen?.selected && join(dirname(file), dirname(chosen.selected.classification.origin.file), 'classification.lock');
  const lockText = lockFile === undefined ? undefined : await readFile(lockFile, 'utf8').catch(() => undefined);
  const parsed = lockFile === undefined || lockText === undefined ? undefined : parseLock(lockText, lockFile);
  findings.push(...(parsed?.findings ?? []));
  if (!chosen?.selected || findings.some(({ severity }) => severity === 'error')) {
    throw toError('DOCUMENTS_INVALID', { file, amount: String(findings.length) }, sortFindings(findings));
  }
  const files = await Promise.all(chosen.selected.after.map(async ({ path }) => ({ path, sql: await readFile(path, 'utf8') })));
  const { connections } = chosen.selected;
  return { request: toRequest(chosen.selected, parsed?.lock), after: files, connections };
}

export function toRequest(selected: SelectedDocuments, lock: Request['lock']): Request {
  const { pipeline, classification, rulebook, digests } = selected;
  const today = new Date(systemClock.now()).toISOString().slice(0, 10);
  const scanSchema: Request['scanSchema'] = (catalogue) => scanSchemaTexts(schemaTexts(catalogue), pipeline.body.schemaTexts ?? [], today);
  const checks = { fitsSchema, scanSchema, knownSources: [], recordedKeys: noRecordedKeys, recordedTokenKeys: noRecordedKeys };
  const parts = { pipeline, classification, rulebook, documents: digests, ...checks };
  return lock === undefined ? parts : { ...parts, lock };
}

function toSourceSettings(settings: Settings): Parameters<typeof openSource>[0]['settings'] {
  return {
    connections: toWidth(settings).extract,
    batchBytes: settings.BAUTA_BATCH_BYTES,
    rangeBytes: settings.BAUTA_RANGE_BYTES,
    wholeBytes: settings.BAUTA_WHOLE_TABLE_BYTES,
    snapshotMaxAgeMs: settings.BAUTA_SNAPSHOT_MAX_AGE_MS,
    blockedMs: settings.BAUTA_SOURCE_BLOCKED_MS,
    replicationLagBytes: settings.BAUTA_SOURCE_LAG_BYTES,
    rowsPerSecond: settings.BAUTA_SOURCE_ROWS_PER_SECOND,
    lockTimeoutMs: settings.BAUTA_LOCK_TIMEOUT_MS,
    statementTimeoutMs: settings.BAUTA_STATEMENT_TIMEOUT_MS,
  };
}

function toTargetSettings(settings: Settings): Parameters<typeof openTarget>[0]['settings'] {
  const { load } = toWidth(settings);
  return { loadConnections: load, finishConnections: load };
}

export interface Width {
  /** That mask, beside the one that reads and writes; 0: that one does it. */
  readonly threads: number;
  /** Sessions that read the source, and that write the target, at once. */
  readonly extract: number;
  readonly load: number;
}

/**
 * How much is done at once. Every thread compiles the masking code anew, so on two cores one is quicker than two (0.9 s of CPU less in the
 * benchmark); over four there is more than the one thread that reads and writes can hand out.
 */
export function toWidth({ BAUTA_THREADS, BAUTA_EXTRACT_CONNECTIONS, BAUTA_LOAD_CONNECTIONS }: Settings): Width {
  const cores = availableParallelism();
  const sessions = Math.min(4, Math.max(2, cores));
  return {
    threads: BAUTA_THREADS === 'auto' ? Math.min(4, Math.max(1, cores - 1)) : Math.min(BAUTA_THREADS, cores * 2),
    extract: BAUTA_EXTRACT_CONNECTIONS === 'auto' ? sessions : BAUTA_EXTRACT_CONNECTIONS,
    load: BAUTA_LOAD_CONNECTIONS === 'auto' ? sessions : BAUTA_LOAD_CONNECTIONS,
  };
}

/** Writes a run's summary beside the log, for who comes later. That it cannot be written hides nothing of what the run came to: a warning. */
export async function keepSummary(home: string, runId: string, summary: unknown): Promise<Finding | undefined> {
  const file = join(home, 'runs', `${runId}.json`);
  try {
    await mkdir(join(home, 'runs'), { recursive: true, mode: 0o700 });
    await writeFile(file, `${JSON.stringify(summary, undefined, 2)}\n`, { mode: 0o600 });
    return undefined;
  } catch {
    return toFinding('SUMMARY_UNWRITTEN', { file }, 'warning');
  }
}

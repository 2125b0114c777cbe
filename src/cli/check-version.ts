// Which copy `bauta check` asks, with whose rights, and what it is held against: the current version of a target, by a login made for it, or the
// database behind any connection, as whoever that connection is.
import { readFile } from 'node:fs/promises';

import { parseSettings } from '../config/settings.js';
import { toError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { type CheckPlan, type EarlierFigure, toCheckResults } from '../pipeline/check.js';
import type { PipelineDefinition } from '../pipeline/definition.js';
import type { KnownSource } from '../pipeline/gate/gate.js';
import { readEarlier } from '../pipeline/make-checks.js';
import { type OpenedMarker, openMarker } from '../pipeline/marker.js';
import { toCountDigest } from '../pipeline/verify/verify.js';
import { FileAuditSink } from '../systems/files/files.js';
import { type ConnectionTarget, DatasetReader, asLogin, resolveConnection } from '../systems/postgres/postgres.js';
import { type ComposeOptions, composeTarget } from './compose.js';

type Earlier = (check: CheckPlan) => EarlierFigure | { readonly why: string } | undefined;

export interface CheckedVersion {
  /** Names the database too. */
  readonly connection: ConnectionTarget;
  readonly database: string;
  readonly marker: OpenedMarker;
  /** Null where the server does not tell it to this login. */
  readonly systemIdentifier: string | null;
  /** Databases that runs of this home have read as a source. */
  sources(): Promise<readonly KnownSource[]>;
  /** Of checks that are compared with the version before; `why`: that is not known here. */
  earlier(checks: readonly CheckPlan[]): Promise<Earlier>;
  close(): Promise<void>;
}

export interface VersionOptions extends ComposeOptions {
  /** `env:NAME` or `file:PATH`. */
  readonly database?: string;
  readonly verifiers: readonly Verifier[];
}

export async function openVersion(options: VersionOptions, pipeline: PipelineDefinition): Promise<CheckedVersion> {
  return options.database === undefined ? openCurrent(options, pipeline) : openDatabase(options, options.database);
}

async function openCurrent(options: VersionOptions, pipeline: PipelineDefinition): Promise<CheckedVersion> {
  const { target, connection } = await composeTarget(options);
  try {
    const current = (await target.datasets()).find(({ state }) => state === 'current');
    if (!current) throw toError('CHECK_NO_VERSION', { connection: connection.name });
    const reading = await target.reading?.(pipeline.target.roles);
    if (!reading) throw toError('CHECK_NEEDS_DATABASE', { connection: connection.name });
    const close = async (): Promise<void> => {
      await reading.close();
      await target.close();
    };
    const seen = await look(asLogin(connection, reading.login), options.verifiers).catch(async (error: unknown) => {
      await close();
      throw error;
    });
    const earlier = async (checks: readonly CheckPlan[]): Promise<Earlier> =>
      readEarlier({ target, sink: toSink(options) }, checks, 'previous');
    return { ...seen, earlier, sources: () => readSources(options), close };
  } catch (error) {
    await target.close();
    throw error;
  }
}

async function openDatabase(options: VersionOptions, reference: string): Promise<CheckedVersion> {
  const environment = options.environment ?? process.env;
  const { BAUTA_CONNECT_TIMEOUT_MS: connectTimeoutMs } = parseSettings(environment);
  const resolved = await resolveConnection(reference, environment, (path) => readFile(path, 'utf8'));
  const seen = await look({ ...resolved, connectTimeoutMs }, options.verifiers);
  const earlier = async (): Promise<Earlier> => {
    const unknown = { why: 'a connection to one database does not say what the version before had, and the log of this home neither' };
    if (seen.marker.state !== 'whole') return () => unknown;
    const told = await toSink(options).read(['checks.made'], seen.marker.marker.runId);
    const known = new Map(toCheckResults(told).map(({ of, earlier: before }) => [of, before]));
    return (check) => known.get(toCountDigest(check)) ?? unknown;
  };
  return { ...seen, earlier, sources: () => readSources(options), close: () => Promise.resolve() };
}

async function readSources(options: VersionOptions): Promise<readonly KnownSource[]> {
  return (await toSink(options).standing(['source.seen'])).map(({ data }) => data as unknown as KnownSource);
}

/** The log of the home, to read in; nothing is made where there is none. */
function toSink({ home, environment = process.env }: VersionOptions): FileAuditSink {
  const settings = parseSettings(environment);
  return new FileAuditSink({ home: home ?? settings.BAUTA_HOME, period: settings.BAUTA_LOG_PERIOD });
}

async function look(
  connection: ConnectionTarget,
  verifiers: readonly Verifier[],
): Promise<Pick<CheckedVersion, 'connection' | 'database' | 'marker' | 'systemIdentifier'>> {
  const reader = await DatasetReader.open(connection);
  try {
    return { connection, ...(await reader.place()), marker: openMarker(await reader.marker(), verifiers) };
  } finally {
    await reader.close();
  }
}

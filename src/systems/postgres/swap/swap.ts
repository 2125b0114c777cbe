// The Target port on a server where nobody may create databases: versions are schemas of one database, built by a login that can do nothing else,
// and swapped in one transaction. The door of this folder; docs/decisions/0017 says why it is as it is.
import { type Clock, toTimestamp } from '../../../kernel/clock.js';
import { BautaError, type Finding, toError } from '../../../kernel/errors.js';
import { newRunId } from '../../../kernel/ids.js';
import type { Verifier } from '../../../kernel/signed-note.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { MarkerSeen } from '../../../pipeline/marker.js';
import type { Plan } from '../../../pipeline/plan.js';
import type { DatasetVersion, DropKept, DropSeen, DropStep, Permit, StagingRun, Target, TargetFacts } from '../../../pipeline/ports.js';
import type { ConnectionTarget } from '../connection.js';
import { toSchemaStatements } from '../ddl/ddl.js';
import type { SchemaStatements } from '../target/build-schema.js';
import { readSystemIdentifier } from '../target/inspect.js';
import { seeDropped } from '../target/drop-version.js';
import { readMarkerOf, toMarkerProblem } from '../target/marker-of.js';
import { findAlive, lockForRun, lockTarget } from '../target/locks.js';
import { type Session, TargetServer, type TargetSettings, defaultTargetSettings, holding } from '../target/session.js';
import type { OnStep } from '../target/steps.js';
import { findCut, toValidation } from '../unchecked.js';
import { readMarker } from '../marker-table.js';
import { findBuilder, readBuilder } from './builder.js';
import { createSchemas } from './create-schemas.js';
import { dropSchemaVersion, quarantineSchemas, readSchemaDropSteps } from './drop-schema-version.js';
import { inspectSwap } from './inspect-swap.js';
import { type Places, findSwapped, toPlaced, toPlaces } from './places.js';
import { rollbackSwap } from './publish-swap.js';
import { type Version, findCurrent, readSchemas, readVersions, toDataset, toVersions } from './records.js';
import { SchemaStaging } from './schema-staging.js';
import { sweepSchemas } from './sweep-schemas.js';
import { readTemplate, toDropped } from './template.js';

export interface SchemaTargetOptions {
  /** Points at the target database, whose owner it logs in as. */
  readonly connection: ConnectionTarget;
  /** The login that builds, in the same database. */
  readonly builder: ConnectionTarget;
  readonly clock: Clock;
  readonly verifiers?: readonly Verifier[];
  readonly settings?: Partial<TargetSettings>;
  readonly onStep?: OnStep;
}

export class SchemaTarget implements Target {
  readonly #options: SchemaTargetOptions;
  readonly #server: TargetServer;
  readonly #builder: TargetServer;
  readonly #open = new Set<SchemaStaging>();

  constructor(options: SchemaTargetOptions) {
    const settings = { ...defaultTargetSettings, ...options.settings };
    this.#options = options;
    this.#server = new TargetServer(options.connection, settings);
    this.#builder = new TargetServer(options.builder, settings);
  }

  inspect(plan: Plan, catalogue: Catalogue): Promise<{ readonly facts: TargetFacts; readonly findings: readonly Finding[] }> {
    const { clock, verifiers = [] } = this.#options;
    const places = toPlaces(newRunId(clock.now()), findSwapped(catalogue));
    const today = toTimestamp(clock.now()).slice(0, 10);
    const parts = { server: this.#server, builder: this.#builder, plan, catalogue, verifiers, places, today };
    return this.#withSession((session) => inspectSwap({ ...parts, session }));
  }

  sweep(): Promise<readonly string[]> {
    return this.#withSession((session) =>
      sweepSchemas(session, this.#server.target, () => readBuilder(session, this.#builder, this.#server.target)),
    );
  }

  /** Throws TARGET_BUSY while another run or a roll-back holds the target. Leaves nothing behind when it throws. */
  async begin(plan: Plan, catalogue: Catalogue, run: StagingRun & { readonly nonce: Uint8Array }): Promise<SchemaStaging> {
    const hold = await this.#server.open(this.#server.target, holding);
    try {
      await lockForRun(hold, this.#server.target, run.id);
      return await this.#build(hold, plan, catalogue, run);
    } catch (error) {
      await hold.end();
      throw error;
    }
  }

  async datasets(): Promise<readonly DatasetVersion[]> {
    return this.#withSession(async (session) => (await readVersions(session, this.#server.target)).map(toDataset));
  }

  place(): Promise<{ readonly server: string; readonly database: string }> {
    const { target: database } = this.#server;
    return this.#withSession(async (session) => ({ server: (await readSystemIdentifier(session)) ?? '', database }));
  }

  findAlive(runIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#withSession((session) => findAlive(session, this.#server.target, runIds));
  }

  marker({ database, schema }: DatasetVersion): Promise<MarkerSeen> {
    return readMarkerOf(this.#server, database, schema);
  }

  quarantine(runId: string): Promise<void> {
    return this.#withSession(async (session) => {
      await lockTarget(session, this.#server.target);
      await quarantineSchemas(session, this.#server.target, runId);
    });
  }

  dropSteps({ runId }: DatasetVersion): Promise<readonly DropStep[]> {
    return this.#withSession((session) => readSchemaDropSteps(session, this.#server.target, runId));
  }

  drop(runId: string, steps: readonly DropStep[]): Promise<readonly DropKept[]> {
    const { onStep = () => undefined } = this.#options;
    return this.#withSession(async (session) => {
      await lockTarget(session, this.#server.target);
      await dropSchemaVersion(session, this.#server.target, runId, steps, onStep);
      return [];
    });
  }

  seeDropped(steps: readonly DropStep[]): Promise<DropSeen> {
    return this.#withSession((session) => seeDropped(session, steps));
  }

  rollback(permit?: Permit): Promise<DatasetVersion> {
    const { clock, verifiers = [], onStep } = this.#options;
    return this.#withSession(async (session) => {
      await lockTarget(session, this.#server.target);
      return rollbackSwap(this.#server, session, clock, verifiers, permit, onStep);
    });
  }

  /** Drops the staging of this object's runs that was neither published nor dropped. */
  async close(): Promise<void> {
    for (const staging of this.#open) await staging.drop();
    this.#open.clear();
  }

  async #build(hold: Session, plan: Plan, catalogue: Catalogue, run: StagingRun & { readonly nonce: Uint8Array }): Promise<SchemaStaging> {
    const { target } = this.#server;
    const { clock, onStep = () => undefined } = this.#options;
    const builderName = await this.#requireBuilder(hold);
    const rows = await readSchemas(hold);
    const versions = toVersions(rows, target);
    const current = findCurrent(versions);
    await this.#requireOurs(hold, current, plan);
    await this.#requireOther(hold, plan);
    // An attempt that was given up has published after all: a second version of one run is none.
    if (versions.some(({ ours }) => ours.runId === run.id && ours.state !== 'staging'))
      throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
    const places = toPlaces(run.id, findSwapped(catalogue));
    const taken = rows.filter(({ name }) => places.schemas.has(name)).map(({ name }) => name);
    const template = await readTemplate(this.#server, plan, catalogue, places, taken);
    const staging = new SchemaStaging({
      ...{ server: this.#server, builder: this.#builder, builderName, hold, places, nonce: run.nonce, plan, clock, onStep },
      statements: toStagingStatements(template, catalogue, plan, places),
      expectedRun: current?.ours.runId ?? null,
    });
    this.#open.add(staging);
    try {
      const version = versions.reduce((highest, { ours }) => Math.max(highest, ours.version), run.retired ?? 0) + 1;
      await onStep('schemas.create');
      await createSchemas(hold, places, { target, version, state: 'staging', runId: run.id }, builderName, catalogue, toDropped(plan));
      await staging.createSchema();
      return staging;
    } catch (error) {
      // What failed is what the caller must hear; what could not be dropped now is dropped by the next sweep.
      await staging.drop().catch(() => undefined);
      throw error;
    }
  }

  /** Asked again by whoever builds: since the plan somebody may have given the login more. */
  async #requireBuilder(session: Session): Promise<string> {
    const name = await readBuilder(session, this.#builder, this.#server.target);
    const [problem] = await findBuilder(session, name, this.#server.target, this.#builder.connection.name);
    if (problem) throw toError(problem.code, problem.where);
    return name;
  }

  async #requireOurs(session: Session, current: Version | undefined, { facts }: Plan): Promise<void> {
    if (!current || facts.target.adopt) return;
    const problem = toMarkerProblem(await readMarker(session.client), current.ours, this.#options.verifiers ?? []);
    if (problem !== undefined) throw toError('TARGET_NOT_OURS', { stage: 'deliver', name: this.#server.target, expected: problem });
  }

  async #requireOther(session: Session, { source }: Plan): Promise<void> {
    const [database] = await session.query<{ oid: number }>('SELECT oid FROM pg_database WHERE datname = current_database()');
    const isSource = database?.oid === source.databaseOid && (await readSystemIdentifier(session)) === source.systemIdentifier;
    if (isSource) throw toError('TARGET_IS_SOURCE', { stage: 'deliver', name: this.#server.target });
  }

  async #withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#server.open(this.#server.target, holding);
    try {
      return await work(session);
    } catch (error) {
      throw error instanceof BautaError ? error : session.toError(error);
    } finally {
      await session.end();
    }
  }
}

/** Staging has its schemas already, and their comments; roles of policies are the environment's since the template. */
function toStagingStatements(template: Catalogue, source: Catalogue, plan: Plan, places: Places): SchemaStatements {
  const { preData, postData } = toSchemaStatements(template, { role: (name) => name });
  const isSchema = ({ object }: { readonly object: string }): boolean => /^(?:comment on )?schema /.test(object);
  const cut = findCut(source, plan).map((one) => toValidation({ ...one, table: toPlaced(places, one.table) }));
  return {
    preData: preData.filter((statement) => !isSchema(statement)),
    postData: [...postData.map((phase) => phase.filter((statement) => !isSchema(statement))), cut],
  };
}

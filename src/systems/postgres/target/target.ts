// The Target port on Postgres, direct delivery: a staging database beside the target, and one switch. The door of this folder.
import type { Clock } from '../../../kernel/clock.js';
import { toError } from '../../../kernel/errors.js';
import type { Verifier } from '../../../kernel/signed-note.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { MarkerSeen } from '../../../pipeline/marker.js';
import type { Plan } from '../../../pipeline/plan.js';
import type { DatasetVersion, Target, TargetFacts } from '../../../pipeline/ports.js';
import type { Finding } from '../../../kernel/errors.js';
import type { ConnectionTarget } from '../connection.js';
import type { SchemaStatements } from './build-schema.js';
import { createStaging } from './create-staging.js';
import { createRunLogin } from './run-login.js';
import { type Database, readDatabases, toDatasets } from './databases.js';
import { inspect, readSystemIdentifier } from './inspect.js';
import { findMarkerProblem, readMarkerOf } from './marker-of.js';
import { toEnvironmentRoles, toStagingName } from './names.js';
import { rollback } from './publish.js';
import { findAlive, lockForRun, lockTarget } from './locks.js';
import { type Session, TargetServer, type TargetSettings, defaultTargetSettings } from './session.js';
import { PostgresStaging } from './staging.js';
import type { OnStep } from './steps.js';
import { sweep } from './sweep.js';

export type { SchemaStatements, Statement } from './build-schema.js';
export type { TargetSettings } from './session.js';
export { defaultTargetSettings } from './session.js';
export { type EnvironmentRoles, toEnvironmentRoles } from './names.js';
export { type TargetStep, targetSteps } from './steps.js';

export interface PostgresTargetOptions {
  /** Points at the target database, which need not exist yet. */
  readonly connection: ConnectionTarget;
  readonly schemaStatements: (catalogue: Catalogue, plan: Plan) => SchemaStatements;
  readonly clock: Clock;
  /** Keys of the logs whose markers are known here. */
  readonly verifiers?: readonly Verifier[];
  readonly settings?: Partial<TargetSettings>;
  /** Told before each step that changes the server. What it throws stops the run there. */
  readonly onStep?: OnStep;
}

export class PostgresTarget implements Target {
  readonly #options: PostgresTargetOptions;
  readonly #server: TargetServer;
  readonly #open = new Set<PostgresStaging>();

  constructor(options: PostgresTargetOptions) {
    this.#options = options;
    this.#server = new TargetServer(options.connection, { ...defaultTargetSettings, ...options.settings });
  }

  inspect(plan: Plan, catalogue: Catalogue): Promise<{ readonly facts: TargetFacts; readonly findings: readonly Finding[] }> {
    return this.#withMaintenance((session) => inspect(this.#server, session, plan, catalogue, this.#verifiers));
  }

  sweep(): Promise<readonly string[]> {
    return this.#withMaintenance(sweep);
  }

  /** Throws TARGET_BUSY while another run or a roll-back holds the target. Leaves nothing behind when it throws. */
  async begin(plan: Plan, catalogue: Catalogue, run: { readonly id: string; readonly nonce: Uint8Array }): Promise<PostgresStaging> {
    const hold = await this.#server.openMaintenance();
    try {
      await lockForRun(hold, this.#server.target, run.id);
      return await this.#build(hold, plan, catalogue, run);
    } catch (error) {
      await hold.end();
      throw error;
    }
  }

  async datasets(): Promise<readonly DatasetVersion[]> {
    return this.#withMaintenance(async (session) => toDatasets(await readDatabases(session), this.#server.target));
  }

  place(): Promise<{ readonly server: string; readonly database: string }> {
    const { target: database } = this.#server;
    return this.#withMaintenance(async (session) => ({ server: (await readSystemIdentifier(session)) ?? '', database }));
  }

  findAlive(runIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#withMaintenance((session) => findAlive(session, this.#server.target, runIds));
  }

  marker({ database }: DatasetVersion): Promise<MarkerSeen> {
    return readMarkerOf(this.#server, database);
  }

  rollback(): Promise<DatasetVersion> {
    return this.#withMaintenance(async (session) => {
      await lockTarget(session, this.#server.target);
      return rollback(this.#server, session, this.#options.clock, this.#verifiers);
    });
  }

  /** Drops the staging of this object's runs that was neither published nor dropped. */
  async close(): Promise<void> {
    for (const staging of this.#open) await staging.drop();
    this.#open.clear();
  }

  async #build(
    hold: Session,
    plan: Plan,
    catalogue: Catalogue,
    run: { readonly id: string; readonly nonce: Uint8Array },
  ): Promise<PostgresStaging> {
    const { target } = this.#server;
    const { clock, onStep = () => undefined } = this.#options;
    const databases = await readDatabases(hold);
    const current = databases.find(({ name }) => name === target);
    await this.#requireOurs(current, plan);
    const isSource = current?.oid === plan.source.databaseOid && (await readSystemIdentifier(hold)) === plan.source.systemIdentifier;
    if (isSource) throw toError('TARGET_IS_SOURCE', { stage: 'deliver', name: target });
    // An attempt that was given up has published after all: a second version of one run is none.
    if (databases.some(({ ours }) => ours?.target === target && ours.runId === run.id && ours.state !== 'staging'))
      throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
    const statements = this.#options.schemaStatements(catalogue, plan);
    const login = createRunLogin();
    const database = toStagingName(target, run.id);
    const staging = new PostgresStaging({
      server: this.#server,
      hold,
      database,
      nonce: run.nonce,
      plan,
      statements,
      expectedOid: current?.oid ?? null,
      clock,
      onStep,
      password: login.password,
    });
    this.#open.add(staging);
    try {
      const version = toDatasets(databases, target).reduce((highest, dataset) => Math.max(highest, dataset.version), 0) + 1;
      const ours = { target, version, state: 'staging', runId: run.id } as const;
      const { encoding, locale } = current ?? catalogue.server;
      const roles = toEnvironmentRoles(target, plan.facts.target.roles);
      await createStaging(hold, { name: database, ours, roles, verifier: login.verifier, encoding, locale }, onStep);
      await staging.createSchema();
      return staging;
    } catch (error) {
      // What failed is what the caller must hear; what could not be dropped now is dropped by the next sweep.
      await staging.drop().catch(() => undefined);
      throw error;
    }
  }

  async #requireOurs(current: Database | undefined, { facts }: Plan): Promise<void> {
    if (!current || facts.target.adopt) return;
    const { target } = this.#server;
    if (current.ours?.target !== target) throw toError('TARGET_NOT_OURS', { stage: 'deliver', name: target });
    const problem = await findMarkerProblem(this.#server, target, current.ours, this.#verifiers);
    if (problem !== undefined) throw toError('TARGET_NOT_OURS', { stage: 'deliver', name: target, expected: problem });
  }

  get #verifiers(): readonly Verifier[] {
    return this.#options.verifiers ?? [];
  }

  async #withMaintenance<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#server.openMaintenance();
    try {
      return await work(session);
    } finally {
      await session.end();
    }
  }
}

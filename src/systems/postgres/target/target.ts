// The Target port on Postgres, direct delivery: a staging database beside the target, and one switch. The door of this folder.
import type { Clock } from '../../../kernel/clock.js';
import { BautaError, toError } from '../../../kernel/errors.js';
import { newRunId } from '../../../kernel/ids.js';
import type { Verifier } from '../../../kernel/signed-note.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { MarkerSeen } from '../../../pipeline/marker.js';
import type { DeliveryPlan } from '../../../pipeline/delivery-plan.js';
import type { RolesDefinition } from '../../../pipeline/definition.js';
import type {
  AdoptedStaging, DatasetVersion, DropKept, DropOptions, DropSeen, DropStep, Permit, Login, SharedStaging, StagingRun, Target, TargetFacts,
} from '../../../pipeline/ports.js'; // prettier-ignore
import type { Finding } from '../../../kernel/errors.js';
import type { ConnectionTarget } from '../connection.js';
import type { SchemaStatements } from './build-schema.js';
import { PostgresClones } from './clones.js';
import { createStaging } from './create-staging.js';
import { createRunLogin } from './run-login.js';
import { type Database, readDatabases, toDatasets } from './databases.js';
import { quarantineVersion } from './close-database.js';
import { dropVersion, readDropSteps, seeDropped } from './drop-version.js';
import { inspect, readSystemIdentifier } from './inspect.js';
import { findMarkerProblem, readMarkerOf } from './marker-of.js';
import { toEnvironmentRoles, toStagingName } from './names.js';
import { rollback } from './publish.js';
import { openReading } from './reading-login.js';
import { type Kept, RangeRecord, readRecord, readSteps } from './range-record.js';
import { findAlive, lockAfter, lockForRun, lockTarget } from './locks.js';
import { type Session, TargetServer, type TargetSettings, defaultTargetSettings } from './session.js';
import { SessionPool } from './session-pool.js';
import { PostgresStaging, stagingSettings } from './staging.js';
import type { OnStep } from './steps.js';
import { dropStaging, isStaging, sweep } from './sweep.js';

export type { SchemaStatements, Statement } from './build-schema.js';
export type { TargetSettings } from './session.js';
export { defaultTargetSettings } from './session.js';
export { type EnvironmentRoles, toEnvironmentRoles } from './names.js';
export { type TargetStep, cloneSteps, dropSteps, rollbackSteps, targetSteps, templateSteps } from './steps.js';

export interface PostgresTargetOptions {
  /** Points at the target database, which need not exist yet. */
  readonly connection: ConnectionTarget;
  readonly schemaStatements: (catalogue: Catalogue, plan: DeliveryPlan) => SchemaStatements;
  readonly clock: Clock;
  /** Keys of the logs whose markers are known here. */
  readonly verifiers?: readonly Verifier[];
  readonly settings?: Partial<TargetSettings>;
  /** Told before each step that changes the server. What it throws stops the run there. */
  readonly onStep?: OnStep;
}

/** There is no such database or role any more, or it is of a run that kept its password to itself. */
const nobodyThere: ReadonlySet<string> = new Set(['DATABASE_MISSING', 'TARGET_RUN_LOGIN_REFUSED']);

/** It takes no connections: who made it was killed before he opened it, or who dropped it after he had shut it. */
const isShut = ({ code, where }: BautaError): boolean => code === 'SERVER_ERROR' && where.sqlState === '55000';

export class PostgresTarget implements Target {
  readonly clones: PostgresClones;
  readonly #options: PostgresTargetOptions;
  readonly #server: TargetServer;
  readonly #open = new Set<PostgresStaging>();

  constructor(options: PostgresTargetOptions) {
    this.#options = options;
    this.#server = new TargetServer(options.connection, { ...defaultTargetSettings, ...options.settings });
    const { clock, verifiers = [], onStep = () => undefined } = options;
    this.clones = new PostgresClones({ server: this.#server, clock, verifiers, onStep });
  }

  inspect(plan: DeliveryPlan, catalogue: Catalogue): Promise<{ readonly facts: TargetFacts; readonly findings: readonly Finding[] }> {
    return this.#withMaintenance((session) => inspect(this.#server, session, plan, catalogue, this.#verifiers));
  }

  sweep(goesOn: ReadonlySet<string> = new Set()): Promise<readonly string[]> {
    return this.#withMaintenance((session) => sweep(session, goesOn));
  }

  /** Throws TARGET_BUSY while another run or a roll-back holds the target. Leaves nothing behind when it throws. */
  async begin(plan: DeliveryPlan, catalogue: Catalogue, run: StagingRun & { readonly nonce: Uint8Array }): Promise<PostgresStaging> {
    const hold = await this.#server.openMaintenance();
    try {
      await lockForRun(hold, this.#server.target, run.id);
      return await this.#build(hold, plan, catalogue, run);
    } catch (error) {
      await hold.end();
      throw error;
    }
  }

  async adopt(plan: DeliveryPlan, catalogue: Catalogue, run: StagingRun, planDigest: string): Promise<AdoptedStaging | undefined> {
    const hold = await this.#server.openMaintenance();
    try {
      await lockAfter(hold, this.#server.target, run.id);
      const name = toStagingName(this.#server.target, run.id);
      const databases = await readDatabases(hold);
      const found = databases.find((one) => one.name === name && isStaging(one));
      const kept = found && run.password !== undefined ? await this.#readKept(name, run.password, planDigest) : undefined;
      if (!kept) {
        await dropStaging(hold, name);
        await hold.end();
        return undefined;
      }
      const current = databases.find((one) => one.name === this.#server.target);
      await this.#requireOurs(current, plan);
      const staging = this.#toStaging(hold, name, plan, catalogue, current, kept.nonce, run.password!);
      return { staging, ranges: staging.goOn(kept.ranges, kept.made), moment: kept.moment };
    } catch (error) {
      await hold.end();
      throw error;
    }
  }

  async share(run: StagingRun, planDigest: string): Promise<SharedStaging | undefined> {
    const database = toStagingName(this.#server.target, run.id);
    const { password } = run;
    if (password === undefined) return undefined;
    const kept = await this.#readKept(database, password, planDigest);
    if (!kept) return undefined;
    const open = (): Promise<Session> => this.#server.openAs({ role: database, password }, database, stagingSettings);
    const pools = [new SessionPool(open, this.#server.settings.loadConnections), new SessionPool(open, 1)] as const;
    const ranges = new RangeRecord(kept.ranges, ...pools, password, () => this.#options.onStep?.('data.load'));
    const close = async (): Promise<void> => void (await Promise.all(pools.map((pool) => pool.close())));
    return { ranges, moment: kept.moment, nonce: kept.nonce, close };
  }

  /** What is recorded in staging for this plan; undefined where nothing is, or nobody lets us in. */
  async #readKept(
    database: string,
    password: string,
    planDigest: string,
  ): Promise<(Kept & { readonly made: ReadonlySet<string> }) | undefined> {
    let session: Session;
    try {
      session = await this.#server.openAs({ role: database, password }, database, stagingSettings);
    } catch (error) {
      if (error instanceof BautaError && (nobodyThere.has(error.code) || isShut(error))) return undefined;
      throw error;
    }
    try {
      const kept = await readRecord(session);
      return kept?.planDigest === planDigest ? { ...kept, made: await readSteps(session) } : undefined;
    } finally {
      await session.end();
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

  quarantine(runId: string): Promise<void> {
    return this.#withMaintenance(async (session) => {
      await lockTarget(session, this.#server.target);
      await quarantineVersion(session, this.#server.target, runId);
    });
  }

  dropSteps(version: DatasetVersion, options?: Parameters<Target['dropSteps']>[1]): Promise<readonly DropStep[]> {
    return this.#withMaintenance((session) => readDropSteps(session, this.#server.target, version, options));
  }

  drop(runId: string, steps: readonly DropStep[], options: DropOptions = {}): Promise<readonly DropKept[]> {
    const { onStep = () => undefined } = this.#options;
    return this.#withMaintenance(async (session) => {
      await lockTarget(session, this.#server.target);
      return dropVersion(session, this.#server.target, runId, steps, options, onStep);
    });
  }

  seeDropped(steps: readonly DropStep[]): Promise<DropSeen> {
    return this.#withMaintenance((session) => seeDropped(session, steps));
  }

  reading(roles?: RolesDefinition): Promise<{ readonly login: Login; close(): Promise<void> }> {
    return openReading(this.#server, newRunId(this.#options.clock.now()), toEnvironmentRoles(this.#server.target, roles).readOnly);
  }

  rollback(permit?: Permit): Promise<DatasetVersion> {
    return this.#withMaintenance(async (session) => {
      await lockTarget(session, this.#server.target);
      return rollback(this.#server, session, this.#options.clock, this.#verifiers, permit, this.#options.onStep);
    });
  }

  /** Drops the staging of this object's runs that was neither published nor dropped. */
  async close(): Promise<void> {
    for (const staging of this.#open) await staging.drop();
    this.#open.clear();
  }

  async #build(
    hold: Session,
    plan: DeliveryPlan,
    catalogue: Catalogue,
    run: StagingRun & { readonly nonce: Uint8Array },
  ): Promise<PostgresStaging> {
    const { target } = this.#server;
    const { onStep = () => undefined } = this.#options;
    const databases = await readDatabases(hold);
    const current = databases.find(({ name }) => name === target);
    await this.#requireOurs(current, plan);
    const isSource = current?.oid === plan.source.databaseOid && (await readSystemIdentifier(hold)) === plan.source.systemIdentifier;
    if (isSource) throw toError('TARGET_IS_SOURCE', { stage: 'deliver', name: target });
    // An attempt that was given up has published after all: a second version of one run is none.
    if (databases.some(({ ours }) => ours?.target === target && ours.runId === run.id && ours.state !== 'staging'))
      throw toError('TARGET_CHANGED', { stage: 'deliver', name: target });
    const login = createRunLogin(run.password);
    const database = toStagingName(target, run.id);
    const staging = this.#toStaging(hold, database, plan, catalogue, current, run.nonce, login.password);
    try {
      const version = toDatasets(databases, target).reduce((highest, dataset) => Math.max(highest, dataset.version), run.retired ?? 0) + 1;
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

  #toStaging(
    hold: Session,
    database: string,
    plan: DeliveryPlan,
    catalogue: Catalogue,
    current: Database | undefined,
    nonce: Uint8Array,
    password: string,
  ): PostgresStaging {
    const { clock, schemaStatements, onStep = () => undefined } = this.#options;
    const statements = schemaStatements(catalogue, plan);
    const expectedOid = current?.oid ?? null;
    const staging = new PostgresStaging({
      server: this.#server,
      hold,
      database,
      nonce,
      plan,
      statements,
      expectedOid,
      clock,
      onStep,
      password,
    });
    this.#open.add(staging);
    return staging;
  }

  async #requireOurs(current: Database | undefined, { facts }: Pick<DeliveryPlan, 'facts'>): Promise<void> {
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

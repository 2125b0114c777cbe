// A run's staging database, from the first row to publication. The schema's code runs as the run's role, never as ours.
import type { Clock } from '../../../kernel/clock.js';
import { type Finding, toError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import { type Definition, type DefinitionDigest, toDefinitionDigests } from '../../../pipeline/definition-digest.js';
import type { ManifestTable, MarkerRow } from '../../../pipeline/marker.js';
import { type TableName, toLabel } from '../../../pipeline/catalogue.js';
import type { DeliveryPlan, DeliveryTable } from '../../../pipeline/delivery-plan.js';
import type { DatasetVersion, Login, Range, Ranges, SequenceValue, Staging } from '../../../pipeline/ports.js';
import pg from 'pg';

import { readDefinitions } from '../definitions.js';
import { lasting } from '../lasting.js';
import { type SchemaStatements, runInOrder } from './build-schema.js';
import { Building } from './building.js';
import { copyIn, copyInFrozen, isItself } from './copy-in.js';
import { countBeside } from './count-beside.js';
import { databaseOwner, grantRights, handOver } from './hand-over.js';
import { type EnvironmentRoles, toEnvironmentRoles } from './names.js';
import { release } from './locks.js';
import { publish, rehearseRights } from './publish.js';
import { RangeRecord, type RecordOf, addStep, createRecord, dropRecord, toStepDigest } from './range-record.js';
import { setSequences } from './sequences.js';
import { SessionPool } from './session-pool.js';
import type { Session, TargetServer } from './session.js';
import type { OnStep } from './steps.js';
import { dropStaging, dropUnusedEnvironmentRoles } from './sweep.js';
import { freeze } from './template.js';
import { writeMarker } from './write-marker.js';

export interface StagingParts {
  readonly server: TargetServer;
  /** Holds the locks of run and target; with it goes the right to publish. */
  readonly hold: Session;
  readonly database: string;
  readonly nonce: Uint8Array;
  readonly plan: DeliveryPlan;
  readonly statements: SchemaStatements;
  readonly expectedOid: number | null;
  /** Of the run's role, in memory only. */
  readonly password: string;
  readonly clock: Clock;
  readonly onStep: OnStep;
}

/** Several index builds and loads may wait for each other here, and nobody else is in this database: the statement timeout is the limit. */
export const stagingSettings = {
  // Who loads a range has it locked.
  ...lasting,
  lock_timeout: '0',
  synchronous_commit: 'off',
  // Bodies may name what is made after them; the server's notices are read by nobody.
  check_function_bodies: 'off',
  client_min_messages: 'warning',
};

/** For each session that builds: with less, an index of some million rows is sorted on disk. A server that gives more keeps its own. */
export const sortMemoryKb = 128 * 1024;
/**
 * A foreign key is checked by a query of the server's own. The indexes here are new, their pages stand in order, and tables that were loaded
 * frozen need no look at the table itself: reading two indexes beats reading two tables (measured: 0.5 s instead of 1.4 s for 3,000,000 rows).
 * Compiling such a query costs more than it saves.
 */
export const newIndexes = { random_page_cost: '1.1', jit: 'off' };

export class PostgresStaging implements Staging {
  readonly database: string;
  readonly nonce: Uint8Array;
  readonly login: Login;
  readonly #parts: StagingParts;
  readonly #loading: SessionPool;
  /** One session, for what is asked while all others load. */
  readonly #asking: SessionPool;
  readonly #building: Building;
  /** One session for all that the provisioning role does here; gone before the switch, which renames the database under it. */
  #provisioner: Session | undefined;
  #handedOver = false;
  #marked = false;
  #published = false;
  #dropped = false;
  #left = false;
  #dropping: Promise<void> | undefined;

  constructor(parts: StagingParts) {
    this.#parts = parts;
    this.database = parts.database;
    this.nonce = parts.nonce;
    this.login = { role: parts.database, password: parts.password };
    this.#loading = new SessionPool(() => this.#open(), parts.server.settings.loadConnections);
    this.#asking = new SessionPool(() => this.#open(), 1);
    this.#building = new Building(new SessionPool(() => this.#openBuilding(), parts.server.settings.finishConnections));
  }

  /** The schema up to the data. Called once, by begin. */
  async createSchema(): Promise<void> {
    await this.#parts.onStep('schema.create');
    const session = await this.#open();
    try {
      await runInOrder(session, this.#parts.statements.preData, this.database);
    } finally {
      await session.end();
    }
  }

  async record({ moment, planDigest }: Omit<RecordOf, 'nonce'>, ranges: readonly Range[]): Promise<Ranges> {
    this.#requireLock();
    await this.#asking.use((session) => createRecord(session, { moment, planDigest, nonce: this.nonce }, ranges));
    return this.goOn(ranges, new Set());
  }

  /** From the record of an earlier attempt: what of the schema was made then is not made again. */
  goOn(ranges: readonly Range[], made: ReadonlySet<string>): Ranges {
    this.#building.remember({
      has: (statement) => made.has(toStepDigest(statement)),
      add: (session, statement) => addStep(session, toStepDigest(statement)),
    });
    return new RangeRecord(ranges, this.#loading, this.#asking, this.login.password, async () => {
      this.#requireLock();
      await this.#parts.onStep('data.load');
    });
  }

  async load(table: DeliveryTable, batches: AsyncIterable<Masked>, alone: boolean): Promise<{ readonly rows: number }> {
    this.#requireLock();
    await this.#parts.onStep('data.load');
    return { rows: await this.#loading.use((session) => (alone && isItself(table) ? copyInFrozen : copyIn)(session, table, batches)) };
  }

  loaded(table: TableName): void {
    if (this.#dropped || this.#dropping || this.#parts.hold.lost) return;
    const label = `table ${toLabel(table.schema, table.name)}`;
    this.#building.begin((this.#parts.statements.postData[0] ?? []).filter(({ rowsOf }) => rowsOf === label));
  }

  async finish(onProgress: (done: number, of: number) => void = () => undefined): Promise<readonly Finding[]> {
    this.#requireLock();
    await this.#parts.onStep('schema.finish');
    await this.#loading.close();
    return this.#building.makeAll(this.#parts.statements.postData, onProgress);
  }

  async setSequences(values: readonly SequenceValue[]): Promise<void> {
    this.#requireLock();
    const session = await this.#open();
    try {
      await setSequences(session, values);
    } finally {
      await session.end();
    }
  }

  async runAfter(files: readonly { readonly path: string; readonly sql: string }[]): Promise<void> {
    this.#requireLock();
    if (files.length === 0) return;
    // What they do can be done once only: from here on nobody goes on with this staging.
    await this.#asking.use(dropRecord);
    // As the run's role, which owns everything here; what the files make becomes the environment owner's with the rest.
    const session = await this.#open();
    try {
      for (const { path, sql } of files) {
        try {
          // The operator's own file, several statements long: the simple protocol, in one transaction of its own.
          await session.client.query(sql);
        } catch (error) {
          const { code, where } = session.toError(error);
          if (!(error instanceof pg.DatabaseError)) throw toError(code, { ...where, file: path });
          const line = error.position === undefined ? undefined : sql.slice(0, Number(error.position)).split('\n').length;
          throw toError('DELIVER_AFTER_FAILED', { stage: 'deliver', file: path, line, sqlState: error.code });
        }
      }
    } finally {
      await session.end();
    }
  }

  async beside(): Promise<readonly ManifestTable[]> {
    this.#requireLock();
    const session = await this.#open();
    try {
      return await countBeside(session, this.#parts.plan);
    } finally {
      await session.end();
    }
  }

  async definitions(): Promise<readonly DefinitionDigest[]> {
    await this.#settleRights();
    const found: Definition[] = [];
    await this.#asProvisioner(async (session) => {
      found.push(...(await readDefinitions((text, values) => session.query(text, values), null)));
    });
    const { server, hold, expectedOid } = this.#parts;
    const rights = await rehearseRights(hold, { target: server.target, staging: this.database, roles: this.#roles, expectedOid });
    return toDefinitionDigests([...found, ...rights]);
  }

  async mark(row: MarkerRow): Promise<void> {
    await this.#settleRights();
    await this.#parts.onStep('marker.write');
    await this.#asProvisioner((session) => writeMarker(session, row));
    this.#marked = true;
  }

  async publish(version: DatasetVersion): Promise<readonly Finding[]> {
    this.#requireLock();
    // Nothing is published that does not say what it is.
    if (!this.#marked) throw toError('STAGING_UNMARKED');
    const { server, hold, plan, clock, expectedOid, onStep } = this.#parts;
    const roles = this.#roles;
    const { adopt, clones } = plan.facts.target;
    if (clones) await this.#freeze(version, clones.megabytes);
    await this.#endProvisioner();
    await onStep('database.switch');
    await publish(server, hold, { version, staging: this.database, roles, adopt: adopt !== undefined, expectedOid, clock });
    this.#published = true;
    await onStep('target.release');
    await release(hold);
    return [];
  }

  async #freeze(of: DatasetVersion, megabytes: number | undefined): Promise<void> {
    const { server, hold, onStep } = this.#parts;
    let bytes = 0;
    await this.#asProvisioner(async (session) => {
      const [size] = await session.query<{ bytes: string }>('SELECT pg_database_size(current_database())::text AS bytes');
      bytes = Number(size?.bytes);
    });
    await this.#endProvisioner();
    const { target, version, runId, planDigest } = of;
    const ours = { target, version, state: 'staging', runId, planDigest } as const;
    await freeze(server, hold, { staging: this.database, ours, owner: this.#roles.owner, bytes, megabytes }, onStep);
  }

  async leave(): Promise<void> {
    this.#left = true;
    await this.#endSessions();
    await this.#parts.hold.end();
  }

  /** Also while another call works here, whose sessions it ends. A call that failed may be made again. */
  drop(): Promise<void> {
    this.#dropping ??= this.#drop().finally(() => (this.#dropping = undefined));
    return this.#dropping;
  }

  async #drop(): Promise<void> {
    await this.#endSessions();
    const { hold, server } = this.#parts;
    if (this.#dropped || this.#published || this.#left) return hold.end();
    // The lock may be what was lost: then the sweep of another run may be at it already, and finding nothing is fine.
    const session = hold.lost ? await server.openMaintenance() : hold;
    try {
      await dropStaging(session, this.database);
      await dropUnusedEnvironmentRoles(session);
      this.#dropped = true;
    } finally {
      await session.end();
      await hold.end();
    }
  }

  async #endSessions(): Promise<void> {
    await Promise.all([this.#loading.close(), this.#asking.close(), this.#building.close(), this.#endProvisioner()]);
  }

  /** From here on nothing of it changes any more but who may connect. */
  async #settleRights(): Promise<void> {
    this.#requireLock();
    if (this.#handedOver) return;
    await this.#loading.close();
    await this.#asking.use(dropRecord);
    await this.#asking.close();
    await this.#parts.onStep('owner.change');
    await this.#asProvisioner((session) => handOver(session, this.database, this.#roles, this.#objectOwner));
    await this.#asProvisioner((session) => grantRights(session, this.#roles, this.#parts.plan.roles, this.#objectOwner));
    this.#handedOver = true;
  }

  async #asProvisioner(work: (session: Session) => Promise<void>): Promise<void> {
    if (this.#provisioner?.lost) this.#provisioner = undefined;
    const session = (this.#provisioner ??= await this.#parts.server.open(this.database, stagingSettings));
    try {
      await work(session);
    } catch (error) {
      await this.#endProvisioner();
      throw error;
    }
  }

  async #endProvisioner(): Promise<void> {
    const session = this.#provisioner;
    this.#provisioner = undefined;
    await session?.end();
  }

  async #openBuilding(): Promise<Session> {
    const session = await this.#open({ ...stagingSettings, ...newIndexes });
    await session.query(
      `SELECT set_config('maintenance_work_mem', $1, false) FROM pg_settings WHERE name = 'maintenance_work_mem' AND setting::int < $1::int`,
      [String(sortMemoryKb)],
    );
    return session;
  }

  async #open(own: Readonly<Record<string, string>> = stagingSettings): Promise<Session> {
    try {
      return await this.#parts.server.openAs(this.login, this.database, own);
    } catch (error) {
      // Without its locks the run is taken for dead, and its database and login may be swept: that they are gone is no reason of its own.
      if (this.#parts.hold.lost) throw toError('TARGET_LOCK_LOST', { stage: 'deliver', name: this.#parts.server.target });
      throw error;
    }
  }

  get #roles(): EnvironmentRoles {
    return toEnvironmentRoles(this.#parts.server.target, this.#parts.plan.facts.target.roles);
  }

  get #objectOwner(): string {
    return this.#parts.plan.facts.target.clones ? databaseOwner : this.#roles.owner;
  }

  #requireLock(): void {
    if (this.#dropped || this.#published || this.#left) throw toError('STAGING_CLOSED');
    if (this.#parts.hold.lost) throw toError('TARGET_LOCK_LOST', { stage: 'deliver', name: this.#parts.server.target });
  }
}

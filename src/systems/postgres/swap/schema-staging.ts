// A run's staging schemas, from the first row to publication. The source's code runs as the builder, which has no right anywhere else.
import type { Clock } from '../../../kernel/clock.js';
import { type Finding, sortFindings, toError, toFinding } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import { type TableName, toLabel } from '../../../pipeline/catalogue.js';
import { type DefinitionDigest, toDefinitionDigests } from '../../../pipeline/definition-digest.js';
import type { ManifestTable, MarkerRow } from '../../../pipeline/marker.js';
import type { Plan, TablePlan } from '../../../pipeline/plan.js';
import type { DatasetVersion, SequenceValue, Staging } from '../../../pipeline/ports.js';
import { readDefinitions } from '../definitions.js';
import { type SchemaStatements, runInOrder } from '../target/build-schema.js';
import { Building } from '../target/building.js';
import { copyIn, copyInFrozen, isItself } from '../target/copy-in.js';
import { countBeside } from '../target/count-beside.js';
import { release } from '../target/locks.js';
import { type EnvironmentRoles, toEnvironmentRoles } from '../target/names.js';
import { setSequences } from '../target/sequences.js';
import { SessionPool } from '../target/session-pool.js';
import type { Session, TargetServer } from '../target/session.js';
import { newIndexes, sortMemoryKb, stagingSettings } from '../target/staging.js';
import type { OnStep } from '../target/steps.js';
import { writeMarkerTable } from '../target/write-marker.js';
import { endBuilderSessions, findBuilder } from './builder.js';
import { grantInside, handOver } from './create-schemas.js';
import { type Places, toOwnLabel, toPlaced } from './places.js';
import { publishSwap } from './publish-swap.js';
import { dropStaging } from './sweep-schemas.js';

export interface SchemaStagingParts {
  readonly server: TargetServer;
  readonly builder: TargetServer;
  /** The builder's role. */
  readonly builderName: string;
  /** Holds the locks of run and target; with it goes the right to publish. */
  readonly hold: Session;
  readonly places: Places;
  readonly nonce: Uint8Array;
  readonly plan: Plan;
  /** Of staging, under its names. */
  readonly statements: SchemaStatements;
  readonly expectedRun: string | null;
  readonly clock: Clock;
  readonly onStep: OnStep;
}

export class SchemaStaging implements Staging {
  readonly database: string;
  readonly schemas: ReadonlyMap<string, string>;
  readonly nonce: Uint8Array;
  readonly #parts: SchemaStagingParts;
  readonly #loading: SessionPool;
  readonly #building: Building;
  #handedOver = false;
  #marked = false;
  #published = false;
  #dropped = false;
  #dropping: Promise<void> | undefined;

  constructor(parts: SchemaStagingParts) {
    this.#parts = parts;
    this.database = parts.server.target;
    this.schemas = parts.places.schemas;
    this.nonce = parts.nonce;
    this.#loading = new SessionPool(() => this.#open(), parts.server.settings.loadConnections);
    this.#building = new Building(new SessionPool(() => this.#openBuilding(), parts.server.settings.finishConnections));
  }

  /** The schema up to the data. Called once, by begin. */
  async createSchema(): Promise<void> {
    await this.#parts.onStep('schema.create');
    await this.#asBuilder((session) => runInOrder(session, this.#parts.statements.preData, this.#parts.builderName));
  }

  async load(table: TablePlan, batches: AsyncIterable<Masked>, alone: boolean): Promise<{ readonly rows: number }> {
    this.#requireLock();
    await this.#parts.onStep('data.load');
    const copy = alone && isItself(table) ? copyInFrozen : copyIn;
    const there = { ...table, loadInto: toPlaced(this.#parts.places, table.loadInto) };
    return { rows: await this.#loading.use((session) => copy(session, there, batches)) };
  }

  loaded(table: TableName): void {
    if (this.#dropped || this.#dropping || this.#parts.hold.lost) return;
    const { schema, name } = toPlaced(this.#parts.places, table);
    const label = `table ${toLabel(schema, name)}`;
    this.#building.begin((this.#parts.statements.postData[0] ?? []).filter(({ rowsOf }) => rowsOf === label));
  }

  async finish(onProgress: (done: number, of: number) => void = () => undefined): Promise<readonly Finding[]> {
    this.#requireLock();
    await this.#parts.onStep('schema.finish');
    await this.#loading.close();
    const findings = await this.#building.makeAll(this.#parts.statements.postData, onProgress);
    return sortFindings(findings.map((finding) => this.#toOwn(finding)));
  }

  async setSequences(values: readonly SequenceValue[]): Promise<void> {
    this.#requireLock();
    const { places } = this.#parts;
    const placed = values.map((value) => toPlaced(places, value));
    await this.#asBuilder((session) => setSequences(session, placed, [...places.schemas.values()]));
  }

  /** The plan refuses them: they name schemas in text. */
  runAfter(files: readonly { readonly path: string; readonly sql: string }[]): Promise<void> {
    if (files.length > 0) throw toError('SWAP_NOT_WITH', { stage: 'deliver', name: 'after' });
    return Promise.resolve();
  }

  async beside(): Promise<readonly ManifestTable[]> {
    this.#requireLock();
    const { plan, places } = this.#parts;
    const placed = { ...plan, tables: plan.tables.map((table) => toPlaced(places, table)) };
    const own = new Map([...places.schemas].map(([name, place]) => [place, name]));
    const found = await this.#asBuilder((session) => countBeside(session, placed, [...own.keys()]));
    return found.map((table) => ({ ...table, schema: own.get(table.schema) ?? table.schema }));
  }

  async definitions(): Promise<readonly DefinitionDigest[]> {
    await this.#settleRights();
    const { hold, places } = this.#parts;
    const names = [...places.schemas].map(([name, place]) => ({ name, place }));
    // As the server writes names: those of staging are found nowhere else.
    const quoted = await hold.query<{ name: string; place: string }>(
      `SELECT quote_ident(one ->> 'name') AS name, quote_ident(one ->> 'place') AS place FROM jsonb_array_elements($1::jsonb) AS one`,
      [JSON.stringify(names)],
    );
    const toOwn = (text: string): string => quoted.reduce((made, { name, place }) => made.replaceAll(place, name), text);
    const found = await readDefinitions((text, values) => hold.query(text, values), [...places.schemas.values()]);
    return toDefinitionDigests(found.map(({ kind, name, text }) => ({ kind, name: toOwn(name), text: toOwn(text) })));
  }

  async mark(row: MarkerRow): Promise<void> {
    await this.#settleRights();
    const { hold, places, onStep } = this.#parts;
    await onStep('marker.write');
    await hold.transaction(() => writeMarkerTable(hold, row, places.record));
    this.#marked = true;
  }

  /** From here on nothing of it changes any more but its names, and who may come in. */
  async #settleRights(): Promise<void> {
    this.#requireLock();
    if (this.#handedOver) return;
    await this.#loading.close();
    const { hold, places, builderName, builder, onStep } = this.#parts;
    await onStep('owner.change');
    await endBuilderSessions(hold, builderName);
    // What was built may have left the builder more than it had: then nothing of it is published.
    const [problem] = await findBuilder(hold, builderName, this.database, builder.connection.name);
    if (problem) throw toError(problem.code, problem.where);
    await handOver(hold, places, builderName, this.#roles);
    await grantInside(hold, places, this.#roles);
    this.#handedOver = true;
  }

  async publish(version: DatasetVersion): Promise<readonly Finding[]> {
    this.#requireLock();
    // Nothing is published that does not say what it is.
    if (!this.#marked) throw toError('STAGING_UNMARKED');
    const { server, hold, plan, places, expectedRun, clock, onStep } = this.#parts;
    const roles = this.#roles;
    const [now] = await hold.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
    await onStep('schemas.switch');
    const { adopt } = plan.facts.target;
    const order = { version, places, roles, adopt: adopt !== undefined, expectedRun, loadedBy: now?.id ?? '', clock };
    const told = await publishSwap(server, hold, order);
    this.#published = true;
    await onStep('target.release');
    await release(hold);
    return told;
  }

  /** Also while another call works here, whose sessions it ends. A call that failed may be made again. */
  drop(): Promise<void> {
    this.#dropping ??= this.#drop().finally(() => (this.#dropping = undefined));
    return this.#dropping;
  }

  async #drop(): Promise<void> {
    await Promise.all([this.#loading.close(), this.#building.close()]);
    const { hold, server, places, builderName } = this.#parts;
    if (this.#dropped || this.#published) return hold.end();
    // The lock may be what was lost: then the sweep of another run may be at it already, and finding nothing is fine.
    const session = hold.lost ? await server.open(this.database, stagingSettings) : hold;
    try {
      if (!hold.lost) await endBuilderSessions(session, builderName);
      await dropStaging(session, places);
      this.#dropped = true;
    } finally {
      await session.end();
      await hold.end();
    }
  }

  #toOwn({ code, where, severity }: Finding): Finding {
    return toFinding(code, { ...where, object: toOwnLabel(this.#parts.places, where.object ?? '') }, severity);
  }

  async #asBuilder<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#open();
    try {
      return await work(session);
    } finally {
      await session.end();
    }
  }

  async #openBuilding(): Promise<Session> {
    const session = await this.#open({ ...stagingSettings, ...newIndexes });
    await session.query(
      `SELECT set_config('maintenance_work_mem', $1, false) FROM pg_settings WHERE name = 'maintenance_work_mem' AND setting::int < $1::int`,
      [String(sortMemoryKb)],
    );
    return session;
  }

  #open(own: Readonly<Record<string, string>> = stagingSettings): Promise<Session> {
    return this.#parts.builder.open(this.database, own);
  }

  get #roles(): EnvironmentRoles {
    return toEnvironmentRoles(this.#parts.server.target, this.#parts.plan.facts.target.roles);
  }

  #requireLock(): void {
    if (this.#dropped || this.#published) throw toError('STAGING_CLOSED');
    if (this.#parts.hold.lost) throw toError('TARGET_LOCK_LOST', { stage: 'deliver', name: this.#parts.server.target });
  }
}

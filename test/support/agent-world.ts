// A service's side of the broker, as small as it can be: it enrols agents, writes records of a small database to a topic, and tells agents what a service
// tells them. It has the keys; what has none of them is the attacker of the tests.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startAgent } from '../../src/agent/agent.js';
import type { Json } from '../../src/kernel/canonical-json.js';
import { toPrivateKey, toPublicBytes, toPublicKey } from '../../src/kernel/ed25519.js';
import { newRunId } from '../../src/kernel/ids.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { signNote, toSigner } from '../../src/kernel/signed-note.js';
import type { Catalogue } from '../../src/pipeline/catalogue.js';
import { type DeliveryPlan, toDeliveryCatalogue } from '../../src/pipeline/delivery-plan.js';
import { type Marker, type MarkerRow, toManifest, toMarker, toMarkerRow, toMarkerText } from '../../src/pipeline/marker.js';
import type { Plan } from '../../src/pipeline/plan.js';
import { TableDigest } from '../../src/pipeline/verify/verify.js';
import { sealBytes } from '../../src/systems/archive/archive.js';
import {
  type BeginBody, type Broker, type ControlMessage, type ControlType, type EnrolmentRequest, type Invite, MessageReader, type ReadMessage, type ReceiptMessage, createToken,
  openBroker, readEnrolment, readReceipt, toBulkTopic, toClaimedAgent, toControlTopic, toReceiptsTopic, writeControl,
} from '../../src/systems/kafka/kafka.js'; // prettier-ignore
import { type BulkRecord, type DatasetKey, toBulkRecord } from '../../src/systems/kafka/wire/record.js';
import { RecordTree } from '../../src/systems/kafka/wire/record-tree.js';
import { connect } from '../../src/systems/postgres/connection.js';
import { copyOutChunks } from '../../src/systems/postgres/copy-out.js';
import { readCatalogueWithoutMarker } from '../../src/systems/postgres/leave-marker-out.js';
import { quoteName, quoteQualified } from '../../src/systems/postgres/quote.js';
import type { TestKafka } from './kafka.js';
import { type TestServer, startTestServer } from './server.js';

const logSigner = toSigner('test-log', new Uint8Array(32).fill(7));
const partitions = 2;

/** Two tables that refer to each other, one of them in several ranges; names that are SQL to whoever does not quote them. */
export const schemaOf = (rows: number): string => `
  CREATE EXTENSION citext;
  CREATE SCHEMA "Sales; DROP";
  CREATE TABLE "Sales; DROP"."cust""omer" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email citext NOT NULL UNIQUE, note text);
  CREATE TABLE public."order" (id bigint PRIMARY KEY, customer int NOT NULL REFERENCES "Sales; DROP"."cust""omer", total numeric, tags text[]);
  CREATE TABLE public.nothing (id int);
  CREATE VIEW public.big AS SELECT id FROM public."order" WHERE total > 10;
  INSERT INTO "Sales; DROP"."cust""omer" (email, note) SELECT 'u' || i || '@example.com', CASE i % 3 WHEN 0 THEN E'tab\\there\\\\' END FROM generate_series(1, ${Math.ceil(rows / 10)}) i;
  INSERT INTO public."order" SELECT i, 1 + i % ${Math.ceil(rows / 10)}, i * 1.50, ARRAY['a', 'b,"c'] FROM generate_series(1, ${rows}) i;`;

export interface AgentHandle {
  readonly id: () => string | undefined;
  readonly lines: string[];
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

export interface Shipment {
  readonly runId: string;
  readonly begin: BeginBody;
  readonly records: readonly BulkRecord[];
  readonly complete: Json;
  readonly marker: MarkerRow;
}

export class AgentWorld {
  readonly receipts: ReceiptMessage[] = [];
  /** Records on the receipts topic that nobody enrolled signed, or that ask in vain. */
  readonly refusedReceipts: string[] = [];
  readonly agents = new Map<string, EnrolmentRequest>();
  readonly seed = randomBytes(32);
  readonly key = toPrivateKey(this.seed);
  readonly home = mkdtempSync(join(tmpdir(), 'bauta-agents-'));
  invites: Invite[] = [];
  private sequence = 0;
  private readonly stopping = new AbortController();
  private readonly handles: AgentHandle[] = [];
  private listening: Promise<void> = Promise.resolve();
  private readonly known = new Map<string, { reader: MessageReader; highest: number }>();

  private constructor(
    readonly kafka: TestKafka,
    readonly broker: Broker,
    readonly server: TestServer,
    readonly environment: string,
    readonly catalogue: Catalogue,
    private readonly ownsServer: boolean,
  ) {}

  static async start(kafka: TestKafka, environment: string, rows: number, given?: TestServer): Promise<AgentWorld> {
    const server = given ?? (await startTestServer());
    if (!given) {
      await server.sql('postgres', readFileSync(packageFile('deploy', 'target-role.sql'), 'utf8'));
      await server.sql('postgres', `ALTER ROLE bauta_target PASSWORD 'a password'`);
    }
    const source = `source_${environment}`;
    await server.create(source);
    await server.sql(source, schemaOf(rows));
    const client = await connect({ name: 'source', url: server.url(source) });
    const { catalogue } = await readCatalogueWithoutMarker(client, { include: [], exclude: [] }, 'source', []);
    await client.end();
    const broker = await openBroker({ name: 'env:BROKER', hosts: [{ host: '127.0.0.1', port: kafka.ports.plain }] });
    const world = new AgentWorld(kafka, broker, server, environment, catalogue, !given);
    const admin = await broker.admin();
    await admin.create(
      { topic: toControlTopic(world.place), partitions: 1, compacted: true },
      { topic: toReceiptsTopic(world.place), partitions: 1 },
    );
    await admin.close();
    world.listening = world.listen();
    return world;
  }

  get place(): { workspace: string; environment: string } {
    return { workspace: 'local', environment: this.environment };
  }

  url(database: string): string {
    const url = new URL(this.server.url(database));
    url.username = 'bauta_target';
    url.password = 'a password';
    return url.toString();
  }

  /** A file with a token, for one agent. */
  invite(lastsMs = 600_000): string {
    const expiresAt = new Date(Date.now() + lastsMs).toISOString();
    const { token, invite } = createToken({ ...this.place, serviceKey: toPublicBytes(this.key).toString('hex'), expiresAt });
    this.invites.push(invite);
    const file = join(this.home, `token-${invite.tokenId}`);
    writeFileSync(file, token, { mode: 0o600 });
    return file;
  }

  toEnvironment(database: string): Readonly<Record<string, string>> {
    return { BROKER: this.kafka.url, TARGET: this.url(database), BAUTA_AGENT_BROKER: 'env:BROKER', BAUTA_AGENT_TARGET: 'env:TARGET' };
  }

  /** In this process. */
  startAgent(name: string, database: string, tokenFile?: string, more: Readonly<Record<string, string>> = {}): AgentHandle {
    const stopping = new AbortController();
    const lines: string[] = [];
    const environment = { ...this.toEnvironment(database), ...more };
    const ended = startAgent({
      environment,
      home: join(this.home, name),
      tokenFile,
      signal: stopping.signal,
      say: (line) => lines.push(line),
    });
    ended.catch((error: unknown) => lines.push(String(error)));
    const handle: AgentHandle = {
      id: () => /^agent (\w+) /.exec(lines.find((line) => line.startsWith('agent ')) ?? '')?.[1],
      ...{ lines, ended },
      stop: async () => {
        stopping.abort();
        await ended.catch(() => undefined);
      },
    };
    this.handles.push(handle);
    return handle;
  }

  /** Enrolled, and at work. */
  async enrolled(name: string, database: string): Promise<AgentHandle> {
    const handle = this.startAgent(name, database, this.invite());
    await until(
      () => handle.lines.some((line) => line.includes('is at work')),
      () => handle.lines.join('\n'),
    );
    return handle;
  }

  /** Everything of one version, signed; nothing of it is sent yet. */
  async prepare(database: string, version: number, { sealed = false, ranges = 4, recordBytes = 20_000 } = {}): Promise<Shipment> {
    const runId = newRunId(Date.now());
    const nonce = randomBytes(16);
    const plan = toPlanOf(this.catalogue, this.environment);
    const key: DatasetKey | undefined = sealed ? { id: 'k1', secret: randomBytes(32) } : undefined;
    const client = await connect({ name: 'source', url: this.server.url(`source_${this.environment}`) });
    const tree = new RecordTree(plan.tables.length);
    const records: BulkRecord[] = [];
    const tables: { ranges: number; rows: number; bytes: number; digest: string }[] = [];
    for (const [table, { schema, name, columns }] of plan.tables.entries()) {
      const text = `COPY (SELECT ${columns.map((column) => quoteName(column.name)).join(', ')} FROM ${quoteQualified({ schema, name })}) TO STDOUT`;
      const chunks: Uint8Array[] = [];
      for await (const chunk of copyOutChunks(client, text)) chunks.push(Uint8Array.from(chunk));
      const all = Buffer.concat(chunks);
      const digest = new TableDigest(nonce);
      digest.update(all);
      tables.push({ ranges, rows: digest.rows, bytes: digest.bytes, digest: digest.digest() });
      for (const [range, pieces] of cut(all, ranges, recordBytes).entries())
        for (const [sequence, lines] of pieces.entries()) {
          const head = { run: runId, table, range, sequence, last: sequence === pieces.length - 1, rows: count(lines) };
          records.push(await toBulkRecord(head, lines, { environment: this.environment, privateKey: this.key, key }));
        }
    }
    await client.end();
    // As a service writes: streams mixed, each in its own order.
    const mixed = records.map((record, at) => ({ record, at })).sort((a, b) => a.record.head.sequence - b.record.head.sequence || a.at - b.at).map(({ record }) => record); // prettier-ignore
    for (const { head, leaf } of mixed) tree.add(head, leaf);
    const topic = toBulkTopic(this.place, runId);
    const planDigest = `sha256:${'ab'.repeat(32)}`;
    const seals = await Promise.all([...this.agents.values()].map(async ({ agentId, recipient }) => [agentId, Buffer.from(await sealBytes(key?.secret ?? nonce, recipient)).toString('base64')])); // prettier-ignore
    const begin: BeginBody = {
      ...{
        catalogue: toDeliveryCatalogue(this.catalogue, plan),
        plan,
        planDigest,
        nonce: nonce.toString('hex'),
        target: database,
        version,
      },
      ...{ ranges: plan.tables.map(() => ranges), topic, partitions, streams: plan.tables.length * ranges },
      ...(key && { sealed: { keyId: key.id, for: Object.fromEntries(seals) as Record<string, string> } }),
    };
    const complete = {
      tables,
      records: records.length,
      root: tree.root().toString('hex'),
      sequences: [],
      findings: { errors: 0, warnings: 0 },
    };
    return { runId, begin, records: mixed, complete, marker: this.toMarker(runId, begin, tables) };
  }

  private toMarker(runId: string, begin: BeginBody, tables: readonly { rows: number; digest: string }[]): MarkerRow {
    const { plan, target, version, planDigest } = begin;
    const receipts = plan.tables.map(({ schema, name }, at) => ({
      schema,
      table: name,
      rows: tables[at]!.rows,
      digest: tables[at]!.digest,
    }));
    const manifest = toManifest(plan as unknown as Plan, receipts, []);
    const named = { ...plan, facts: { ...plan.facts, retentionDays: 30 } } as unknown as Plan;
    const of = {
      plan: named,
      version: { target, version, runId, planDigest },
      systemIdentifier: '1',
      nonce: Buffer.from(begin.nonce, 'hex'),
    };
    const marker: Marker = toMarker({ ...of, manifest, log: { origin: 'test-log', index: 4 }, madeAtMs: Date.now() });
    return toMarkerRow(marker, manifest, signNote(toMarkerText(marker), logSigner));
  }

  async createTopic({ begin }: Shipment): Promise<void> {
    const admin = await this.broker.admin();
    await admin.create({ topic: begin.topic, partitions });
    await admin.close();
  }

  async write(
    { begin }: Pick<Shipment, 'begin'>,
    records: readonly (Pick<BulkRecord, 'headers' | 'value'> & { partition?: number; head?: BulkRecord['head'] })[],
  ): Promise<void> {
    const producer = await this.broker.producer();
    const placed = records.map(({ headers, value, head, partition }) => ({
      ...{ key: null, headers, value },
      partition: partition ?? ((head?.table ?? 0) * 31 + (head?.range ?? 0)) % partitions,
    }));
    await producer.send({ topic: begin.topic, records: placed });
    await producer.close();
  }

  async tell(
    type: ControlType,
    runId: string,
    body: unknown,
    version?: number,
    more: { lastsMs?: number; sequence?: number } = {},
  ): Promise<void> {
    this.sequence = more.sequence ?? Math.max(this.sequence + 1, Date.now());
    const message: ControlMessage = {
      ...{ v: 1 as const, type, ...this.place, runId, sequence: this.sequence, body: JSON.parse(JSON.stringify(body)) as Json },
      ...(version !== undefined && { version }),
      ...{ issuedAt: new Date().toISOString(), expiresAt: new Date(Date.now() + (more.lastsMs ?? 600_000)).toISOString() },
    };
    await this.send(toControlTopic(this.place), writeControl(message, this.key));
  }

  /** Anybody may: with whatever he has. */
  async send(
    topic: string,
    records: readonly { key: string | Buffer | null; value: Buffer | null; headers?: Readonly<Record<string, string>> }[],
  ): Promise<void> {
    const producer = await this.broker.producer();
    await producer.send({ topic, records });
    await producer.close();
  }

  /** The whole way of one version, but for what a test does in between. */
  async ship(shipment: Shipment, between: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const { runId, begin, records, complete, marker } = shipment;
    await this.createTopic(shipment);
    await this.tell('begin', runId, begin, begin.version);
    await this.write(shipment, records.slice(0, Math.ceil(records.length / 2)));
    await between();
    await this.write(shipment, records.slice(Math.ceil(records.length / 2)));
    await this.tell('complete', runId, complete, begin.version);
    await this.tell('publish', runId, { version: begin.version, marker, expiresAt: marker.expiresAt }, begin.version);
  }

  /** The receipt of such a type; throws what an agent said instead. */
  async heard(type: ReceiptMessage['type'], runId: string, agentId?: string, timeoutMs = 40_000): Promise<ReceiptMessage> {
    const find = (wanted: string): ReceiptMessage | undefined =>
      this.receipts.find((one) => one.type === wanted && one.runId === runId && (agentId === undefined || one.agentId === agentId));
    await until(
      () => find(type) !== undefined || (type !== 'failed' && find('failed') !== undefined),
      () => this.tellAll(),
      timeoutMs,
    );
    const found = find(type);
    if (!found) throw new Error(`the agent failed: ${JSON.stringify(find('failed')?.body)}`);
    return found;
  }

  private tellAll(): string {
    return [
      ...this.receipts.map(({ type, body }) => `${type} ${JSON.stringify(body)}`),
      ...this.handles.flatMap(({ lines }) => lines),
    ].join('\n');
  }

  /** Names of the codes of what failed. */
  async failed(runId: string, timeoutMs?: number): Promise<string[]> {
    const { body } = await this.heard('failed', runId, undefined, timeoutMs);
    return (body as { findings: { code: string }[] }).findings.map(({ code }) => code);
  }

  private async listen(): Promise<void> {
    const reader = await this.broker.reader({ topic: toReceiptsTopic(this.place), signal: this.stopping.signal, waitMs: 100 });
    try {
      while (!this.stopping.signal.aborted)
        for (const { key, value, headers } of await reader.read()) await this.take({ key, value, headers: Object.fromEntries(headers) });
    } catch (error) {
      if (!this.stopping.signal.aborted) this.refusedReceipts.push(String(error));
    } finally {
      await reader.close();
    }
  }

  private async take(record: ReadMessage): Promise<void> {
    const asked = readEnrolment(record, { ...this.place, nowMs: Date.now(), invites: this.invites });
    if (asked && 'problem' in asked) return void this.refusedReceipts.push(asked.problem);
    if (asked) return this.pin(asked.request);
    const agentId = toClaimedAgent(record) ?? '';
    const known = this.known.get(agentId);
    if (!known) return void this.refusedReceipts.push('unknown agent');
    const read = readReceipt(known.reader, record, { ...this.place, agentId, highest: known.highest });
    if (!read) return;
    if ('problem' in read) return void this.refusedReceipts.push(read.problem);
    known.highest = read.message.sequence;
    this.receipts.push(read.message);
  }

  private async pin(request: EnrolmentRequest): Promise<void> {
    const { agentId, tokenId, publicKey, recipient } = request;
    this.invites = this.invites.filter((invite) => invite.tokenId !== tokenId);
    this.agents.set(agentId, request);
    this.known.set(agentId, { reader: new MessageReader('receipt', toPublicKey(Buffer.from(publicKey, 'hex'))), highest: 0 });
    await this.tell('enrolled', agentId, { publicKey, recipient });
  }

  async stop(): Promise<void> {
    for (const handle of this.handles) await handle.stop();
    this.stopping.abort();
    await this.listening;
    await this.broker.close();
    if (this.ownsServer) await this.server.stop();
    rmSync(this.home, { recursive: true, force: true });
  }
}

function toPlanOf(catalogue: Catalogue, environment: string): DeliveryPlan {
  const tables = catalogue.tables.map(({ schema, name, kind, columns }) => {
    const written = columns.filter(({ generated }) => generated === '').map((column) => ({ name: column.name }));
    return { schema, name, kind, rows: 'all', loadInto: { schema, name }, columns: written };
  });
  return {
    environment,
    cutReferences: [],
    facts: { target: {}, schemaTexts: [] },
    source: { systemIdentifier: '1', databaseOid: 1 },
    tables,
  };
}

/** Whole lines: so many ranges, each in records; an empty range is one empty record. */
function cut(all: Buffer, ranges: number, recordBytes: number): Buffer[][] {
  const cutAt = (text: Buffer, size: number): Buffer[] => {
    const pieces: Buffer[] = [];
    for (let from = 0; from < text.length;) {
      const end = text.indexOf(10, Math.min(from + size, text.length) - 1) + 1;
      pieces.push(text.subarray(from, end));
      from = end;
    }
    return pieces.length === 0 ? [Buffer.alloc(0)] : pieces;
  };
  const parts = cutAt(all, Math.ceil(all.length / ranges) + 1);
  while (parts.length < ranges) parts.push(Buffer.alloc(0));
  return parts.map((part) => cutAt(part, recordBytes));
}

const count = (lines: Buffer): number => lines.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);

export async function until(condition: () => boolean | Promise<boolean>, tell: () => string, timeoutMs = 40_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`it did not come to that:\n${tell()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

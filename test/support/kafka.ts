// A real Apache Kafka on this machine: KRaft, one node, 384 MB, listeners in clear (on loopback, where everybody is the tests' administrator), TLS (with a
// client's certificate) and TLS with a login (PLAIN, SCRAM, OAUTHBEARER), and an authorizer that allows what was granted. `shareKafka` gives all files of one
// Jest run the same one, which ends with the run; `startKafka` one of a file's own, which it may kill. Names of topics MUST be the file's own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageFile } from '../../src/kernel/package-root.js';
import { createAuthority, type Issued } from './certificates.js';
import { findFreePort } from './free-port.js';

/** The jars that test/support/kafka/build copied; undefined, said loudly, where they or Java are missing; an error instead when BAUTA_WORLD=required. */
export function findKafka(): string | undefined {
  const digest = createHash('sha256')
    .update(readFileSync(packageFile('test', 'support', 'kafka', 'pom.xml')))
    .digest('hex');
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'bauta-ci', `kafka-${digest.slice(0, 16)}`);
  if (existsSync(folder) && hasJava()) return folder;
  const text = 'no Kafka was copied for the tests, or no Java is here: test/support/kafka/build does, with Maven';
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error(text);
  process.stderr.write(`SKIPPED: ${text}\n`);
  return undefined;
}

function hasJava(): boolean {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whom the broker knows by a password. The authorizer grants nobody anything until a test does. */
export const users = ['service', 'agent-1', 'agent-2', 'reader', 'events', 'auditor', 'stranger'] as const;
export type User = (typeof users)[number];
type Mechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

/** What is known of a broker that runs; written beside it, so that other processes find it. */
interface Facts {
  readonly folder: string;
  readonly ports: { readonly plain: number; readonly tls: number; readonly sasl: number };
  readonly passwords: Readonly<Record<User, string>>;
  /** By common name. Files that are `service`'s and `stranger`'s. */
  readonly certificates: Readonly<Record<'service' | 'stranger', Pick<Issued, 'certFile' | 'keyFile'>>>;
  readonly caFile: string;
  readonly tokenKey: string;
}

export interface TestKafka extends Facts {
  /** In clear: the tests' administrator. */
  readonly url: string;
  /** With a password and TLS. */
  login(user: User, mechanism?: Mechanism): string;
  /** With a client's certificate. */
  certificate(user: 'service' | 'stranger'): string;
  /** A token of the issuer that the broker believes, unless another key signs it. */
  token(user: User, endsInS?: number, key?: string): string;
  /** `User:NAME`, as an ACL has it. */
  principal(user: User): string;
  /** Tools of the same jars, by class, for example `kafka.admin.AclCommand`. */
  java(...words: readonly string[]): string;
}

export interface OwnKafka extends TestKafka {
  /** Of the process that is there now. */
  readonly pid: () => number;
  kill(): Promise<void>;
  /** On the same ports with what it had on the disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const flags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xms64m', '-Xmx384m'];

/** Settings beyond ours, which may be in other words of the ports and of ours. */
type MoreSettings = (ports: Facts['ports'], ours: Readonly<Record<string, string>>) => Readonly<Record<string, string>>;

/** MUST be stopped in afterAll. */
export async function startKafka(jars: string, settings: MoreSettings = () => ({})): Promise<OwnKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-kafka-'));
  const facts = await prepare(jars, folder, settings);
  let child = await run(jars, folder, facts);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  return {
    ...toTestKafka(jars, facts),
    pid: () => child.pid ?? 0,
    kill,
    restart: async () => {
      await kill();
      child = await run(jars, folder, facts);
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The first file of a Jest run that asks starts it; a keeper process ends it when the run has ended. */
export async function shareKafka(jars: string): Promise<TestKafka> {
  // A worker is a child of the run; without workers the run is this process.
  const runner = process.send ? process.ppid : process.pid;
  const folder = join(tmpdir(), `bauta-kafka-run-${runner}`);
  const ready = join(folder, 'ready.json');
  try {
    mkdirSync(folder, { mode: 0o700 });
    const keeper = packageFile('dist-test', 'test', 'support', 'kafka-keeper.js');
    spawn(process.execPath, [keeper, jars, folder, String(runner)], { detached: true, stdio: 'ignore' }).unref();
  } catch {
    // Another file was first.
  }
  for (let waited = 0; !existsSync(ready); waited += 50) {
    if (waited > 90_000 || existsSync(join(folder, 'failed'))) throw new Error(`no Kafka in ${folder}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return toTestKafka(jars, JSON.parse(readFileSync(ready, 'utf8')) as Facts);
}

/** Only for the keeper. */
export async function keepKafka(jars: string, folder: string): Promise<ChildProcess> {
  const facts = await prepare(jars, folder, () => ({}));
  const child = await run(jars, folder, facts);
  writeFileSync(join(folder, 'ready.part'), JSON.stringify(facts), { mode: 0o600 });
  renameSync(join(folder, 'ready.part'), join(folder, 'ready.json'));
  return child;
}

function toTestKafka(jars: string, facts: Facts): TestKafka {
  const { ports, passwords, certificates, caFile, tokenKey } = facts;
  return {
    ...facts,
    url: `kafka://127.0.0.1:${ports.plain}`,
    login: (user, mechanism = 'scram-sha-512') =>
      `kafkas://${user}:${passwords[user]}@localhost:${ports.sasl}?mechanism=${mechanism}&ca=file:${caFile}`,
    certificate: (user) => {
      const { certFile, keyFile } = certificates[user];
      return `kafkas://localhost:${ports.tls}?ca=file:${caFile}&cert=file:${certFile}&key=file:${keyFile}`;
    },
    token: (user, endsInS = 600, key = tokenKey) => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { sub: user, iss: 'https://issuer.test', aud: 'bauta-test', iat: now - 1000, exp: now + endsInS };
      const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const text = `${encode({ alg: 'RS256', kid: 'test' })}.${encode(claims)}`;
      return `${text}.${sign('sha256', Buffer.from(text), createPrivateKey(key)).toString('base64url')}`;
    },
    principal: (user) => `User:${user}`,
    java: (...words) =>
      execFileSync('java', [...flags, '-cp', `${jars}/*`, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  };
}

async function prepare(jars: string, folder: string, settings: MoreSettings): Promise<Facts> {
  const [plain, tls, sasl, controller] = [await findFreePort(), await findFreePort(), await findFreePort(), await findFreePort()];
  const authority = createAuthority();
  try {
    const own = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const server = authority.issue(['DNS:localhost', 'IP:127.0.0.1']);
    const clientOf = (name: 'service' | 'stranger'): Pick<Issued, 'certFile' | 'keyFile'> => {
      const { cert, key } = authority.issue([`DNS:${name}.test`], 2, name);
      return { certFile: own(`${name}.crt`, cert), keyFile: own(`${name}.key`, key) };
    };
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    own('jwks.json', JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'RS256', use: 'sig' }] }));
    own('server.pem', server.key + server.cert);
    const facts: Facts = {
      folder,
      ports: { plain, tls, sasl },
      passwords: Object.fromEntries(users.map((user) => [user, randomBytes(12).toString('hex')])) as Facts['passwords'],
      certificates: { service: clientOf('service'), stranger: clientOf('stranger') },
      caFile: own('ca.crt', authority.ca),
      tokenKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
    const ours = toSettings(facts, controller);
    const lines = { ...ours, ...settings(facts.ports, ours) };
    own(
      'server.properties',
      Object.entries(lines)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    const scram = users.flatMap((user) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((one) => ['--add-scram', `${one}=[name=${user},password=${facts.passwords[user]}]`]),
    );
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qk', '-c', join(folder, 'server.properties'), ...scram];
    execFileSync('java', [...flags, '-cp', `${jars}/*`, ...format], { stdio: 'ignore' });
    return facts;
  } finally {
    authority.remove();
  }
}

function toSettings({ folder, ports, passwords }: Facts, controller: number): Readonly<Record<string, string>> {
  const login = 'org.apache.kafka.common.security';
  const known = users.map((user) => `user_${user}="${passwords[user]}"`).join(' ');
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${ports.plain},SSL://127.0.0.1:${ports.tls},SASL_SSL://127.0.0.1:${ports.sasl},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.plain},SSL://localhost:${ports.tls},SASL_SSL://localhost:${ports.sasl}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': join(folder, 'server.pem'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': join(folder, 'ca.crt'),
    'listener.name.ssl.ssl.client.auth': 'required',
    'ssl.principal.mapping.rules': 'RULE:^CN=([^,]+).*$/$1/',
    'listener.name.sasl_ssl.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required ${known};`,
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    'listener.name.sasl_ssl.oauthbearer.sasl.jaas.config': `${login}.oauthbearer.OAuthBearerLoginModule required;`,
    'listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class': `${login}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
    // Without it 4.1.0 takes the validator of clients, which believes any signature and tokens that have expired.
    'sasl.oauthbearer.jwt.validator.class': `${login}.oauthbearer.BrokerJwtValidator`,
    'sasl.oauthbearer.jwks.endpoint.url': `file://${join(folder, 'jwks.json')}`,
    'sasl.oauthbearer.expected.audience': 'bauta-test',
    'sasl.oauthbearer.expected.issuer': 'https://issuer.test',
    // All clocks are this machine's.
    'sasl.oauthbearer.clock.skew.seconds': '0',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // Only the listeners in clear know nobody by name: this machine's, and the controller's.
    'super.users': 'User:ANONYMOUS',
    'allow.everyone.if.no.acl.found': 'false',
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
  };
}

/** Resolves when it listens. */
async function run(jars: string, folder: string, { ports }: Facts): Promise<ChildProcess> {
  const allowed = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${join(folder, 'jwks.json')}`;
  const words = [...flags, allowed, '-cp', `${jars}/*`, 'kafka.Kafka', join(folder, 'server.properties')];
  const child = spawn('java', words, { stdio: 'ignore' });
  let ended = false;
  child.once('exit', () => (ended = true));
  while (!(await answers(ports.sasl)) || !(await answers(ports.plain))) {
    if (ended) throw new Error(`Kafka ended: java ${words.join(' ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return child;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

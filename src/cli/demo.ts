// `bauta demo`: a made-up production database, its masked copy, and the same pipeline refused. What it makes stays in bauta-demo/.
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '../kernel/clock.js';
import { BautaError } from '../kernel/errors.js';
import { packageFile } from '../kernel/package-root.js';
import { provision } from '../pipeline/pipeline.js';
import { toPlanView } from '../pipeline/plan-view.js';
import type { Prepared } from '../pipeline/prepare.js';
import type { RunSummary } from '../pipeline/report/report.js';
import { connect, startEmbedded, type EmbeddedServer } from '../systems/postgres/postgres.js';
import { toStatement, toStatementLines } from './attest.js';
import { checkHome } from './audit.js';
import { compose, keepSummary } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toFindingText, toTable, writeJson } from './print.js';
import { toPlanLines } from './plan-text.js';
import { checkPackage, makePapers, toPackageName } from './report.js';
import { Telling, toHooks } from './telling.js';

export interface DemoOptions extends GlobalOptions {
  readonly keep?: boolean;
}

interface Shop {
  readonly server: EmbeddedServer;
  readonly environment: Readonly<Record<string, string>>;
}

const say = (text = ''): void => void process.stderr.write(`${text}\n`);
const title = (text: string): void => say(`\n${paint(text, 1)}`);

export async function demo(options: DemoOptions): Promise<number> {
  const home = options.home ?? 'bauta-demo';
  const startedAt = performance.now();
  prepareFolder(home);
  title('1  A production database');
  const shop = await startShop();
  try {
    title('2  Its masked copy');
    const published = await provisionShop(home, 'pipeline.yaml', shop, '1-run');
    if (published.summary.state !== 'published') throw published.error instanceof Error ? published.error : new BautaDemoError();
    title('3  Before and after');
    await showRows(shop);
    title('4  The same pipeline with one tag removed');
    const refused = await refuse(home, shop);
    title('5  The log, checked as a stranger would');
    const { whole, lines } = await checkHome(home);
    for (const line of lines) say(line);
    if (!whole) throw new BautaDemoError();
    title('6  The copy says what it is');
    await attestCopy(home, shop);
    title('7  What an auditor takes away');
    await writePapers(home);
    const seconds = (performance.now() - startedAt) / 1000;
    title('What now');
    tellNext(home, shop, options.keep === true, seconds);
    if (wantsJson(options)) writeJson({ published: published.summary, refused: refused.summary, seconds });
    if (options.keep) await untilInterrupted();
    return 0;
  } finally {
    await shop.server.stop();
  }
}

class BautaDemoError extends BautaError {
  readonly class = 'InvariantError';
  constructor() {
    super('UNEXPECTED', { name: 'demo' });
  }
}

/** Documents and log of the last demo go, and the log's key with it; the keys of the pseudonyms stay, so that the same person gets the same again. */
function prepareFolder(home: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  for (const name of ['shop', 'log', 'runs', 'log.pub', 'erasable', 'keys/log.key', 'keys/log.last'])
    rmSync(join(home, name), { recursive: true, force: true });
  for (const name of readdirSync(home)) if (/^(gdpr\.(html|pdf)|soc2-.*\.zip)$/.test(name)) rmSync(join(home, name));
  cpSync(packageFile('examples', 'shop'), join(home, 'shop'), { recursive: true });
}

async function startShop(): Promise<Shop> {
  const server = await startEmbedded({ settings: { max_wal_size: '2GB' } });
  try {
    const run = async (database: string, ...texts: string[]): Promise<void> => {
      const client = await connect({ name: 'demo', url: server.url(database) }, { settings: { row_security: 'on' } });
      try {
        for (const text of texts) await client.query(text);
      } finally {
        await client.end();
      }
    };
    await run('postgres', 'CREATE DATABASE production');
    const file = (...path: string[]): string => readFileSync(packageFile(...path), 'utf8');
    const startedAt = performance.now();
    await run('production', 'SET search_path = public', file('examples', 'shop', 'schema.sql'), file('examples', 'shop', 'data.sql'));
    const [source, target] = [newPassword(), newPassword()];
    await run('postgres', file('deploy', 'source-role.sql'), file('deploy', 'target-role.sql'));
    // Base64url has no quote: nothing to escape.
    await run('postgres', `ALTER ROLE bauta_source PASSWORD '${source}'`, `ALTER ROLE bauta_target PASSWORD '${target}'`);
    say(
      `a made-up web shop on an embedded Postgres: 258,912 rows in 19 tables, made in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
    );
    const at = `127.0.0.1:${server.port}`;
    return {
      server,
      environment: {
        SOURCE_URL: `postgres://bauta_source:${source}@${at}/production`,
        TARGET_URL: `postgres://bauta_target:${target}@${at}/shop_dev`,
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

const newPassword = (): string => randomBytes(18).toString('base64url');

async function provisionShop(
  home: string,
  file: string,
  { environment }: Shop,
  step: string,
): Promise<{ summary: RunSummary; error?: unknown }> {
  const path = join(home, 'shop', file);
  const composed = await compose({ file: path, home, environment: { ...process.env, ...environment } });
  try {
    let prepared: Prepared | undefined;
    const hooks = toHooks(new Telling());
    const told = (seen: Prepared): void => {
      prepared = seen;
      hooks.prepared?.(seen);
    };
    const outcome = await provision(composed.doors, composed.request, composed.run, { ...hooks, prepared: told });
    await keepSummary(home, outcome.summary.runId, outcome.summary);
    writeFileSync(join(home, `${step}.json`), `${JSON.stringify(outcome.summary, undefined, 2)}\n`);
    if (prepared?.plan)
      writeFileSync(join(home, `${step}-plan.txt`), `${toPlanLines(toPlanView(prepared.plan, prepared.catalogue)).join('\n')}\n`);
    const { dataset, tables, seconds, rowsPerSecond } = outcome.summary;
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    if (dataset)
      say(
        `${paint('published', 32)} ${dataset.target}, version ${dataset.version}: ${rows.toLocaleString('en')} rows in ${seconds.toFixed(1)} s, ${rowsPerSecond.toLocaleString('en')} rows/s while they moved`,
      );
    return outcome;
  } finally {
    await composed.close();
  }
}

/** The rows are made up, so that they may be shown: the product itself never prints an original. */
async function showRows({ server }: Shop): Promise<void> {
  const columns = ['first_name', 'last_name', 'email', 'phone', 'birth_date', 'national_id', 'card_number'];
  const read = async (database: string): Promise<string[][]> => {
    const client = await connect({ name: 'demo', url: server.url(database) });
    try {
      const { rows } = await client.query<string[]>({
        text: `SELECT ${columns.map((name) => `${name}::text`).join(', ')} FROM shop.customer ORDER BY ctid LIMIT 4`,
        rowMode: 'array',
      });
      return rows.map((row) => row.map((cell) => (cell as string | null) ?? '∅'));
    } finally {
      await client.end();
    }
  };
  const [before, after] = [await read('production'), await read('shop_dev')];
  say(
    toTable(
      columns.map((name, i) => [
        name,
        ...before.slice(0, 2).map((row) => row[i] ?? ''),
        '→',
        ...after.slice(0, 2).map((row) => row[i] ?? ''),
      ]),
    ),
  );
}

async function refuse(home: string, shop: Shop): Promise<{ summary: RunSummary; error?: unknown }> {
  const line = '      national_id: pii.national-id\n';
  const path = join(home, 'shop', 'classification.yaml');
  const whole = readFileSync(path, 'utf8');
  writeFileSync(join(home, 'shop', 'classification-cut.yaml'), whole.replace(line, ''));
  writeFileSync(
    join(home, 'shop', 'pipeline-cut.yaml'),
    readFileSync(join(home, 'shop', 'pipeline.yaml'), 'utf8').replace('classification.yaml]', 'classification-cut.yaml]'),
  );
  const outcome = await provisionShop(home, 'pipeline-cut.yaml', shop, '2-refused');
  if (outcome.summary.state !== 'failed' || !(outcome.error instanceof BautaError)) throw new BautaDemoError();
  for (const finding of outcome.error.findings.filter(({ severity }) => severity === 'error'))
    say(stripControls(toFindingText(finding), '\n\u001b'));
  say(`${paint('refused', 32)} before a row was read: ${outcome.error.code}`);
  return outcome;
}

/** As a test job would: a connection to the copy and the public key of the log, nothing else. */
async function attestCopy(home: string, { environment }: Shop): Promise<void> {
  const { statement, marker } = await toStatement({ reference: 'env:TARGET_URL', environment, key: join(home, 'log.pub') });
  writeFileSync(join(home, '3-attest.json'), `${JSON.stringify(statement, undefined, 2)}\n`);
  for (const line of toStatementLines(statement, marker)) say(line);
  if (statement.state !== 'valid') throw new BautaDemoError();
}

/** The days of the demo: a report about them, and the package that somebody elsewhere checks with the log's public key. */
async function writePapers(home: string): Promise<void> {
  const dayMs = 86_400_000;
  const today = new Date(systemClock.now()).toISOString().slice(0, 10);
  const period = {
    from: today,
    to: new Date(Date.parse(today) + dayMs).toISOString().slice(0, 10),
    file: join(home, 'shop', 'pipeline.yaml'),
  };
  for (const line of await makePapers(home, period)) say(line);
  const path = join(home, toPackageName('soc2', 'default', period));
  const { state, lines } = await checkPackage(path, join(home, 'log.pub'));
  for (const line of lines) say(line);
  if (state !== 'whole') throw new BautaDemoError();
}

function tellNext(home: string, shop: Shop, keep: boolean, seconds: number): void {
  const { environment } = shop;
  say(
    `everything the demo made is in ${home}/: documents (shop/), plan and outcome of each step, the log (log/) and its public key (log.pub), the keys (keys/)`,
  );
  say(
    `node dist/src/cli.js audit verify --log ${join(home, 'log')} --key ${join(home, 'log.pub')}   change a byte of the log, and it is named`,
  );
  if (keep) {
    const connections = writeConnections(home, environment);
    say('the servers stay up until Ctrl-C. In another terminal:');
    say(`  . ${connections}   # SOURCE_URL, TARGET_URL, and the same for the service: docs/first-hour.md goes on from here`);
    say(`  psql '${shop.server.url('shop_dev')}'`);
    say(`  node dist/src/cli.js plan -f ${join(home, 'shop', 'pipeline.yaml')} --home ${home} --sample 3`);
    say(`  node dist/src/cli.js datasets -f ${join(home, 'shop', 'pipeline.yaml')} --home ${home}`);
    say(`  node dist/src/cli.js attest env:TARGET_URL --key ${join(home, 'log.pub')}`);
  } else {
    say('npm run demo -- --keep     leaves the servers up, so that you can connect and run it again');
    say('node dist/src/cli.js --help   every command; README.md says how to point it at your own databases');
  }
  say('with a Kafka broker between production and test, and an agent that publishes: docs/operations.md, "Tried with the demo"');
  say(`done in ${seconds.toFixed(1)} s`);
}

/** For a shell to read: the connections of both sides, under the names that examples/shop has for the command line and for the service. */
function writeConnections(home: string, environment: Shop['environment']): string {
  const path = join(home, 'connections.sh');
  const { SOURCE_URL = '', TARGET_URL = '' } = environment;
  const variables = {
    SOURCE_URL,
    TARGET_URL,
    BAUTA_CONN_SOURCE: SOURCE_URL,
    BAUTA_CONN_TARGET: TARGET_URL,
    BAUTA_CONN_HOOK_PUSH: newPassword(),
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'\n`);
  rmSync(path, { force: true });
  writeFileSync(path, lines.join(''), { mode: 0o600, flag: 'wx' });
  return path;
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

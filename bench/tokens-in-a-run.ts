// Tokens that are kept, in a run: so many a second when all are new, when all are there, and beside both the same run with tokens of FF1, which need no
// look-up. The way is the product's own, verification included; what counts is the time in which rows move.
// Usage: node dist/bench/tokens-in-a-run.js [--rows N]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { compose } from '../src/cli/compose.js';
import { parseSettings } from '../src/config/settings.js';
import { openMetadataServer } from '../src/control/metadata-server.js';
import { toRunVault } from '../src/control/runs/runs.js';
import { withVaultedTokens } from '../src/pipeline/mask/mask.js';
import { provision } from '../src/pipeline/pipeline.js';
import type { OpenVault } from '../src/pipeline/run.js';
import { Metadata, migrate } from '../src/systems/metadata/metadata.js';
import { migrateQueue } from '../src/systems/queue/queue.js';
import { exitForHelp } from './help.js';
import { type Bench, makeRoles, missing, startBench, urlAs } from './reference.js';

exitForHelp(`Usage: node dist/bench/tokens-in-a-run.js [--rows N]

Card numbers, one a row (200,000), masked by tokens that are kept: made, found again, and beside that by FF1. Goal: 10,000 kept tokens a second in a run.`);

const at = process.argv.indexOf('--rows');
const rows = at < 0 ? 200_000 : Number(process.argv[at + 1]);
const lack = missing();
if (lack !== undefined) {
  process.stderr.write(`the benchmark needs ${lack}\n`);
  process.exit(1);
}
const home = mkdtempSync(join(tmpdir(), 'bauta-bench-tokens-'));
const [bench, kept] = await Promise.all([startBench(), openMetadataServer(parseSettings({ BAUTA_HOME: home }), {})]);
try {
  const { owner = '', service } = kept;
  await migrate(owner, { beside: () => migrateQueue(owner) });
  const metadata = await Metadata.open(service, 5);
  await makeSource(bench);
  const [workspace] = await metadata.query<{ id: string }>(`SELECT id FROM bauta.workspace WHERE name = 'default'`);
  const vault = toRunVault(metadata, { id: 'bench', workspaceId: workspace?.id ?? '' });
  const made = await measure(bench, 'kept', vault);
  const found = await measure(bench, 'kept', vault);
  const computed = await measure(bench, 'computed');
  await metadata.close();
  const toText = ({ seconds, cpuSeconds }: Took): string =>
    `${Math.round(rows / seconds).toLocaleString('en')}/s (${Math.round(rows / cpuSeconds).toLocaleString('en')} a second of CPU of the worker)`;
  process.stdout.write(
    `tokens in a run, ${rows.toLocaleString('en')} rows: kept, all new ${toText(made)}, goal 10,000/s; kept, all there ${toText(found)}; by FF1 ${toText(computed)}\n` +
      `time of new ones ${(made.seconds / computed.seconds).toFixed(1)} of FF1, of those that are there ${(found.seconds / computed.seconds).toFixed(1)}\n`,
  );
} finally {
  await bench.server.stop();
  await kept.stop();
  rmSync(home, { recursive: true, force: true });
}

interface Took {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function now(): Took {
  const { user, system } = process.cpuUsage();
  return { seconds: performance.now() / 1000, cpuSeconds: (user + system) / 1e6 };
}

async function makeSource(on: Bench): Promise<void> {
  await on.sql('postgres', 'CREATE DATABASE production');
  // Luhn's digit by the server, so that every card number is one.
  await on.sql(
    'production',
    `CREATE FUNCTION luhn(digits text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
       SELECT digits || (10 - sum(CASE WHEN (length(digits) - i) % 2 = 0 THEN (2 * d) / 10 + (2 * d) % 10 ELSE d END) % 10) % 10
       FROM (SELECT i, substr(digits, i, 1)::int AS d FROM generate_series(1, length(digits)) i) each $$;
     CREATE TABLE card (id int PRIMARY KEY, number text NOT NULL);
     INSERT INTO card SELECT i, luhn('4' || lpad((i::bigint * 7919)::text, 14, '3')) FROM generate_series(1, ${rows}) i;
     DROP FUNCTION luhn(text);
     ANALYZE`,
  );
  await makeRoles(on);
}

/** What it took while the rows moved; CPU of this process, its threads included. */
async function measure(on: Bench, domain: 'kept' | 'computed', vault?: OpenVault): Promise<Took> {
  const [system] = await on.sql('postgres', 'SELECT system_identifier::text AS id FROM pg_control_system()');
  const file = join(home, `${domain}.yaml`);
  writeFileSync(file, toDocuments(domain, `${String(system?.['id'])}/production`));
  const environment = { SOURCE_URL: urlAs(on, 'source', 'production'), TARGET_URL: urlAs(on, 'target', `copy_${domain}`) };
  const composed = await compose({ file, home: join(home, 'home'), environment });
  try {
    const { doors, request, run } = composed;
    const executor: typeof doors.executor = async (plan) => {
      const plain = await doors.executor(plan);
      return vault ? withVaultedTokens(plain, plan, vault(doors.tokenKeys, plan)) : plain;
    };
    const borders = new Map<string, Took>();
    const border = (name: string): void => void borders.set(name, now());
    const { summary, error } = await provision({ ...doors, executor, vaulted: vault !== undefined }, request, run, { border });
    if (summary.state !== 'published')
      throw new Error(`the run ended ${summary.state}: ${JSON.stringify(summary.decision?.reasons)}`, { cause: error });
    const [from, to] = [borders.get('extract'), borders.get('deliver')];
    if (!from || !to) throw new Error('no row moved');
    return { seconds: to.seconds - from.seconds, cpuSeconds: to.cpuSeconds - from.cpuSeconds };
  } finally {
    await composed.close();
  }
}

function toDocuments(domain: 'kept' | 'computed', source: string): string {
  const named = `{ form: card, vaulted: ${domain === 'kept'}, reason: a benchmark of tokens that come back, sources: ['${source}'] }`;
  return `kind: Pipeline
name: ${domain}
source: { connection: env:SOURCE_URL, region: eu-central-1 }
target:
  connection: env:TARGET_URL
  environment: bench
  class: dev
  region: eu-central-1
  allows: [pii, pci]
  sameServer: the benchmark runs source and target on one server
  tokens: { ${domain}: ${named} }
classification: cards
purpose: a benchmark with made-up cards
owner: team-bauta
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 1
overrides:
  - { columns: [public.card.number], transform: token, domain: ${domain}, params: { form: card }, reason: what is measured here }
---
kind: Classification
name: cards
tables: { card: { person: true, columns: { id: pii.key, number: pci.pan } } }
`;
}

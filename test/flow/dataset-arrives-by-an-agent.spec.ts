// The whole way as a new user goes it: a token, an agent beside the test database, `bauta run`, and the copy is there as direct delivery would have made it.
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { until } from '../support/agent-world.js';
import { findKafka, shareKafka } from '../support/kafka.js';
import { type SmallShop, startSmallShop } from '../support/small-shop.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const broker = ['--broker', 'env:BROKER_URL', '--prefix', 'arrives'];
let shop: SmallShop;
let direct: string;

beforeAll(async () => {
  if (jars === undefined) return;
  const [kafka, started] = await Promise.all([shareKafka(jars), startSmallShop()]);
  shop = started;
  // A server of the run's own is started as another user where this is root.
  chmodSync(shop.folder, 0o755);
  direct = readFileSync(shop.pipeline, 'utf8');
  shop.environment['BROKER_URL'] = kafka.url;
  const target = `target: { connection: env:BROKER_URL, environment: dev, class: dev, region: eu-central-1, allows: [pii, pci, secret, quasi], kafka: { prefix: arrives, database: shop_dev, waitMinutes: 1 } }`;
  writeFileSync(shop.pipeline, direct.replace(/^target: .*$/m, target));
}, 120_000);
afterAll(() => shop?.stop(), 60_000);

onKafka(
  'a run publishes through the broker and the agent what direct delivery would have published',
  async () => {
    const invited = await shop.bauta(['agents', 'invite', 'dev', ...broker]);
    const tokenFile = join(shop.folder, 'agent.token');
    writeFileSync(tokenFile, invited.stdout, { mode: 0o600 });
    const words = [
      'agent',
      '--home',
      join(shop.folder, 'agent-home'),
      '--broker',
      'env:BROKER_URL',
      '--target',
      'env:TARGET_URL',
      '--token-file',
      tokenFile,
    ];
    const agent = spawn(process.execPath, [packageFile('dist', 'src', 'cli.js'), ...words], {
      env: { PATH: process.env['PATH'], BROKER_URL: shop.environment['BROKER_URL'], TARGET_URL: shop.environment['TARGET_URL'] },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    agent.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    try {
      await until(
        () => said.includes('asks to be enrolled'),
        () => said,
      );
      await until(
        async () => {
          await shop.bauta(['agents', 'list', 'dev', ...broker]);
          return said.includes('is at work');
        },
        () => said,
      );
      const run = await shop.bauta(['run', '-f', shop.pipeline]);
      if (run.code !== 0) throw new Error(`${run.stderr}\n${said}`);
      expect(said).toContain('version 1 is published');
      const marked = await shop.target.sql('shop_dev', 'SELECT version, manifest FROM bauta.dataset');
      expect(marked).toMatchObject([{ version: 1 }]);
      // The marker is made out to the agent's own server: nothing says that it was restored elsewhere.
      const log = join(shop.home, 'log.pub');
      const attested = await shop.bauta(['attest', 'env:TARGET_URL', '--key', log, '--json']);
      expect([attested.code, JSON.parse(attested.stdout)]).toMatchObject([0, { state: 'valid', findings: [] }]);
      const listed = JSON.parse((await shop.bauta(['agents', 'list', 'dev', ...broker, '--json'])).stdout) as { agents: unknown[] };
      expect(listed.agents).toMatchObject([{ state: 'published', progress: { lag: 0 }, refused: [], lastSeenAt: expect.any(String) }]);
      const tables = (marked[0]!['manifest'] as { schema: string; table: string; rows: number }[]).filter(({ rows }) => rows > 0);
      expect(tables.length).toBeGreaterThan(0);
      const digest = ({ schema, table }: { schema: string; table: string }): string =>
        `SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) AS sum FROM "${schema}"."${table}" t`;
      const arrived = await Promise.all(tables.map((table) => shop.target.sql('shop_dev', digest(table))));
      agent.kill('SIGTERM');
      writeFileSync(shop.pipeline, direct);
      const again = await shop.bauta(['run', '-f', shop.pipeline]);
      if (again.code !== 0) throw new Error(again.stderr);
      expect(await Promise.all(tables.map((table) => shop.target.sql('shop_dev', digest(table))))).toEqual(arrived);
    } finally {
      agent.kill('SIGKILL');
    }
  },
  150_000,
);

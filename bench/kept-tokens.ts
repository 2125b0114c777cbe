// Drawn tokens that are kept: so many a second in batches of 10,000, on an embedded Postgres. The ceiling beside it is storing as many entries that were
// made before, by the same statement.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseSettings } from '../src/config/settings.js';
import { openMetadataServer } from '../src/control/metadata-server.js';
import { openKeys } from '../src/control/open-keys.js';
import { KeptTokens } from '../src/control/tokens/tokens.js';
import { Metadata, migrate } from '../src/systems/metadata/metadata.js';
import { migrateQueue } from '../src/systems/queue/queue.js';
import { exitForHelp } from './help.js';

exitForHelp(`Usage: node dist/bench/kept-tokens.js

Tokens that are drawn and kept, a second, in batches of 10,000 on an embedded Postgres, and the storing of as many ready entries.`);

const [batch, rounds] = [10_000, 5];
const home = mkdtempSync(join(tmpdir(), 'bauta-kept-tokens-'));
const settings = parseSettings({ BAUTA_HOME: home });
const server = await openMetadataServer(settings, {});
try {
  const { owner = '', service } = server;
  await migrate(owner, { beside: () => migrateQueue(owner) });
  const metadata = await Metadata.open(service, 2);
  const [workspace] = await metadata.query<{ id: string }>(`SELECT id FROM bauta.workspace WHERE name = 'default'`);
  const { open } = await openKeys(home, settings);
  const scope = { workspace: 'default', environment: 'dev' };
  const params = { form: 'digits', prefix: '', suffix: '', separators: ' -', testPrefix: '' };
  const kept = new KeptTokens(open({ ...scope, purpose: 'token' }), { scope, domain: 'bench', params, purpose: 'bench' });
  const best = { made: Infinity, found: Infinity, stored: Infinity };
  const time = async (
    name: keyof typeof best,
    work: (transaction: Parameters<Parameters<Metadata['within']>[1]>[0]) => Promise<unknown>,
  ) => {
    const begin = performance.now();
    await metadata.within(workspace?.id ?? '', work);
    best[name] = Math.min(best[name], performance.now() - begin);
  };
  for (let round = 0; round < rounds; round++) {
    const values = Array.from({ length: batch }, (_, i) => String(4_000_000_000_000_000 + round * batch + i));
    const entries = values.map((value, i) => ({
      ...{ token: `x${value}`, keyVersion: 1, foundBy: randomBytes(32), subjectBy: null, sealed: randomBytes(44 + (i % 2)) },
    }));
    await time('made', (transaction) => kept.toTokens(transaction, values, []));
    await time('found', (transaction) => kept.toTokens(transaction, values, []));
    await time('stored', ({ tokenEntries }) => tokenEntries.insert({ environment: 'dev', domain: 'ready' }, 'bench', entries));
  }
  const perSecond = (ms: number): number => Math.round((batch * 1000) / ms);
  process.stdout.write(
    `kept tokens: ${perSecond(best.made)} made a second, ${perSecond(best.found)} found again (ceiling: ${perSecond(best.stored)} ready entries stored)\n`,
  );
  await metadata.close();
} finally {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
}

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { expect, it } from '@jest/globals';

import { connect } from './connection.js';
import { startProving, sweepProving } from './proving.js';

const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('bauta-proving-'));

it('keeps its rows where nobody else looks, and nothing of them afterwards', async () => {
  const before = new Set(folders());
  const server = await startProving('shop');
  const [made] = folders().filter((name) => !before.has(name));
  expect(statSync(join(tmpdir(), made!, 'data')).mode & 0o077).toBe(0);
  const client = await connect(server.connection, { database: 'postgres' });
  const { rows } = await client.query<{ fsync: string }>('SELECT current_setting($1) AS fsync', ['fsync']);
  expect(rows).toEqual([{ fsync: 'off' }]);
  await client.end();
  expect(sweepProving()).toBe(0);
  await server.close();
  expect(existsSync(join(tmpdir(), made!))).toBe(false);
}, 60_000);

it('ends the server of a process that was killed, and removes its rows', async () => {
  const door = new URL('./proving.js', import.meta.url).href;
  const program = `import { startProving } from ${JSON.stringify(door)};
    const { connection } = await startProving('shop'); console.log(connection.url); setInterval(() => 0, 1000);`;
  const before = new Set(folders());
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = line.toString('utf8').trim();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const [left] = folders().filter((name) => !before.has(name));
  const target = { name: 'left', url };
  await (await connect(target, { database: 'postgres' })).end();
  expect(sweepProving()).toBeGreaterThan(0);
  expect(existsSync(join(tmpdir(), left!))).toBe(false);
  await expect(connect(target, { database: 'postgres' })).rejects.toMatchObject({ code: 'CONNECTION_UNREACHABLE' });
}, 60_000);

it('removes what a process left that was killed before it had written anything', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const left = mkdtempSync(join(tmpdir(), `bauta-proving-${userInfo().uid}-${pid}-1-`));
  expect(sweepProving()).toBeGreaterThan(0);
  expect(existsSync(left)).toBe(false);
});

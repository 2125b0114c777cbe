// Debian's Postgres 15 with a certificate of the test's own authority. 0.0.0.0 is this machine as well, but no name of it: what holds outside holds there.
import { chownSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { TlsDefinition } from '../../src/pipeline/definition.js';
import { copyOut } from '../../src/systems/postgres/copy-out.js';
import { connect } from '../../src/systems/postgres/postgres.js';
import { type Authority, type Issued, createAuthority } from '../support/certificates.js';
import { debianProgram, hasDebianServer } from '../support/debian-server.js';
import { type TinyWorld, bauta, startTinyWorld } from '../support/tiny-source.js';

(hasDebianServer() ? describe : describe.skip)('rows come over verified TLS', () => {
  let tiny: TinyWorld;
  let authority: Authority;
  beforeAll(async () => {
    authority = createAuthority();
    tiny = await startTinyWorld({}, dirname(debianProgram('postgres')));
    await secure(authority.issue(['DNS:localhost', 'IP:0.0.0.0']));
    await tiny.server.create('copied');
    await tiny.server.sql(
      'copied',
      `CREATE TABLE public.line AS SELECT i, repeat(md5(i::text), 1 + i % 9) AS text FROM generate_series(1, 60000) i`,
    );
  });
  afterAll(async () => {
    await tiny.stop();
    authority.remove();
  });

  /** The server's certificate from now on. Its key belongs to whom the server belongs to. */
  async function secure({ keyFile, certFile }: Issued): Promise<void> {
    const { dataFolder } = tiny.server;
    for (const [from, name] of [
      [keyFile, 'server.key'],
      [certFile, 'server.crt'],
    ] as const) {
      copyFileSync(from, join(dataFolder, name));
      chownSync(join(dataFolder, name), statSync(dataFolder).uid, statSync(dataFolder).gid);
    }
    await reload(`ALTER SYSTEM SET ssl = on`);
  }
  async function reload(change: string): Promise<void> {
    await tiny.server.sql('postgres', change);
    await tiny.server.sql('postgres', 'SELECT pg_reload_conf()');
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const at = (host: string, query = '', database = 'copied'): string => tiny.server.url(database).replace('127.0.0.1', host) + query;
  const trusted = (): string => `?sslrootcert=${authority.caFile}`;
  const ask = async (url: string, tls?: TlsDefinition): Promise<unknown> => {
    try {
      const client = await connect({ name: 'env:TEST', url, ...(tls ? { tls } : {}) });
      const { rows } = await client.query<{ ssl: boolean }>(
        'SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()',
      );
      await client.end();
      return rows[0]?.ssl;
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain(new URL(url).password);
      return (error as { code: string }).code;
    }
  };

  it('a server elsewhere is spoken to by TLS that is verified to its name, or not at all', async () => {
    expect(await ask(at('0.0.0.0', trusted()))).toBe(true);
    expect(await ask(at('0.0.0.0'))).toBe('CONNECTION_CERTIFICATE_REFUSED');
    expect(await ask(at('0.0.0.0', '?sslmode=disable'))).toBe('CONNECTION_TLS_WEAK');
    expect(await ask(at('0.0.0.0', '?sslmode=no-verify'))).toBe('CONNECTION_TLS_WEAK');
    expect(await ask(`${at('127.0.0.1')}?host=0.0.0.0`)).toBe('CONNECTION_CERTIFICATE_REFUSED');
    expect([await ask(at('127.0.0.1')), await ask(at('localhost', `${trusted()}&sslmode=require`))]).toEqual([false, true]);
    const ca = authority.ca;
    const reason = 'a test of what a reason allows';
    expect([
      await ask(at('0.0.0.0'), { ca }),
      await ask(at('0.0.0.0'), { mode: 'require', reason }),
      await ask(at('0.0.0.0'), { mode: 'disable', reason }),
    ]).toEqual([true, true, false]);
  });

  it.each([
    ['in small batches', 4096],
    ['in large ones', 1 << 20],
  ])('COPY gives every line, taken %s', async (_, batchBytes) => {
    const client = await connect({ name: 'env:TEST', url: at('0.0.0.0', trusted()) });
    const parts: Buffer[] = [];
    let rows = 0;
    for await (const lines of copyOut(client, 'COPY (SELECT * FROM public.line ORDER BY i) TO STDOUT', {
      batchBytes,
      take: (bytes) => new Uint8Array(bytes),
    })) {
      parts.push(Buffer.from(lines.bytes));
      rows += lines.rows;
      if (rows % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // The session is pg's again, and whole.
    const { rows: answered } = await client.query<{ all: string }>(
      `SELECT pg_catalog.string_agg(i || E'\\t' || text || E'\\n', '' ORDER BY i) AS all FROM public.line`,
    );
    await client.end();
    expect(rows).toBe(60_000);
    expect(Buffer.concat(parts).toString() === answered[0]?.all).toBe(true);
  });

  it('a whole run goes over it, there and back, with the logins of every role', async () => {
    const [source, target] = [new URL(await tiny.source('shop_tls')), new URL(tiny.target('shop_copy'))];
    for (const url of [source, target]) {
      url.hostname = '0.0.0.0';
      url.searchParams.set('sslrootcert', authority.caFile);
    }
    const pgHba = join(tiny.server.dataFolder, 'pg_hba.conf');
    const before = readFileSync(pgHba, 'utf8');
    // From here on nobody gets in without TLS but the superuser.
    writeFileSync(pgHba, 'host all postgres all scram-sha-256\nhostssl all all all scram-sha-256\n');
    await reload('SELECT 1');
    try {
      const env = { SOURCE_URL: String(source), TARGET_URL: String(target), BAUTA_THREADS: '0' };
      const file = tiny.documents();
      const said = await bauta(['run', '-f', file, '--json'], { env, cwd: dirname(file) });
      expect([said.exitCode, said.stderr]).toEqual([0, expect.stringContaining('published shop_copy')]);
    } finally {
      writeFileSync(pgHba, before);
      await reload('SELECT 1');
    }
    expect(await tiny.server.sql('shop_copy', 'SELECT count(*)::int AS n FROM app.person')).toEqual([{ n: 180 }]);
  });

  it('a password is given to no server that wants it in clear text, with TLS or without', async () => {
    await tiny.server.sql('postgres', `CREATE ROLE weak LOGIN PASSWORD 'clear-canary'`);
    const pgHba = join(tiny.server.dataFolder, 'pg_hba.conf');
    writeFileSync(pgHba, `host all weak all password\n${readFileSync(pgHba, 'utf8')}`);
    await reload('SELECT 1');
    const as = (url: string): string => url.replace(/\/\/postgres:[^@]*@/, '//weak:clear-canary@');
    expect(await ask(as(at('0.0.0.0', trusted())))).toBe('CONNECTION_CLEARTEXT_REFUSED');
    expect(await ask(as(at('127.0.0.1')))).toBe('CONNECTION_CLEARTEXT_REFUSED');
  });

  it('a certificate of another name, one that has ended, and a server that has none are refused', async () => {
    await secure(authority.issue(['DNS:other.test', 'IP:127.0.0.1']));
    expect(await ask(at('0.0.0.0', trusted()))).toBe('CONNECTION_CERTIFICATE_REFUSED');
    expect(await ask(at('localhost', `${trusted()}&sslmode=verify-full`))).toBe('CONNECTION_CERTIFICATE_REFUSED');
    const reason = 'a test of what a reason allows';
    expect(await ask(at('0.0.0.0', trusted()), { mode: 'verify-ca', reason })).toBe(true);
    expect(await ask(at('0.0.0.0'), { mode: 'verify-ca', reason })).toBe('CONNECTION_CERTIFICATE_REFUSED');
    await secure(authority.issue(['IP:0.0.0.0'], 0));
    expect(await ask(at('0.0.0.0', trusted()))).toBe('CONNECTION_CERTIFICATE_REFUSED');
    await reload('ALTER SYSTEM SET ssl = off');
    expect(await ask(at('0.0.0.0', trusted()))).toBe('CONNECTION_TLS_MISSING');
  });
});

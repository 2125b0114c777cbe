// Vault as it is: logging in, staying logged in, waiting for one that is sealed, and never longer than was said. On a real one.
import { createServer as createPlain, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { createVault } from '../../src/control/vaults.js';
import type { Vault } from '../../src/systems/vault/vault.js';
import { type Authority, createAuthority } from '../support/certificates.js';
import { type TestVault, findVault, startVault } from '../support/vault.js';

const program = findVault();
const canary = 'canary-of-the-vault';
const policy = `path "secret/data/shop" { capabilities = ["read"] }`;

const openVaults: Vault[] = [];
const open = (settings: Record<string, string>, environment: Record<string, string> = {}): Vault => {
  const vault = createVault(parseSettings({ BAUTA_VAULT_WAIT_MS: '300', ...settings }), environment);
  openVaults.push(vault);
  return vault;
};
afterEach(async () => {
  await Promise.all(openVaults.splice(0).map((vault) => vault.close()));
});

const codeOf = async (asked: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await asked.then(
    (value) => ['answered', value],
    (cause: unknown) => cause,
  );
  expect(`${JSON.stringify(error)} ${String(error)}`).not.toContain(canary);
  return (error as { code?: string }).code ?? error;
};

(program === undefined ? describe.skip : describe)('with a real Vault', () => {
  let server: TestVault;
  const loginOf = async (more: object = {}): Promise<[Record<string, string>, Record<string, string>]> => {
    const { roleId, secretId } = await server.appRole(`role-${Math.random().toString(36).slice(2)}`, { shop: policy }, more);
    return [
      { BAUTA_VAULT: server.url, BAUTA_VAULT_ROLE_ID: 'env:ROLE', BAUTA_VAULT_SECRET_ID: 'env:SECRET' },
      { ROLE: roleId, SECRET: secretId },
    ];
  };
  const revokeAll = async (): Promise<number> => {
    const { data } = (await server.ask('GET', 'auth/token/accessors?list=true')) as { data: { keys: string[] } };
    let count = 0;
    for (const accessor of data.keys) {
      const found = (await server.ask('POST', 'auth/token/lookup-accessor', { accessor })) as { data: { path: string } };
      if (!found.data.path.includes('approle')) continue;
      await server.ask('POST', 'auth/token/revoke-accessor', { accessor });
      count++;
    }
    return count;
  };

  beforeAll(async () => {
    server = await startVault(program!);
    await server.ask('POST', 'secret/data/shop', { data: { url: canary, port: 5 } });
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    await server.unseal();
  });

  it('logs in by AppRole and reads a field, all fields, and nothing where there is nothing', async () => {
    const vault = open(...(await loginOf()));
    expect(await vault.read('vault:secret/data/shop#url')).toBe(canary);
    expect(JSON.parse((await vault.read('vault:secret/data/shop')) ?? '')).toEqual({ url: canary, port: 5 });
    expect(await vault.read('vault:secret/data/shop#toString')).toBeUndefined();
    expect(await vault.read('vault:secret/data/shop#port')).toBeUndefined();
    expect(await codeOf(vault.read('vault:secret/data/other#url'))).toBe('VAULT_DENIED');
  });

  it('takes a secret that was deleted for none', async () => {
    await server.ask('POST', 'secret/data/shop-gone', { data: { url: canary } });
    await server.ask('DELETE', 'secret/data/shop-gone');
    const { auth } = (await server.ask('POST', 'auth/token/create', { ttl: '5m' })) as { auth: { client_token: string } };
    const vault = open(
      { BAUTA_VAULT: server.url, BAUTA_VAULT_AUTH: 'token', BAUTA_VAULT_TOKEN: 'env:TOKEN' },
      { TOKEN: auth.client_token },
    );
    expect(await vault.read('vault:secret/data/shop-gone#url')).toBeUndefined();
    expect(await vault.read('vault:secret/data/shop#url')).toBe(canary);
  });

  it('keeps its token alive beyond its time by renewing it, with a secret id that is good for one login', async () => {
    const vault = open(...(await loginOf({ token_ttl: '2s', token_period: '2s', secret_id_num_uses: 1 })));
    for (let second = 0; second < 4; second++) {
      expect(await vault.read('vault:secret/data/shop#url')).toBe(canary);
      await sleep(1000);
    }
  }, 20_000);

  it('logs in again when its token nears the end that nobody may put off', async () => {
    const vault = open(...(await loginOf({ token_ttl: '1s', token_max_ttl: '2s' })));
    for (let part = 0; part < 8; part++) {
      expect(await vault.read('vault:secret/data/shop#url')).toBe(canary);
      await sleep(500);
    }
  }, 20_000);

  it('logs in again when its token was revoked, and says so when it may not', async () => {
    const vault = open(...(await loginOf()));
    const once = open(...(await loginOf({ secret_id_num_uses: 1 })));
    for (const one of [vault, once]) await one.read('vault:secret/data/shop#url');
    expect(await revokeAll()).toBeGreaterThanOrEqual(2);
    expect(await vault.read('vault:secret/data/shop#url')).toBe(canary);
    expect(await codeOf(once.read('vault:secret/data/shop#url'))).toBe('VAULT_LOGIN_REFUSED');
  });

  it('leaves no token behind', async () => {
    await revokeAll();
    const vault = open(...(await loginOf()));
    await vault.read('vault:secret/data/shop#url');
    await vault.close();
    expect(await revokeAll()).toBe(0);
  });

  it('waits for a sealed Vault and goes on, and fails closed when that takes too long', async () => {
    const [settings, environment] = await loginOf();
    const patient = open({ ...settings, BAUTA_VAULT_WAIT_MS: '20000' }, environment);
    const hasty = open(settings, environment);
    for (const one of [patient, hasty]) await one.read('vault:secret/data/shop#url');
    await server.seal();
    expect(await codeOf(hasty.read('vault:secret/data/shop#url'))).toBe('VAULT_SEALED');
    expect(await codeOf(open(settings, environment).read('vault:secret/data/shop#url'))).toBe('VAULT_SEALED');
    const reading = patient.read('vault:secret/data/shop#url');
    await sleep(1500);
    await server.unseal();
    expect(await reading).toBe(canary);
  }, 30_000);

  it('speaks to Vault by TLS only where the certificate is trusted for the name', async () => {
    const authority: Authority = createAuthority();
    const { key, cert } = authority.issue(['DNS:localhost']);
    const front = createTls({ key, cert }, (socket) => {
      const behind = connect(Number(new URL(server.url).port), '127.0.0.1');
      socket.on('error', () => behind.destroy()).pipe(behind);
      behind.on('error', () => socket.destroy()).pipe(socket);
    });
    await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
    const { port } = front.address() as AddressInfo;
    const [settings, environment] = await loginOf();
    const read = (more: Record<string, string>): Promise<unknown> =>
      codeOf(open({ ...settings, ...more }, environment).read('vault:secret/data/shop#port'));
    const before = { unchecked: process.env['NODE_TLS_REJECT_UNAUTHORIZED'], skipped: process.env['VAULT_SKIP_VERIFY'] };
    try {
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      process.env['VAULT_SKIP_VERIFY'] = '1';
      expect(await read({ BAUTA_VAULT: `https://localhost:${port}`, BAUTA_VAULT_CA: authority.caFile })).toEqual(['answered', undefined]);
      expect(await read({ BAUTA_VAULT: `https://localhost:${port}` })).toBe('VAULT_CERTIFICATE_REFUSED');
      expect(await read({ BAUTA_VAULT: `https://127.0.0.1:${port}`, BAUTA_VAULT_CA: authority.caFile })).toBe('VAULT_CERTIFICATE_REFUSED');
      expect(await read({ BAUTA_VAULT: `https://localhost:${port}`, BAUTA_VAULT_CA: join(authority.caFile, 'none') })).toBe(
        'SETTING_INVALID',
      );
    } finally {
      for (const [name, value] of [
        ['NODE_TLS_REJECT_UNAUTHORIZED', before.unchecked],
        ['VAULT_SKIP_VERIFY', before.skipped],
      ] as const)
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      front.close();
      authority.remove();
    }
  });

  it('logs in by the token of its Kubernetes service account', async () => {
    // The API that Vault asks about the token; it knows one.
    const reviewer = createPlain((request, response) => {
      void readBody(request).then((body) => {
        const { spec } = JSON.parse(body) as { spec: { token: string } };
        const user = { username: 'system:serviceaccount:bauta:worker', uid: 'u', groups: ['system:serviceaccounts'] };
        const status = spec.token === jwt ? { authenticated: true, user } : { authenticated: false };
        response
          .writeHead(201, { 'Content-Type': 'application/json' })
          .end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
      });
    });
    await listen(reviewer);
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      iss: 'kubernetes/serviceaccount',
      sub: 'system:serviceaccount:bauta:worker',
      iat: 1_700_000_000,
      nbf: 1_700_000_000,
      exp: 4_102_444_800,
      'kubernetes.io': { namespace: 'bauta', serviceaccount: { name: 'worker', uid: 'u' } },
    };
    const jwt = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`;
    await server.ask('POST', 'sys/auth/cluster', { type: 'kubernetes' });
    await server.ask('POST', 'auth/cluster/config', {
      kubernetes_host: urlOf(reviewer),
      token_reviewer_jwt: 'reviewer',
      disable_iss_validation: true,
      disable_local_ca_jwt: true,
    });
    await server.ask('PUT', 'sys/policies/acl/shop', { policy });
    await server.ask('POST', 'auth/cluster/role/bauta', {
      bound_service_account_names: ['worker'],
      bound_service_account_namespaces: ['bauta'],
      token_policies: ['shop'],
      alias_name_source: 'serviceaccount_name',
    });
    const settings = {
      BAUTA_VAULT: server.url,
      BAUTA_VAULT_AUTH: 'kubernetes',
      BAUTA_VAULT_AUTH_MOUNT: 'cluster',
      BAUTA_VAULT_ROLE: 'bauta',
      BAUTA_VAULT_JWT: 'env:JWT',
    };
    expect(await codeOf(open(settings, { JWT: jwt }).read('vault:secret/data/shop#none'))).toEqual(['answered', undefined]);
    expect(await codeOf(open(settings, { JWT: `${jwt}x` }).read('vault:secret/data/shop#none'))).toBe('VAULT_LOGIN_REFUSED');
    reviewer.closeAllConnections();
    reviewer.close();
  });
});

describe('what only pretends to be Vault', () => {
  const servers: Server[] = [];
  afterAll(() => servers.forEach((one) => (one.closeAllConnections(), one.close())));
  const serve = async (
    answer: (request: IncomingMessage, body: string) => { status?: number; headers?: Record<string, string>; body?: string } | undefined,
  ): Promise<string> => {
    const one = createPlain((request, response) => {
      void readBody(request).then((body) => {
        const given = answer(request, body);
        if (given) response.writeHead(given.status ?? 200, given.headers ?? {}).end(given.body ?? '');
      });
    });
    servers.push(one);
    await listen(one);
    return urlOf(one);
  };
  const asToken = (url: string, more: Record<string, string> = {}): Vault =>
    open({ BAUTA_VAULT: url, BAUTA_VAULT_AUTH: 'token', BAUTA_VAULT_TOKEN: 'env:TOKEN', ...more }, { TOKEN: canary });

  it('is not followed elsewhere with the token', async () => {
    let heard = 0;
    const elsewhere = await serve(() => ({ body: JSON.stringify({ data: { data: { url: String(++heard) } } }) }));
    const url = await serve(() => ({ status: 307, headers: { Location: `${elsewhere}/v1/secret/data/shop` } }));
    expect(await codeOf(asToken(url).read('vault:secret/data/shop#url'))).toBe('VAULT_ANSWER_REFUSED');
    expect(heard).toBe(0);
  });

  it('is not read beyond a limit, and no error says what it said', async () => {
    const big = await serve(() => ({ body: JSON.stringify({ data: canary.repeat(100_000) }) }));
    expect(await codeOf(asToken(big).read('vault:secret/data/shop#url'))).toBe('VAULT_ANSWER_REFUSED');
    const rude = await serve(() => ({ status: 400, body: JSON.stringify({ errors: [canary] }) }));
    expect(await codeOf(asToken(rude).read('vault:secret/data/shop#url'))).toBe('VAULT_LOGIN_REFUSED');
    const broken = await serve(() => ({ status: 500, body: canary }));
    expect(await codeOf(asToken(broken).read('vault:secret/data/shop#url'))).toBe('VAULT_UNREACHABLE');
    expect(await codeOf(asToken('http://127.0.0.1:9').read('vault:secret/data/shop#url'))).toBe('VAULT_UNREACHABLE');
  });

  it('sees the namespace that was set, and nothing of what the environment says of proxies, tokens and paths', async () => {
    let proxied = 0;
    const proxy = await serve(() => ({ body: JSON.stringify({ data: { data: { url: String(++proxied) } } }) }));
    const seen: [string | undefined, unknown, unknown][] = [];
    const url = await serve((request) => {
      seen.push([request.url, request.headers['x-vault-token'], request.headers['x-vault-namespace']]);
      return { body: JSON.stringify({ data: { data: { url: 'here' } } }) };
    });
    const planted = {
      http_proxy: proxy,
      HTTP_PROXY: proxy,
      https_proxy: proxy,
      ALL_PROXY: proxy,
      VAULT_ADDR: proxy,
      VAULT_TOKEN: 'planted',
      VAULT_NAMESPACE: 'planted',
      VAULT_PREFIX: '/planted',
    };
    const before = { ...process.env };
    try {
      Object.assign(process.env, planted);
      expect(await asToken(url, { BAUTA_VAULT_NAMESPACE: 'team/shop' }).read('vault:secret/data/shop#url')).toBe('here');
      expect(await asToken(url).read('vault:secret/data/shop#url')).toBe('here');
    } finally {
      for (const name of Object.keys(planted)) if (before[name] === undefined) delete process.env[name];
    }
    expect(proxied).toBe(0);
    expect(seen).toEqual([
      ['/v1/auth/token/lookup-self', canary, 'team/shop'],
      ['/v1/secret/data/shop', canary, 'team/shop'],
      ['/v1/auth/token/lookup-self', canary, undefined],
      ['/v1/secret/data/shop', canary, undefined],
    ]);
  });

  it('is not asked for what is no secret of an engine', async () => {
    const vault = asToken('http://127.0.0.1:9');
    for (const path of [
      'sys/seal-status',
      'auth/token/lookup-self',
      'secret',
      'secret/../sys/seal',
      'secret//x',
      'secret/x?y=z',
      'secret/x%2f',
      'cubbyhole/x',
      'secret/x#',
    ])
      expect(await codeOf(vault.read(`vault:${path}`))).toBe('CONNECTION_REFERENCE_INVALID');
    expect(await codeOf(open({}).read('vault:secret/data/shop#url'))).toBe('VAULT_UNSET');
    expect(await codeOf(open({ BAUTA_VAULT: 'http://127.0.0.1:9' }).read('vault:secret/data/shop#url'))).toBe('VAULT_LOGIN_UNSET');
  });
});

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const listen = (server: Server): Promise<void> => new Promise((done) => server.listen(0, '127.0.0.1', done));
const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

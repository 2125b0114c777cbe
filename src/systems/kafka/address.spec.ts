import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { ConnectionDefinition } from '../../pipeline/definition.js';
import { type BrokerTarget, resolveBroker, resolveBrokerDefinition } from './address.js';

const asked: [string, string | undefined][] = [];
/** Every secret is its reference, so that what goes where can be seen. */
const read = (reference: string, place?: string): Promise<string | undefined> => {
  asked.push([reference, place]);
  return Promise.resolve(reference === 'env:NONE' ? undefined : `text of ${reference}`);
};
const resolve = (text: string | undefined, plaintextAllowed?: boolean): Promise<BrokerTarget> =>
  resolveBroker('env:BROKER', text, read, plaintextAllowed);
const refused = (name: string): object => ({ code: 'BROKER_ADDRESS_INVALID', where: { connection: 'env:BROKER', name } });

describe('the address of a broker', () => {
  it('says hosts, login and certificates', async () => {
    const text = 'kafkas://us%40er:p%3Aw%2F@a.example:9093,[::1]:9094?mechanism=SCRAM-SHA-512&ca=file:ca.pem\n';
    expect(await resolve(text)).toEqual({
      name: 'env:BROKER',
      hosts: [
        { host: 'a.example', port: 9093 },
        { host: '::1', port: 9094 },
      ],
      tls: { ca: 'text of file:ca.pem' },
      login: { mechanism: 'scram-sha-512', user: 'us@er', password: 'p:w/' },
    });
    expect(await resolve('kafkas://a.example:9093')).toEqual({ name: 'env:BROKER', hosts: [{ host: 'a.example', port: 9093 }], tls: {} });
  });

  it('asks for a key and a token with every host that they would be shown to', async () => {
    asked.length = 0;
    const { login } = await resolve('kafkas://a.example:1,B.example:2?mechanism=oauthbearer&token=file:t&cert=file:c&key=file:k');
    expect(asked).toEqual([
      ['file:c', undefined],
      ...['file:k', 'file:t'].flatMap((one) => ['a.example:1', 'b.example:2'].map((place) => [one, place])),
    ]);
    expect(login?.mechanism === 'oauthbearer' && (await login.readToken())).toBe('text of file:t');
  });

  it('is in clear on this machine only, unless somebody gave a reason', async () => {
    expect(await resolve('kafka://127.0.0.1:9092,localhost:9092')).not.toHaveProperty('tls');
    for (const text of ['kafka://a.example:9092', 'kafka://127.0.0.1:9092,a.example:9092', 'kafka://127.0.0.1.example:9092'])
      await expect(resolve(text)).rejects.toMatchObject({ code: 'BROKER_PLAINTEXT_REFUSED' });
    expect(await resolve('kafka://a.example:9092', true)).toMatchObject({ plaintextAllowed: true });
  });

  it.each([
    [undefined, 'the form'],
    ['postgres://a:1/b', 'the form'],
    ['kafkas://a.example', 'the host'],
    ['kafkas://a.example:0', 'the host'],
    ['kafkas://a.example:9093,:1', 'the host'],
    ['kafkas://[a.example]:9093', 'the host'],
    ['kafkas://a.example:9093/topic', 'the form'],
    ['kafkas://%zz:b@a.example:9093?mechanism=plain', 'the user'],
    ['kafkas://u:p@a.example:9093', 'mechanism'],
    ['kafkas://u:p@a.example:9093?mechanism=gssapi', 'mechanism'],
    ['kafkas://u@a.example:9093?mechanism=plain', 'the user and the password'],
    ['kafkas://u:p@a.example:9093?mechanism=oauthbearer&token=file:t', 'token'],
    ['kafkas://a.example:9093?mechanism=oauthbearer', 'token'],
    ['kafkas://a.example:9093?cert=file:c', 'cert and key, which need each other'],
    ['kafkas://a.example:9093?ca=env:NONE', 'ca'],
    ['kafkas://a.example:9093?ca=file:a&ca=file:b', 'ca'],
    ['kafkas://a.example:9093?verify=no', 'a parameter that is none'],
    ['kafka://u:p@127.0.0.1:9092', 'the scheme, which is kafkas:// with a login or certificates'],
  ])('is refused with the part that is wrong: %s', async (text, part) => {
    await expect(resolve(text)).rejects.toMatchObject(refused(part));
  });

  it('is never shown, whatever is wrong with it', async () => {
    const part = fc.stringMatching(/^[a-z0-9:@/?&=%[\]., -]{0,20}$/);
    await fc.assert(
      fc.asyncProperty(part, part, async (before, after) => {
        const text = `kafkas://${before}canary${after}`;
        const error = await resolve(text).then(
          () => undefined,
          (cause: unknown) => cause,
        );
        if (error !== undefined) expect(JSON.stringify([error, (error as Error).message])).not.toContain('canary');
      }),
    );
  });
});

describe('a Connection of system kafka', () => {
  const definition = (more: Partial<ConnectionDefinition> = {}): ConnectionDefinition => ({
    ...{ kind: 'Connection', name: 'masked', system: 'kafka', hosts: ['a.example:9093', 'b.example:9094'] },
    ...{ mechanism: 'scram-sha-512', user: 'service', password: 'file:password', tls: { ca: 'PEM' } },
    ...more,
  });

  it('is the address that it stands for', async () => {
    asked.length = 0;
    expect(await resolveBrokerDefinition(definition(), read)).toEqual({
      name: 'masked',
      hosts: [
        { host: 'a.example', port: 9093 },
        { host: 'b.example', port: 9094 },
      ],
      tls: { ca: 'PEM' },
      login: { mechanism: 'scram-sha-512', user: 'service', password: 'text of file:password' },
    });
    // One host of somebody's own among them would be asked for as well.
    expect(asked).toEqual([
      ['file:password', 'a.example:9093'],
      ['file:password', 'b.example:9094'],
    ]);
  });

  it('may be in clear for an environment of class dev, and on this machine', async () => {
    const clear = { kind: 'Connection', name: 'masked', system: 'kafka', tls: { mode: 'disable', reason: 'a laptop' } } as const;
    const far = { ...clear, hosts: ['a.example:9092'] };
    await expect(resolveBrokerDefinition(far, read)).rejects.toMatchObject({ code: 'BROKER_PLAINTEXT_REFUSED' });
    expect(await resolveBrokerDefinition(far, read, true)).toMatchObject({ plaintextAllowed: true });
    expect(await resolveBrokerDefinition({ ...clear, hosts: ['localhost:9092'] }, read)).not.toHaveProperty('tls');
    // Nobody's password goes there.
    await expect(resolveBrokerDefinition({ ...far, mechanism: 'plain', user: 'u', password: 'file:p' }, read, true)).rejects.toMatchObject({
      code: 'BROKER_ADDRESS_INVALID',
    });
  });

  it('logs in by a file of credentials, a token or a certificate', async () => {
    const lent = (reference: string): Promise<string> =>
      Promise.resolve(reference === 'vault:c' ? '{"username":"u","password":"p"}' : 'text');
    const bare: ConnectionDefinition = {
      kind: 'Connection',
      name: 'masked',
      system: 'kafka',
      hosts: ['a.example:9093'],
      tls: { ca: 'PEM' },
    };
    const rest = { ...bare, mechanism: 'scram-sha-512' } as const;
    expect((await resolveBrokerDefinition({ ...rest, credentials: 'vault:c' }, lent)).login).toMatchObject({ user: 'u', password: 'p' });
    const token = await resolveBrokerDefinition({ ...rest, mechanism: 'oauthbearer', token: 'file:t' }, lent);
    expect(token.login?.mechanism).toBe('oauthbearer');
    const own = await resolveBrokerDefinition({ ...bare, certificate: { cert: 'CERT', key: 'file:k' } }, lent);
    expect([own.tls, own.login]).toEqual([{ ca: 'PEM', cert: 'CERT', key: 'text' }, undefined]);
    await expect(resolveBrokerDefinition({ ...rest, credentials: 'vault:c' }, read)).rejects.toMatchObject({
      code: 'CONNECTION_CREDENTIALS_INVALID',
    });
  });
});

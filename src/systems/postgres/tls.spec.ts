import { expect, it } from '@jest/globals';

import { toVerifiedUrl } from './connection.js';
import { isLoopback, toTls, withoutTls } from './tls.js';

const url = (query = '', host = 'db.example'): string => `postgres://app:hunter2canary@${host}/shop${query}`;

it('is verified to the name outside of this machine, whatever more the connection string says', () => {
  for (const query of [
    '',
    '?sslmode=verify-full',
    '?sslmode=verify-ca',
    '?sslmode=require',
    '?sslnegotiation=direct',
    '?ssl=0',
    '?uselibpqcompat=true&sslmode=require',
  ])
    expect([query, toTls('c', url(query), 'db.example')]).toEqual([query, { minVersion: 'TLSv1.2', rejectUnauthorized: true }]);
});

it.each(['disable', 'allow', 'prefer', 'no-verify'])('is refused as %s outside of this machine, and allowed on it', (mode) => {
  expect(() => toTls('c', url(`?sslmode=${mode}`), 'db.example')).toThrow('asks for less than verified TLS');
  expect(toTls('c', url(`?sslmode=${mode}`), '127.0.0.1')).toBe(false);
});

it('is less for a reason only, and stricter on this machine if asked for', () => {
  const reason = 'a certificate without names, until March';
  expect(toTls('c', url(), 'db.example', { mode: 'disable', reason })).toBe(false);
  expect(toTls('c', url(), 'db.example', { mode: 'require', reason })).toMatchObject({ rejectUnauthorized: false });
  const byAuthority = toTls('c', url(), 'db.example', { mode: 'verify-ca', reason, ca: 'PEM' });
  expect(byAuthority).toMatchObject({ rejectUnauthorized: true, ca: 'PEM' });
  expect(byAuthority && byAuthority.checkServerIdentity?.('any', {} as never)).toBeUndefined();
  expect(toTls('c', url('?sslmode=require'), 'localhost')).toMatchObject({ rejectUnauthorized: true });
});

it('tells a file of certificates that is not there by the connection only', () => {
  expect(() => toTls('c', url('?sslrootcert=/nowhere/hunter2canary'), 'db.example')).toThrow('the connection reference c cannot be used');
});

it('takes away what pg would believe, and leaves the rest as it was', () => {
  expect(withoutTls(url('?sslmode=disable&application_name=x&ssl=0&sslrootcert=/a'))).toBe(url('?application_name=x'));
  expect(withoutTls('postgres://a%20b:p%40ss%2F@db/x?sslmode=disable')).toBe('postgres://a%20b:p%40ss%2F@db/x');
  expect(withoutTls(url())).toBe(url());
});

it('knows this machine', () => {
  const hosts = ['127.0.0.1', '127.8.8.8', '::1', 'localhost', '/var/run/postgresql', '::ffff:127.0.0.1'];
  const others = [
    '0.0.0.0',
    '127.0.0.1.evil.example',
    '127.evil',
    '10.0.0.1',
    'localhost.evil.example',
    '::ffff:10.0.0.1',
    '128.0.0.1',
    '',
  ];
  expect([...hosts, ...others].filter(isLoopback)).toEqual(hosts);
});

it('is asked of clients that are not ours by the connection string', () => {
  const verified = (text: string): string => new URL(toVerifiedUrl('c', text)).search;
  expect(verified(url())).toBe('?sslmode=verify-full');
  expect(verified(url('?sslmode=require&uselibpqcompat=true&ssl=0'))).toBe('?sslmode=verify-full');
  expect(verified(`${url('', '127.0.0.1')}?host=db.example`)).toBe('?host=db.example&sslmode=verify-full');
  expect(verified(url('?sslmode=disable', '127.0.0.1'))).toBe('?sslmode=disable');
  expect(() => verified(url('?sslmode=prefer'))).toThrow('asks for less than verified TLS');
});

import { type AddressInfo, connect } from 'node:net';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { createAuthority } from '../../../test/support/certificates.js';
import { HttpClient, createTextListener, toWitnessSender } from './http.js';

const authority = createAuthority();
const { cert, key } = authority.issue(['DNS:localhost']);
const server = createTextListener(
  ({ method, path, body }) => Promise.resolve({ status: body === undefined ? 413 : 200, text: `${method} ${path} ${body?.length}` }),
  { cert, key },
);
let port = 0;

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  authority.remove();
  await new Promise((done) => server.close(done));
});

const send = (body: string, ca?: string): Promise<{ status: number; body: string }> =>
  toWitnessSender(`https://localhost:${port}/w`, 'w', (hosts) => new HttpClient({ hosts, ...(ca === undefined ? {} : { ca }) }))(body);

it('is asked over TLS, by whoever trusts its certificate', async () => {
  expect(await send('12345', authority.ca)).toEqual({ status: 200, body: 'POST /w/add-checkpoint 5' });
  await expect(send('12345')).rejects.toMatchObject({ code: 'WITNESS_UNREACHABLE' });
});

it('reads no more than 64 KiB, and lives on when somebody hangs up', async () => {
  expect(await send('x'.repeat(65_537), authority.ca)).toMatchObject({ status: 413 });
  const socket = connect(port, '127.0.0.1');
  await new Promise((done) => socket.once('connect', done));
  socket.destroy();
  expect(await send('still there', authority.ca)).toMatchObject({ status: 200 });
});

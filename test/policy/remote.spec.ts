// A running OPA server as one that is asked: the same rules there give the same decisions, and what is no decision is a no.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { decide } from '../../src/pipeline/gate/gate.js';
import type { Policy } from '../../src/pipeline/ports.js';
import { sendLocally } from '../../src/systems/http/http.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { table } from './decision-table.js';
import { hasOpa, itWithOpa } from './opa-binary.js';
import { question } from './question.js';

const opened: Policy[] = [];
afterAll(async () => {
  for (const policy of opened) await policy.close();
});
const ask = async (server: string, timeLimitMs = 20_000): Promise<Policy> => {
  const policy = await openPolicy({ remote: { server, send: sendLocally }, timeLimitMs });
  opened.push(policy);
  return policy;
};

describe('an OPA server', () => {
  let child: ChildProcess | undefined;
  let server = '';
  beforeAll(async () => {
    if (!hasOpa) return;
    const port = await freePort();
    server = `http://127.0.0.1:${port}`;
    child = spawn('opa', ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error', 'policies'], {
      cwd: packageFile('.'),
      stdio: 'ignore',
    });
    for (let round = 0; round < 300; round++) {
      const answer = await sendLocally({ url: `${server}/health` }).catch(() => undefined);
      if (answer?.status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('the OPA server does not start');
  });
  afterAll(() => void child?.kill());

  itWithOpa('with the same rules says the same to every row of the decision table', async () => {
    const [policy, own] = [await ask(server), await openPolicy()];
    opened.push(own);
    for (const [situation, input] of table) {
      const [both, here] = [await policy.decide(input), await own.decide(input)];
      // Each of the two gives the reason.
      const twice = here.reasons.flatMap((reason) => [reason, reason]);
      expect([situation, both.allow, both.reasons]).toEqual([situation, here.allow, twice]);
      expect(both.others).toMatchObject([{ name: 'server' }]);
    }
  });
});

describe('what is no decision of a server is a no', () => {
  let server: Server;
  let answer: (response: ServerResponse) => void;
  const allow = { allow: true, reasons: [] };
  beforeAll(async () => {
    server = createServer((_, response) => answer(response));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  it.each<[string, string, (response: ServerResponse) => void]>([
    ['an answer without a result', 'POLICY_UNDEFINED', (response) => response.end('{}')],
    ['a bare yes', 'POLICY_ANSWER_UNUSABLE', (response) => response.end('{"result":true}')],
    ['null', 'POLICY_ANSWER_UNUSABLE', (response) => response.end('{"result":null}')],
    ['a yes with reasons', 'POLICY_ANSWER_UNUSABLE', (response) => response.end('{"result":{"allow":true,"reasons":["no"]}}')],
    ['a status of 500', 'POLICY_SERVER_REFUSED', (response) => response.writeHead(500).end(JSON.stringify({ result: allow }))],
    [
      'a redirect',
      'POLICY_SERVER_REFUSED',
      (response) => response.writeHead(302, { Location: '/' }).end(JSON.stringify({ result: allow })),
    ],
    ['no JSON', 'POLICY_SERVER_REFUSED', (response) => response.end('yes')],
    ['a list', 'POLICY_UNDEFINED', (response) => response.end('[]')],
    ['a broken connection', 'POLICY_SERVER_REFUSED', (response) => void response.destroy()],
    ['silence', 'POLICY_TIMEOUT', () => undefined],
  ])('%s', async (_, code, how) => {
    answer = how;
    const policy = await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, code === 'POLICY_TIMEOUT' ? 500 : 20_000);
    const decision = await decide(policy, question());
    expect(decision.reasons.map((reason) => reason.code)).toEqual(['GATE_UNDECIDED', code]);
  });

  it('nor is a server that is not there', async () => {
    const policy = await ask(`http://127.0.0.1:${await freePort()}`);
    expect((await decide(policy, question())).reasons.map(({ code }) => code)).toEqual(['GATE_UNDECIDED', 'POLICY_SERVER_REFUSED']);
  });

  it('but a plain yes is one, so that the tests above fail for their own reasons', async () => {
    answer = (response) => response.end(JSON.stringify({ result: allow }));
    const policy = await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await decide(policy, question())).toMatchObject({ allow: true, reasons: [] });
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}

// Agents of a service: who may be in is asked for there, a worker takes him, and what he says and refuses stands in the log. Several agents, several
// environments, one service and one broker.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { startAgent } from '../../src/agent/agent.js';
import { type Broker, openBroker, resolveBroker, toControlTopic } from '../../src/systems/kafka/kafka.js';
import { findKafka, shareKafka } from '../support/kafka.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { startStreamService, toStreamPipeline } from '../support/stream-service.js';
import { type TargetWorld, startTargetWorld } from '../support/target-world.js';
import { type Said, type TinyWorld, bauta, classificationText, startTinyWorld } from '../support/tiny-source.js';

const jars = findKafka();
const onKafka = jars === undefined ? it.skip : it;
const prefix = 'served';
let tiny: TinyWorld;
let world: ServiceWorld;
let broker: Broker;
let folder: string;
let env: Record<string, string> = {};
const servers: TargetWorld[] = [];
const stops: (() => Promise<unknown>)[] = [];

interface Running {
  readonly said: string[];
  readonly ended: Promise<unknown>;
  readonly stop: () => Promise<void>;
}
const agents: Record<string, Running> = {};

const toPipeline = (name: string, environment: string, agents = 1): string =>
  toStreamPipeline(name, environment, `prefix: ${prefix}, database: copy_${environment}, agents: ${agents}, waitMinutes: 1`);

beforeAll(async () => {
  if (jars === undefined) return;
  const kafka = await shareKafka(jars);
  folder = mkdtempSync(join(tmpdir(), 'bauta-served-'));
  const startService = async (): Promise<void> => {
    tiny = await startTinyWorld();
    world = await startServiceWorld(tiny.server);
  };
  const [, ...targets] = await Promise.all([startService(), startTargetWorld(), startTargetWorld()]);
  servers.push(...targets);
  broker = await openBroker(await resolveBroker('env:BROKER', kafka.url, () => Promise.resolve(undefined)));
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_BROKER: kafka.url };
  env = {
    OPERATOR: await world.person('olga', ['operator', 'requester', 'viewer']),
    ELSEWHERE: await world.person('otto', ['operator@uat', 'viewer@uat']),
    VIEWER: await world.person('vic', ['viewer']),
    FOREIGN: await world.person('fay', ['operator', 'viewer'], 'foreign'),
    BROKER: kafka.url,
  };
  const text = `${toPipeline('tiny', 'qa', 2)}---\n${toPipeline('early', 'qa')}---\n${toPipeline('other', 'uat')}---\n${classificationText}`;
  const author = await world.person('ada', ['policy-admin']);
  const applied = await world.ask('POST', '/v1/apply', { token: author, text, headers: { 'content-type': 'application/yaml' } });
  expect([applied.status, applied.body]).toMatchObject([200, {}]);
  const settings = { BAUTA_POOL_TAGS: 'pii,pci,phi,special,sensitive,secret,quasi' };
  const failed = (error: unknown): void => void process.stderr.write(`clock: ${String(error)}\n`);
  stops.push(await startStreamService({ world, home: folder, connections, settings, failed }));
}, 180_000);
afterAll(async () => {
  for (const { stop } of Object.values(agents)) await stop();
  for (const stop of stops) await stop();
  await broker?.close();
  await world?.stop();
  await tiny?.stop();
  for (const { server } of servers) await server.stop();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function until(done: () => boolean | Promise<boolean>, why: () => string = () => 'it did not come to that'): Promise<void> {
  for (const startedAt = performance.now(); !(await done()); await new Promise((resolve) => setTimeout(resolve, 100)))
    if (performance.now() - startedAt > 40_000) throw new Error(why());
}

const call = (words: readonly string[], token = 'OPERATOR'): Promise<Said> =>
  bauta(['agents', ...words, '--server', world.url, '--token', `env:${token}`], { env });

interface Listed {
  readonly agentId: string;
  readonly state: string;
  readonly revokedAt: string | null;
  readonly refused: unknown[];
  readonly progress: { readonly lag: number } | null;
}
const list = async (environment: string): Promise<Listed[]> =>
  (await world.ask('GET', `/v1/agents?environment=${environment}`, { token: env['OPERATOR']! })).body['items'] as Listed[];
const invitation = { tokenId: 'ab'.repeat(8), publicKey: 'cd'.repeat(32) };
const refusal = async (method: string, path: string, token: string, json?: object): Promise<unknown> => {
  const { status, body } = await world.ask(method, path, { token: env[token]!, ...(json && { json }) });
  return [status, body['code']];
};

function start(name: string, server: TargetWorld, tokenFile: string, to = 'qa'): Running {
  const stopping = new AbortController();
  const said: string[] = [];
  const environment = {
    BROKER: env['BROKER'],
    TARGET: server.url(`copy_${to}`),
    BAUTA_AGENT_BROKER: 'env:BROKER',
    BAUTA_AGENT_TARGET: 'env:TARGET',
  };
  const home = join(folder, name);
  const ended = startAgent({ environment, home, tokenFile, signal: stopping.signal, say: (line) => said.push(line) });
  ended.catch((error: unknown) => said.push(String(error)));
  const running = { said, ended, stop: async () => (stopping.abort(), void (await ended.catch(() => undefined))) };
  agents[name] = running;
  return running;
}

async function invite(name: string, environment: string): Promise<string> {
  const { stdout, stderr, exitCode: code } = await call(['invite', environment]);
  if (code !== 0) throw new Error(stderr);
  const { secret } = JSON.parse(Buffer.from(stdout.trim().slice('bauta-agent-'.length), 'base64url').toString('utf8')) as {
    secret: string;
  };
  world.secret(secret);
  writeFileSync(join(folder, `${name}.token`), stdout, { mode: 0o600 });
  return join(folder, `${name}.token`);
}

async function run(pipeline: string): Promise<string> {
  const { body } = await world.ask('POST', '/v1/runs', { token: env['OPERATOR']!, json: { pipeline } });
  const get = async (): Promise<Record<string, unknown>> =>
    (await world.ask('GET', `/v1/runs/${String(body['id'])}`, { token: env['OPERATOR']! })).body;
  await until(
    async () => !/queued|running|planned|resting|waiting/.test(String((await get())['state'])) && (await get())['endedAt'] !== null,
  );
  const { state, summary } = await get();
  if (state !== 'published') throw new Error(JSON.stringify([summary, Object.values(agents).map(({ said }) => said)]));
  return String(body['id']);
}

const idOf = (name: string): string =>
  /^agent (\w+) /.exec(agents[name]!.said.find((line) => line.includes('is at work')) ?? '')?.[1] ?? '';

onKafka(
  'are let in by tokens of their own, for environments that whoever invites has the right in, and by nobody else',
  async () => {
    const asked = { environment: 'qa', ...invitation };
    expect(await refusal('POST', '/v1/agents/invites', 'VIEWER', asked)).toEqual([403, 'ACCESS_DENIED']);
    expect(await refusal('POST', '/v1/agents/invites', 'ELSEWHERE', asked)).toEqual([403, 'ACCESS_DENIED']);
    expect(await refusal('POST', '/v1/agents/invites', 'FOREIGN', asked)).toEqual([404, 'RESOURCE_UNKNOWN']);
    const [first, second, third] = await Promise.all([invite('one', 'qa'), invite('two', 'qa'), invite('three', 'uat')]);
    start('one', servers[0]!, first);
    start('two', servers[1]!, second);
    start('three', servers[1]!, third, 'uat');
    const said = (): string => Object.values(agents).flatMap((one) => one.said).join('\n'); // prettier-ignore
    await until(() => Object.values(agents).every((one) => one.said.some((line) => line.includes('is at work'))), said);
    // They are told before it is kept.
    await until(async () => (await list('qa')).length === 2 && (await list('uat')).length === 1, said);
    const { stdout } = await call(['list', 'qa', '--json']);
    expect((JSON.parse(stdout) as { agents: Listed[] }).agents.map(({ state }) => state)).toEqual(['silent', 'silent']);
    expect(await refusal('GET', '/v1/agents/invites?environment=qa', 'ELSEWHERE')).toEqual([403, 'ACCESS_DENIED']);
    expect((await world.ask('GET', '/v1/agents', { token: env['ELSEWHERE']! })).body['items']).toHaveLength(1);
    expect((await world.ask('GET', '/v1/agents', { token: env['FOREIGN']! })).body['items']).toEqual([]);
    // A token is for one.
    start('thief', servers[0]!, first);
    await until(async () => (await world.told('agent.refused')).some(({ data }) => data['problem'] === 'used token'), said);
    await agents['thief']!.stop();
    delete agents['thief'];
    expect(await list('qa')).toHaveLength(2);
    const told = await world.told('agent.invited', 'agent.enrolled');
    expect(told.map(({ type, data }) => `${type} ${String(data['environment'])}`).sort()).toEqual(
      [...['qa', 'qa', 'uat'].map((of) => `agent.enrolled ${of}`), ...['qa', 'qa', 'uat'].map((of) => `agent.invited ${of}`)].sort(),
    );
    expect(told.every(({ actor, data }) => typeof (actor ?? data['actor']) === 'string')).toBe(true);
  },
  120_000,
);

onKafka(
  'publish what a run of the service sent, each with a marker that is made out to its own server',
  async () => {
    await run('tiny');
    for (const { server } of servers) {
      const [row] = await server.sql(
        'copy_qa',
        'SELECT (SELECT count(*)::int FROM app.person) AS people, note, (SELECT system_identifier::text FROM pg_control_system()) AS id FROM bauta.dataset',
      );
      expect(row).toMatchObject({ people: expect.any(Number) });
      expect(String(row!['note'])).toContain(`"systemIdentifier":"${String(row!['id'])}"`);
    }
    await until(async () => (await list('qa')).every(({ state, progress }) => state === 'published' && progress?.lag === 0));
    await until(async () => (await world.told('agent.published')).length === 2);
    const told = await world.told('agent.published');
    expect(told.map(({ data }) => data)).toEqual([0, 1].map(() => expect.objectContaining({ environment: 'qa', version: 1 })));
    expect((await list('uat')).map(({ state }) => state)).toEqual(['silent']);
  },
  120_000,
);

onKafka(
  'are waited for by as many as the document says: a run tells of one that is away, which publishes when it is back',
  async () => {
    const away = idOf('two');
    await agents['two']!.stop();
    const id = await run('early');
    const shown = await bauta(['runs', 'show', id, '--server', world.url, '--token', 'env:OPERATOR'], { env });
    expect([shown.stdout.includes(`${away} is behind: silent`), shown.stdout.includes('STREAM_AGENT_BEHIND')]).toEqual([true, true]);
    const told = async (): Promise<unknown[]> =>
      (await world.told('agent.published')).flatMap(({ data }) => (data['version'] === 2 ? [data['agent']] : []));
    await until(async () => (await told()).length === 1);
    start('two', servers[1]!, join(folder, 'two.token'));
    await until(async () => (await told()).length === 2);
    expect(new Set(await told())).toEqual(new Set([idOf('one'), away]));
    expect(await servers[1]!.server.sql('copy_qa', 'SELECT version FROM bauta.dataset')).toEqual([{ version: 2 }]);
  },
  120_000,
);

onKafka(
  'tell the service what they refuse, which tells it to the log and to whoever wants to be told',
  async () => {
    const producer = await broker.producer();
    const place = { prefix, workspace: await world.metadata.workspaceName(world.workspaces.home), environment: 'qa' };
    await producer.send({ topic: toControlTopic(place), records: [{ key: 'forged/publish', value: Buffer.from('{}') }] });
    await producer.close();
    const refused = async (): Promise<number> =>
      (await world.told('agent.refused')).filter(({ data }) => data['problem'] === 'unsigned' && data['topic'] === 'control').length;
    await until(async () => (await refused()) >= 2);
    expect((await list('qa')).map((one) => one.refused)).toEqual([0, 1].map(() => [{ topic: 'control', problem: 'unsigned', amount: 1 }]));
    const [notices] = await world.sql(`SELECT count(*)::int AS n FROM bauta.notice WHERE event ->> 'type' = 'agent.refused'`);
    expect(notices!['n']).toBeGreaterThanOrEqual(2);
  },
  120_000,
);

onKafka(
  'are let go: told at once, counted by no run any more, and never taken in again',
  async () => {
    const id = idOf('two');
    expect(await refusal('DELETE', `/v1/agents/qa/${id}`, 'VIEWER')).toEqual([403, 'ACCESS_DENIED']);
    expect(await refusal('DELETE', '/v1/agents/qa/0000000000000000', 'OPERATOR')).toEqual([404, 'RESOURCE_UNKNOWN']);
    const revoked = await call(['revoke', 'qa', id]);
    expect([revoked.exitCode, revoked.stdout]).toEqual([0, expect.stringContaining('revoked')]);
    await expect(agents['two']!.ended).rejects.toMatchObject({ code: 'AGENT_REVOKED' });
    await until(async () => (await list('qa')).some(({ agentId, revokedAt }) => agentId === id && revokedAt !== null));
    expect((await world.told('agent.revoked')).map(({ data }) => data)).toMatchObject([{ environment: 'qa', agent: id }]);
    // Two are demanded, and one is left.
    const plan = await world.ask('POST', '/v1/plans', { token: env['OPERATOR']!, json: { pipeline: 'tiny' } });
    const get = async (): Promise<Record<string, unknown>> =>
      (await world.ask('GET', `/v1/plans/${String(plan.body['id'])}`, { token: env['OPERATOR']! })).body;
    await until(async () => (await get())['endedAt'] !== null);
    expect(JSON.stringify(await get())).toContain('STREAM_AGENTS_MISSING');
  },
  120_000,
);

// `bauta --server`: a run at a service is told as one of this machine is, word for word; so is what is wrong.
import { readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import type { RunWorker } from '../../src/control/runs/runs.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { createAuthority } from '../support/certificates.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import {
  type BautaOptions,
  type Said,
  type TinyWorld,
  bauta,
  classificationText,
  pipelineText,
  startTinyWorld,
} from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let env: Record<string, string> = {};
const files: Record<string, string> = {};

const named = (name: string): string =>
  pipelineText
    .replace('name: tiny', `name: ${name}`)
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', `env:BAUTA_CONN_${name.toUpperCase()}`);

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  const source = await tiny.source('shop');
  // Reading this table takes a minute, by the budget of rows.
  const big = `CREATE TABLE app.slow (id int PRIMARY KEY, note text); INSERT INTO app.slow SELECT i, repeat('x', 200) FROM generate_series(1, 60000) i; ANALYZE`;
  const connections = {
    BAUTA_CONN_SOURCE: source,
    BAUTA_CONN_BIG: await tiny.source('big', big),
    ...Object.fromEntries(['tiny', 'denied', 'slow', 'failed'].map((name) => [`BAUTA_CONN_${name.toUpperCase()}`, tiny.target(name)])),
  };
  env = {
    ...connections,
    AUTHOR: await world.person('ada', ['policy-admin', 'viewer']),
    TOKEN: await world.person('bob', ['requester', 'viewer']),
    WATCHER: await world.person('vic', ['viewer']),
    BAUTA_TOKEN: 'env:TOKEN',
  };
  for (const [name, text] of Object.entries({
    tiny: named('tiny'),
    denied: named('denied').replace('allows: [pii]', 'allows: [quasi]'),
    failed: named('failed').replace('classification: tiny', 'classification: gap'),
  }))
    files[name] = tiny.documents({
      'pipeline.yaml': text,
      // A column that nobody says anything of, in one of them.
      ...(name === 'failed'
        ? { 'classification.yaml': classificationText.replace('name: tiny', 'name: gap').replace(', born: pii.date-of-birth', '') }
        : {}),
    });
  files['slow'] = tiny.documents({
    'pipeline.yaml': named('slow')
      .replace('env:BAUTA_CONN_SOURCE', 'env:BAUTA_CONN_BIG')
      .replace('classification: tiny', 'classification: slow\ninclude: [app.slow]'),
    'classification.yaml': 'kind: Classification\nname: slow\ntables: { app.slow: { columns: { id: pii.key, note: pii.free-text } } }\n',
  });
  worker = await startRunWorker(world, join(tiny.folder, 'worker'), connections, { BAUTA_SOURCE_ROWS_PER_SECOND: '1000' });
}, 60_000);
afterAll(async () => {
  await worker.stop();
  await world.stop();
  await tiny.stop();
});

const there = (words: readonly string[], more: Readonly<Record<string, string>> = {}, options: Partial<BautaOptions> = {}): Promise<Said> =>
  bauta(words, { ...options, cwd: tiny.folder, env: { ...env, BAUTA_SERVER: world.url, ...more } });
const here = (...words: string[]): Promise<Said> =>
  bauta(words, { cwd: tiny.folder, env: { ...env, BAUTA_HOME: join(tiny.folder, 'home') } });
const asAuthor = { BAUTA_TOKEN: 'env:AUTHOR' };

function parse({ stdout }: Said, command: string): Record<string, unknown> {
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', `output-${command}.json`), 'utf8')) as object;
  const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  const said = JSON.parse(stdout) as Record<string, unknown>;
  expect([fits(said), fits.errors]).toEqual([true, null]);
  return said;
}

/** What differs from run to run; and a file has a line of its own in the service, which has the document's name for it. */
const normalise = (text: string): string =>
  text
    .replace(/in [\d.]+ s \([\d,]+ rows\/s while they moved, peak memory [\d.]+ [kMG]B\)/, 'in N s')
    .replace(/(classification\.yaml|Classification gap version 1):\d+/g, 'DOCUMENT')
    .replace(/"file":"(classification\.yaml|Classification gap version 1)","line":\d+/g, '"file":"DOCUMENT"')
    .replace(/version \d+/, 'version N')
    .replace(/decision [0-9a-f-]{36}/, 'decision ID')
    .replace(/[\d.]+ kB/g, 'N kB')
    .replace(/\d+ of (\d+) came out as they were/g, 'N of $1 came out as they were')
    // Measured of pseudonyms that two keys made.
    .replace(/^privacy .*(\n {4}.*)*/gm, 'privacy');

describe('bauta apply', () => {
  it('says what would change, applies it, and changes nothing the second time', async () => {
    const words = ['apply', '-f', files['tiny']!];
    const dry = await there([...words, '--dry-run'], asAuthor);
    const created = 'created    Pipeline tiny, version 1\ncreated    Classification tiny, version 1\n';
    expect([dry.exitCode, dry.stdout, dry.stderr]).toEqual([0, `${created}dry run: nothing was applied\n`, '']);
    expect((await there(words, asAuthor)).stdout).toBe(created);
    expect(parse(await there([...words, '--json'], asAuthor), 'apply')).toMatchObject({
      dryRun: false,
      applied: [{ kind: 'Pipeline', change: 'unchanged' }, { change: 'unchanged' }],
    });
    for (const name of ['denied', 'failed', 'slow']) expect((await there(['apply', '-f', files[name]!], asAuthor)).exitCode).toBe(0);
  });

  it('shows by member what differs, and what waits for a second person', async () => {
    const file = tiny.documents({
      'pipeline.yaml': named('tiny'),
      'classification.yaml': classificationText.replace('note: pii.free-text', 'note: none'),
    });
    const { exitCode, stdout } = await there(['apply', '-f', file], asAuthor);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('unchanged  Pipeline tiny, version 1\nchange     Classification tiny, version 2\n');
    expect(stdout).toMatch(/ {2}~ \/tables\/.*: "pii\.free-text" → "none"\n/);
    expect(stdout).toMatch(/lowers .*note/);
    expect(stdout).toMatch(/for a second person, and nothing was applied: bauta approvals approve [0-9a-f-]{36}\n$/);
    const listed = await there(['approvals', 'list', '--state', 'waiting']);
    expect(listed.stdout).toMatch(/documents +waiting +Classification tiny 2/);
    const [{ id }] = parse(await there(['approvals', 'list', '--json']), 'approvals')['approvals'] as [{ id: string }];
    const own = await there(['approvals', 'approve', id], asAuthor);
    expect([own.exitCode, own.stderr]).toEqual([2, expect.stringContaining('error: ACCESS_DENIED')]);
    const approver = { APPROVER: await world.person('pia', ['approver']), BAUTA_TOKEN: 'env:APPROVER' };
    expect((await there(['approvals', 'refuse', id], approver)).stdout).toContain('refused');
  });

  it('names what is wrong by file and line, before and after asking the service', async () => {
    const bad = tiny.documents({ 'pipeline.yaml': named('bad').replace('retentionDays: 30', 'retentionDays: x') });
    const local = await there(['apply', '-f', bad], asAuthor);
    expect([local.exitCode, local.stderr]).toEqual([3, expect.stringMatching(/pipeline\.yaml:\d+: error DOCUMENT_VALUE_INVALID/)]);
    const refused = tiny.documents({ 'pipeline.yaml': named('bad').replace('env:BAUTA_CONN_BAD', 'env:HOME') });
    const told = await there(['apply', '-f', refused], asAuthor);
    expect([told.exitCode, told.stderr]).toEqual([3, expect.stringMatching(/error \w+: .*\n {4}.*\n(.*\n)*error: DOCUMENTS_INVALID/)]);
  });
});

describe('bauta run', () => {
  it.each([
    ['published', 'tiny', 0],
    ['denied', 'denied', 2],
    ['failed', 'failed', 3],
  ])(
    'that is %s says at a service what it says here',
    async (_, name, exitCode) => {
      const far = await there(['run', name, '--json']);
      const near = await here('run', '-f', files[name]!, '--json');
      expect([far.exitCode, near.exitCode]).toEqual([exitCode, exitCode]);
      expect(normalise(far.stderr)).toBe(normalise(near.stderr));
      const [farJson, nearJson] = [parse(far, 'run'), parse(near, 'run')];
      expect(Object.keys(farJson).sort()).toEqual(Object.keys(nearJson).sort());
      const same = ({ state, findings, error, verdicts, tables }: Record<string, unknown>): unknown => ({
        ...{ state, findings: JSON.parse(normalise(JSON.stringify(findings))) as unknown, error },
        verdicts: JSON.parse(normalise(JSON.stringify(verdicts)).replace(/"unchanged":\d+/g, '"unchanged":0')) as unknown,
        tables: (tables as { name: string; rows: number }[]).map(({ name: table, rows }) => [table, rows]),
      });
      expect(same(farJson)).toEqual(same(nearJson));
    },
    60_000,
  );

  it('runs documents only as they are applied there, and applies nothing by itself', async () => {
    const other = tiny.documents({ 'pipeline.yaml': named('tiny').replace('retentionDays: 30', 'retentionDays: 31') });
    const { exitCode, stderr } = await there(['run', '-f', other]);
    expect([exitCode, stderr]).toEqual([
      3,
      expect.stringMatching(/DOCUMENT_NOT_APPLIED: Pipeline tiny is not(.*\n)*error: DOCUMENTS_NOT_APPLIED/),
    ]);
    expect(stderr).not.toContain('Classification tiny');
  });

  it('is followed on after the stream was cut, and says nothing twice', async () => {
    const proxy = await startProxy(world.url);
    try {
      const { exitCode, stderr } = await there(['run', 'tiny', '--server', proxy.url]);
      expect(exitCode).toBe(0);
      expect(proxy.lastIds.length).toBeGreaterThan(1);
      expect(proxy.lastIds.slice(1).every((id) => id !== undefined)).toBe(true);
      for (const word of ['plan ', 'gate ', 'build ', 'verify ', 'published'])
        expect([word, stderr.split('\n').filter((line) => line.startsWith(word)).length]).toEqual([word, 1]);
    } finally {
      await proxy.stop();
    }
  }, 60_000);

  it('is cancelled there by Ctrl-C and by --timeout, and the exit code says which', async () => {
    const onWords: BautaOptions['onWords'] = (words, kill) => {
      if (words.includes('gate')) kill('SIGINT');
    };
    const stopped = await there(['run', 'slow', '--json'], {}, { onWords });
    expect([stopped.exitCode, parse(stopped, 'run')]).toMatchObject([1, { state: 'cancelled', error: { code: 'RUN_CANCELLED' } }]);
    expect(stopped.stderr).toContain('error: RUN_CANCELLED');
    const late = await there(['run', 'slow', '--json', '--timeout', '2s']);
    expect([late.exitCode, parse(late, 'run')]).toMatchObject([4, { state: 'cancelled', error: { code: 'TIMEOUT_PASSED' } }]);
    expect(late.stderr).toContain('error: TIMEOUT_PASSED');
    const listed = await there(['runs', 'list', '--pipeline', 'slow', '--state', 'cancelled', '--json']);
    expect(parse(listed, 'runs')['runs']).toHaveLength(2);
  }, 60_000);
});

describe('bauta runs', () => {
  it('lists, shows, and says why something cannot be done', async () => {
    const listed = await there(['runs', 'list', '--pipeline', 'tiny', '--count', '1']);
    expect(listed.stdout).toMatch(/^RUN +PIPELINE +ENVIRONMENT +STATE.*\n[0-9a-z]{16} +tiny +dev +published +1 /);
    const [, id = ''] = /^([0-9a-z]{16}) /m.exec(listed.stdout) ?? [];
    const shown = await there(['runs', 'show', id]);
    expect(shown.stdout).toMatch(/extracting, attempt 1, since .*, 500 rows.*\n(.*\n)*.*deliver: table\.loaded/);
    expect(parse(await there(['runs', 'show', id, '--json']), 'runs')['runs']).toMatchObject([{ id, stages: expect.any(Array) }]);
    const ended = await there(['runs', 'cancel', id, '--json']);
    expect([ended.exitCode, parse(ended, 'runs')]).toMatchObject([2, { runs: [], error: { code: 'RUN_ENDED' } }]);
    const again = parse(await there(['runs', 'rerun', id, '--json']), 'runs')['runs'] as { id: string; rerunOf: string }[];
    expect(again).toMatchObject([{ rerunOf: id }]);
    await there(['runs', 'cancel', again[0]!.id]);
  });
});

describe('a service that cannot be spoken to', () => {
  it.each([
    ['a wrong token', { BAD: 'bauta_wrong', BAUTA_TOKEN: 'env:BAD' }, 2, 'TOKEN_INVALID'],
    ['a right that is missing', { BAUTA_TOKEN: 'env:WATCHER' }, 2, 'ACCESS_DENIED'],
    ['nobody there', { BAUTA_SERVER: 'http://127.0.0.1:9' }, 1, 'SERVER_UNREACHABLE'],
  ])('%s is said as an error of this command, with a hint and the one object', async (_, more, exitCode, code) => {
    const said = await there(['run', 'tiny', '--json'], more);
    expect([said.exitCode, parse(said, 'run')]).toMatchObject([exitCode, { runId: null, state: 'failed', error: { code } }]);
    expect(said.stderr).toMatch(new RegExp(`error: ${code}: .*\\nhint:  .+`));
    for (const token of [env['TOKEN']!, 'bauta_wrong']) expect(said.stdout + said.stderr).not.toContain(token);
  });

  it.each([
    ['HTTP to another machine', { BAUTA_SERVER: 'http://bauta.internal' }, ['run', 'tiny'], 'BAUTA_SERVER'],
    ['a token as a setting', { BAUTA_TOKEN: 'bauta_secret' }, ['run', 'tiny'], 'BAUTA_TOKEN'],
    ['a token on the command line', {}, ['run', 'tiny', '--token', 'bauta_secret'], '--token is not env:NAME'],
    ['a command of this machine', {}, ['doctor', '--server', 'https://bauta.internal'], 'COMMAND_NOT_REMOTE'],
  ])('%s is refused by name', async (_, more, words, told) => {
    const said = await there(words, more);
    expect([said.exitCode, said.stderr]).toEqual([3, expect.stringContaining(told)]);
    expect(said.stderr).not.toContain('bauta_secret');
  });

  it('is believed by its certificate only, whatever the environment says of checking it', async () => {
    const authority = createAuthority();
    const { key, cert } = authority.issue(['IP:127.0.0.1']);
    const service = createTlsServer({ key, cert }, (_, answer) => void answer.end('{"items":[],"next":null}'));
    await new Promise<void>((done) => service.listen(0, '127.0.0.1', done));
    const port = String((service.address() as { port: number }).port);
    const list = (host: string, more: Readonly<Record<string, string>>): Promise<Said> =>
      there(['runs', 'list'], { BAUTA_SERVER: `https://${host}:${port}`, ...more });
    try {
      expect((await list('127.0.0.1', { NODE_EXTRA_CA_CERTS: authority.caFile })).exitCode).toBe(0);
      for (const [host, more] of [
        ['127.0.0.1', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }],
        ['localhost', { NODE_EXTRA_CA_CERTS: authority.caFile, NODE_TLS_REJECT_UNAUTHORIZED: '0' }],
      ] as const) {
        const said = await list(host, more);
        expect([said.exitCode, said.stderr]).toEqual([1, expect.stringContaining('HTTP_CERTIFICATE_REFUSED')]);
      }
    } finally {
      await new Promise((done) => service.close(done));
      authority.remove();
    }
  });

  it('follows no redirect, and shows no control character of what answers', async () => {
    const evil = createServer((asked, answer) => {
      if (asked.url?.startsWith('/v1/schedules') === true) return void answer.writeHead(302, { Location: world.url }).end();
      const run = { id: 'x\u001b[2J\u0007', pipeline: '\u001b]0;owned\u0007', environment: 'a\nb', state: 'failed', attempt: 1, createdAt: '', endedAt: null, movedRows: 0, summary: null }; // prettier-ignore
      answer.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ items: [run], next: null }));
    });
    await new Promise<void>((done) => evil.listen(0, '127.0.0.1', done));
    const at = { BAUTA_SERVER: `http://127.0.0.1:${(evil.address() as { port: number }).port}` };
    try {
      const listed = await there(['runs', 'list'], at);
      expect([listed.exitCode, listed.stdout.split('\n')]).toEqual([0, [expect.anything(), expect.stringContaining('x�[2J�'), '']]);
      expect(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(listed.stdout + listed.stderr)).toBe(false);
      const moved = await there(['schedules', 'list'], at);
      expect([moved.exitCode, moved.stderr]).toEqual([1, expect.stringContaining('HTTP_ANSWER_REFUSED')]);
    } finally {
      await new Promise((done) => evil.close(done));
    }
  });
});

/** Passes everything on, and cuts each stream of events in the middle as soon as there was something in it, three times. */
async function startProxy(to: string): Promise<{ url: string; lastIds: (string | undefined)[]; stop(): Promise<unknown> }> {
  const lastIds: (string | undefined)[] = [];
  const proxy = createServer((asked, answer) => {
    const isStream = asked.url?.endsWith('/events') === true;
    if (isStream) lastIds.push(asked.headers['last-event-id'] as string | undefined);
    const cuts = isStream && lastIds.length <= 3;
    const sent = request(to + (asked.url ?? ''), { method: asked.method ?? 'GET', headers: { ...asked.headers, host: '' } }, (got) => {
      answer.writeHead(got.statusCode ?? 500, got.headers);
      got.on('data', (piece: Buffer) => {
        answer.write(piece);
        if (cuts) setTimeout(() => answer.destroy(), 20);
      });
      got.on('end', () => answer.end());
    });
    answer.on('close', () => sent.destroy());
    sent.on('error', () => answer.destroy());
    asked.pipe(sent);
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(proxy.address() as { port: number }).port}`,
    lastIds,
    stop: () => new Promise((done) => proxy.close(done)),
  };
}

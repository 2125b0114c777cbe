// One deployment past its gate: asked for by one, agreed to by two, used once, told, reviewed by a fourth. With the command line as a job has it, and the
// service away when it matters.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { BreakglassClock } from '../../src/control/breakglasses/breakglasses.js';
import { GateDoors, toReadEvidence } from '../../src/control/gates/gates.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { formatVerifierKey, parseNote, parseVerifierKey, signNote, toSigner } from '../../src/kernel/signed-note.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { findApart } from '../support/reconciled.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';
import { type Said, bauta } from '../support/tiny-source.js';

const commit = 'a'.repeat(40);
const scope = { gate: 'production', environment: 'prod-eu', service: 'web', commit };
/** Nobody answers there. */
const nowhere = 'http://127.0.0.1:1';
const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
const day = 86_400_000;
const tokens: Record<string, string> = {};
let world: ServiceWorld;
let doors: GateDoors;
let folder = '';
let home = '';
let key = '';
let homes = 0;

beforeAll(async () => {
  world = await startServiceWorld(
    undefined,
    clock,
    {},
    { gates: (metadata) => (doors = new GateDoors(metadata, toReadEvidence(metadata), () => openPolicy({ question: 'deploy' }))) },
  );
  await world.startSequencer();
  folder = mkdtempSync(join(tmpdir(), 'bauta-breakglass-'));
  const people = { pat: ['policy-admin'], rita: ['requester'], ann: ['approver'], abe: ['approver', 'requester'], amy: ['approver'] };
  for (const [name, roles] of Object.entries({ ...people, audrey: ['auditor'], olaf: ['viewer'] }))
    tokens[name] = await world.person(name, roles);
  tokens['far'] = await world.person('far', ['approver@dev', 'requester@dev']);
  const gate = `kind: Gate\nname: production\nenvironments: [prod-eu]\nservices: [web]\nthreshold: 85
dataset: { required: false, reason: tests have data of their own }
evidence:\n  - { name: tests, type: junit, subject: commit, maxAge: 7d }\n`;
  const headers = { 'content-type': 'application/yaml' };
  const { body } = await world.ask('POST', '/v1/apply', { token: tokens['pat']!, text: gate, headers });
  expect((await approve((body['approval'] as { id: string }).id, 'ann')).status).toBe(200);
  const { verifier } = (await glass()).fetched;
  key = join(folder, 'log.pub');
  writeFileSync(key, verifier);
}, 60_000);
afterAll(async () => {
  await doors.close();
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => void (home = join(folder, `home-${(homes += 1)}`)));

const post = (path: string, json: object, who: string): Promise<Answer> => world.ask('POST', path, { token: tokens[who]!, json });
const get = (path: string, who: string): Promise<Answer> => world.ask('GET', path, { token: tokens[who]! });
const approve = (id: string, who: string): Promise<Answer> => post(`/v1/approvals/${id}/approve`, {}, who);
const ask = async (change: object = {}, who = 'rita'): Promise<string> => {
  const { status, body } = await post('/v1/breakglasses', { ...scope, reason: 'outage 4711', ...change }, who);
  expect(status).toBe(202);
  return (body['approval'] as { id: string }).id;
};
const waiting = async (): Promise<string> => {
  const { body } = await get('/v1/approvals?state=waiting', 'ann');
  return (body['items'] as { id: string; kind: string }[]).find(({ kind }) => kind === 'breakglass')?.id ?? '';
};

interface Glass {
  readonly id: string;
  readonly fetched: { readonly note: string; readonly verifier: string };
  readonly file: string;
}

/** With its two yeses, fetched into a file. */
async function glass(change: object = {}): Promise<Glass> {
  expect((await approve(await ask(change), 'ann')).status).toBe(200);
  expect((await approve(await waiting(), 'abe')).status).toBe(200);
  const [{ id } = { id: '' }] = (await get('/v1/breakglasses?limit=1', 'olaf')).body['items'] as { id: string }[];
  const { status, body } = await get(`/v1/breakglasses/${id}/note`, 'rita');
  expect(status).toBe(200);
  const file = join(folder, `${id}.note`);
  writeFileSync(file, String(body['note']));
  return { id, fetched: body as unknown as Glass['fetched'], file };
}

const check = (file: string, ...more: string[]): Promise<Said> => checkAt(world.url, file, ...more);
function checkAt(server: string, file: string, ...more: string[]): Promise<Said> {
  const words = ['--environment', scope.environment, '--service', scope.service, '--commit', commit, '--breakglass', file, '--key', key];
  return bauta(['gate', 'check', 'production', ...words, '--home', home, '--server', server, '--token', 'env:TOKEN', ...more], {
    env: { TOKEN: tokens['rita']! },
  });
}
const states = async (id: string): Promise<Record<string, unknown>> => (await get(`/v1/breakglasses/${id}`, 'olaf')).body;
const told = async (type: string, id: string): Promise<number> =>
  (await world.told(type)).filter(({ data }) => data['breakglass'] === id).length;

it('is issued by two approvers, neither of whom asked for it, and is signed by the log that has it', async () => {
  const first = await ask({ minutes: 30 }, 'abe');
  expect((await approve(first, 'abe')).body['code']).toBe('APPROVAL_OF_OWN');
  expect((await approve(first, 'far')).status).toBe(404);
  const before = ((await get('/v1/breakglasses', 'olaf')).body['items'] as object[]).length;
  expect((await approve(first, 'ann')).status).toBe(200);
  expect(((await get('/v1/breakglasses', 'olaf')).body['items'] as object[]).length).toBe(before);
  const second = await waiting();
  expect(second).not.toBe(first);
  for (const who of ['ann', 'abe']) expect((await approve(second, who)).body['code']).toBe('APPROVAL_OF_OWN');
  expect((await approve(second, 'amy')).status).toBe(200);
  const [view] = (await get('/v1/breakglasses?limit=1', 'olaf')).body['items'] as Record<string, string>[];
  expect(view).toMatchObject({ ...scope, state: 'issued', reason: 'outage 4711', usedAt: null, exception: false });
  expect(Date.parse(view!['expiresAt']!) - Date.parse(view!['issuedAt']!)).toBe(30 * 60_000);
  // Whoever may only look does not get what goes past a gate.
  expect((await get(`/v1/breakglasses/${view!['id']}/note`, 'olaf')).status).toBe(403);
  expect(JSON.stringify(view)).not.toContain('bauta break-glass v1');
  const [issued] = (await world.told('breakglass.issued')).slice(-1);
  expect(issued?.data).toMatchObject({ breakglass: view!['id'], ...scope });
  expect((issued?.data['approvedBy'] as string[]).length).toBe(2);
  expect((await post('/v1/breakglasses', { ...scope, reason: 'x', minutes: 241 }, 'rita')).status).toBe(422);
  expect((await post('/v1/breakglasses', { ...scope, reason: 'x', gate: 'none' }, 'rita')).status).toBe(404);
  expect((await post('/v1/breakglasses', { ...scope, reason: 'x' }, 'far')).status).toBe(403);
});

it('goes past a gate that says no, once, says so loudly, and the service knows at once', async () => {
  const { id, file } = await glass();
  const past = await check(file);
  expect([past.exitCode, past.stdout.split('\n')[0]]).toEqual([0, 'ALLOW BY BREAK-GLASS: production, score 0 of 85 wanted']);
  expect(past.stdout).toContain('EVIDENCE_MISSING');
  expect(past.stderr).toContain(`BREAK-GLASS ${id}: web ${commit} goes to prod-eu past the gate production; the service was told`);
  expect(await states(id)).toMatchObject({ state: 'used', offline: false, usedAgain: 0 });
  const again = await check(file);
  expect([again.exitCode, again.stdout.split(':')[0]]).toEqual([2, 'deny']);
  expect(again.stderr).toContain('BREAKGLASS_USED');
  // On another machine, which knows nothing of it.
  home = join(folder, 'elsewhere');
  const elsewhere = await check(file);
  expect([elsewhere.exitCode, elsewhere.stderr.includes('BREAKGLASS_USED')]).toEqual([2, true]);
  // It was told then, and goes by it when the service is away.
  expect((await checkAt(nowhere, file)).exitCode).toBe(1);
  expect([await told('breakglass.used', id), await told('breakglass.used-again', id)]).toEqual([1, 0]);
});

it('is accepted where the service cannot be reached, once, and handed in when it can, once', async () => {
  const { id, file } = await glass();
  const json = await checkAt(nowhere, file, '--json');
  expect([json.exitCode, json.stderr.includes(`BREAK-GLASS ${id}`)]).toEqual([0, true]);
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-gate.json'), 'utf8')) as object;
  const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  const said = JSON.parse(json.stdout) as { decisionId: null; breakglass: object; wouldDeny: string[] };
  expect([fits(said), fits.errors]).toEqual([true, null]);
  expect(said).toMatchObject({
    allow: true,
    enforced: false,
    decisionId: null,
    breakglass: { id, offline: true },
    wouldDeny: ['SERVER_UNREACHABLE'],
  });
  const again = await checkAt(nowhere, file);
  expect([again.exitCode, again.stdout]).toEqual([1, '']);
  expect(again.stderr).toContain('BREAKGLASS_USED');
  expect(await states(id)).toMatchObject({ state: 'issued' });
  // Whatever is asked next hands it in, and once more changes nothing.
  expect((await check(file)).exitCode).toBe(2);
  expect(await states(id)).toMatchObject({ state: 'used', offline: true, usedAgain: 0 });
  const nothing = await bauta(['breakglass', 'hand-in', '--home', home, '--server', world.url, '--token', 'env:TOKEN'], {
    env: { TOKEN: tokens['rita']! },
  });
  expect([nothing.exitCode, nothing.stdout]).toEqual([0, '0 handed in, 0 left\n']);
  const [name = ''] = readdirSync(join(home, 'breakglass'));
  const { note, use, usedAt } = JSON.parse(readFileSync(join(home, 'breakglass', name), 'utf8')) as Record<string, string>;
  const repeated = await post('/v1/breakglasses/uses', { ...scope, note, use, usedOfflineAt: usedAt }, 'rita');
  expect([repeated.status, repeated.body['first']]).toEqual([200, true]);
  expect([await told('breakglass.used', id), await told('breakglass.used-again', id)]).toEqual([1, 0]);
});

it('is refused for another service, forged, or without the key, and then nothing is used', async () => {
  const { id, file, fetched } = await glass();
  const other = await checkAt(nowhere, file, '--service', 'api');
  expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining('it is for another service')]);
  // Signed by a key of the same name, which whoever forges it brings along.
  const signer = toSigner(parseVerifierKey(readFileSync(key, 'utf8'))!.name);
  const [path, ownKey] = [join(folder, 'forged.note'), join(folder, 'own.pub')];
  writeFileSync(path, signNote(parseNote(fetched.note)!.text, signer));
  writeFileSync(ownKey, formatVerifierKey(signer.verifier));
  const forged = await checkAt(nowhere, path);
  expect([forged.exitCode, forged.stderr]).toEqual([1, expect.stringContaining('that key did not sign it')]);
  // The service knows its own signature, whatever key the caller brings.
  const brought = await check(path, '--key', ownKey);
  expect([brought.exitCode, brought.stderr]).toEqual([2, expect.stringContaining('the log of this workspace did not sign it')]);
  expect(await states(id)).toMatchObject({ state: 'issued' });
  // None of it used it up.
  expect((await checkAt(nowhere, file)).exitCode).toBe(0);
});

it('is used once where it is used at the same moment, and a second use that nobody could know of is kept and told', async () => {
  const { id, fetched } = await glass();
  const uses = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      post('/v1/breakglasses/uses', { ...scope, note: fetched.note, use: `00000000-0000-4000-8000-00000000000${n}` }, 'rita'),
    ),
  );
  expect(uses.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
  const late = await post(
    '/v1/breakglasses/uses',
    { ...scope, service: 'api', note: fetched.note, use: '00000000-0000-4000-8000-0000000000ff', usedOfflineAt: new Date().toISOString() },
    'rita',
  );
  expect([late.status, late.body['first']]).toEqual([200, false]);
  expect((await world.told('breakglass.used-again')).at(-1)?.data).toMatchObject({
    breakglass: id,
    service: 'api',
    misfit: 'it is for another service',
  });
  expect(await states(id)).toMatchObject({ usedAgain: 1, offline: false });
  expect((await get(`/v1/breakglasses/${id}/note`, 'rita')).body['code']).toBe('BREAKGLASS_USED');
});

it('its use is reviewed by somebody who neither asked nor approved nor used it, and is an exception when nobody does within five days', async () => {
  const [seen, unseen] = [await glass(), await glass()];
  const review = (id: string, who: string): Promise<Answer> =>
    post(`/v1/breakglasses/${id}/review`, { comment: 'tested the next day' }, who);
  expect((await review(seen.id, 'audrey')).body['code']).toBe('BREAKGLASS_UNUSED');
  for (const { fetched } of [seen, unseen])
    expect((await post('/v1/breakglasses/uses', { ...scope, note: fetched.note, use: crypto.randomUUID() }, 'rita')).status).toBe(200);
  for (const who of ['ann', 'abe']) expect((await review(seen.id, who)).body['code']).toBe('BREAKGLASS_REVIEW_OWN');
  expect((await review(seen.id, 'audrey')).body).toMatchObject({ comment: 'tested the next day', exception: false });
  expect((await review(seen.id, 'amy')).body['code']).toBe('BREAKGLASS_REVIEWED');
  const clocks = [1, 2].map(
    () => new BreakglassClock({ metadata: world.metadata, clock, failed: (error) => void process.stderr.write(String(error)) }),
  );
  try {
    await clocks[0]!.look();
    expect(await told('breakglass.unreviewed', unseen.id)).toBe(0);
    clock.ahead = 5 * day + 60_000;
    await Promise.all(clocks.map((one) => one.look()));
    expect([await told('breakglass.unreviewed', unseen.id), await told('breakglass.unreviewed', seen.id)]).toEqual([1, 0]);
    expect([(await states(unseen.id))['exception'], (await states(seen.id))['exception']]).toEqual([true, false]);
    // Late is late.
    expect((await review(unseen.id, 'amy')).body).toMatchObject({ exception: true });
    expect(await told('breakglass.reviewed', unseen.id)).toBe(1);
  } finally {
    clock.ahead = 0;
    await Promise.all(clocks.map((one) => one.stop()));
  }
});

it('channels are told of each', async () => {
  const rows = await world.sql(`SELECT event ->> 'type' AS type FROM bauta.notice`);
  const types = new Set(rows.map(({ type }) => String(type)));
  for (const type of ['breakglass.issued', 'breakglass.used', 'breakglass.used-again', 'breakglass.unreviewed'])
    expect(types).toContain(type);
});

it('has in its tables what its log tells, by id and by column', async () => {
  expect(await findApart(world)).toEqual([]);
});

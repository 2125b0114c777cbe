// Attestations (in-toto, in DSSE envelopes): who signed them is looked at before anything they say, what they are of has to be what the request says, and
// a gate goes by those that an attestor of its own signed.
import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { stringify } from 'yaml';

import { GateDoors, toReadEvidence } from '../../src/control/gates/gates.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

interface Pair {
  readonly publicKey: string;
  readonly privateKey: string;
}
const toPair = ({ publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }): Pair => ({
  publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
});
const release = toPair(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const other = toPair(generateKeyPairSync('ed25519'));
const stranger = toPair(generateKeyPairSync('ed25519'));
const digest = 'b'.repeat(64);
const commit = 'a'.repeat(40);
let world: ServiceWorld;
let doors: GateDoors;
const tokens: Record<string, string> = {};

const gate = (name: string, attestors: readonly object[], type: string, subject: string): string =>
  stringify({
    ...{ kind: 'Gate', name, environments: ['production'], services: ['*'], threshold: 85, attestors },
    dataset: { required: false, reason: 'the data of these tests is another gate’s' },
    evidence: [{ name: 'wanted', type, subject, maxAge: '24h', points: 60 }],
  });

beforeAll(async () => {
  world = await startServiceWorld(undefined, undefined, undefined, {
    gates: (metadata) => (doors = new GateDoors(metadata, toReadEvidence(metadata), () => openPolicy({ question: 'deploy' }))),
  });
  for (const [name, role] of Object.entries({ bob: 'policy-admin', rita: 'requester', ann: 'approver' }))
    tokens[name] = await world.person(name, [role]);
  const documents = [
    gate('built', [{ name: 'release', key: release.publicKey }], 'slsa-provenance', 'image'),
    gate('built-elsewhere', [{ name: 'other', key: other.publicKey }], 'slsa-provenance', 'image'),
    gate('tested', [{ name: 'release', key: release.publicKey }], 'in-toto-test-result', 'commit'),
    gate('scanned', [{ name: 'other', key: other.publicKey }], 'in-toto-vulns', 'image'),
  ];
  const { body } = await apply(documents.join('---\n'));
  await world.ask('POST', `/v1/approvals/${(body['approval'] as { id: string }).id}/approve`, { token: tokens['ann']! });
  await world.startSequencer();
}, 60_000);
afterAll(async () => {
  await doors.close();
  await world.stop();
});

const apply = (text: string): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token: tokens['bob']!, text, headers: { 'content-type': 'application/yaml' } });

/** As cosign and in-toto write it: the signature is over type and payload with their lengths. */
function envelope(
  predicateType: string,
  predicate: object,
  subjects: readonly object[],
  key: string = release.privateKey,
  hash: string | null = 'sha256',
): string {
  const type = 'application/vnd.in-toto+json';
  const payload = Buffer.from(JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject: subjects, predicateType, predicate }));
  const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
  const sig = sign(hash, signed, key).toString('base64');
  return JSON.stringify({ payloadType: type, payload: payload.toString('base64'), signatures: [{ keyid: '', sig }] });
}
const ofImage = [{ name: 'registry.shop.example/web', digest: { sha256: digest } }];
const ofCommit = [{ name: 'git+https://github.com/acme/shop', digest: { gitCommit: commit } }];
const provenance = {
  buildDefinition: { buildType: 'x' },
  runDetails: { builder: { id: 'https://github.com/actions/runner' }, metadata: { finishedOn: new Date().toISOString() } },
};
const send = (text: string, query = `image=sha256:${digest}`): Promise<Answer> =>
  world.ask('POST', `/v1/evidence?format=dsse&${query}`, { token: tokens['rita']!, text, headers: { 'content-type': 'application/json' } });

/** Once the log is signed. */
async function decide(name: string): Promise<{ allow: unknown; codes: string[] }> {
  for (let n = 0; n < 100; n += 1) {
    const json = { environment: 'production', service: 'web', commit, image: `web@sha256:${digest}` };
    const { body } = await world.ask('POST', `/v1/gates/${name}/decisions`, { token: tokens['rita']!, json });
    const codes = (body['reasons'] as { code: string }[]).map(({ code }) => code);
    if (!codes.includes('LOG_NOT_WHOLE')) return { allow: body['allow'], codes };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the log is not signed');
}

it('keeps provenance under the key that signed it, and a gate goes by it that names that key, and no other gate', async () => {
  expect((await decide('built')).codes).toContain('EVIDENCE_MISSING');
  const { status, body } = await send(envelope('https://slsa.dev/provenance/v1', provenance, ofImage));
  expect([status, body['format'], body['tool'], (body['subject'] as { stated: boolean }).stated]).toEqual([
    ...[201, 'slsa-provenance', { name: 'https://github.com/actions/runner', version: null }, true],
  ]);
  expect((body['producer'] as Record<string, string>)['attestor']).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await decide('built')).toEqual({ allow: true, codes: [] });
  expect((await decide('built-elsewhere')).codes).toContain('EVIDENCE_MISSING');
});

it('refuses what nobody signed that a gate names, and what was changed since', async () => {
  const good = JSON.parse(envelope('https://slsa.dev/provenance/v1', provenance, ofImage)) as { payload: string; signatures: object[] };
  const changed = Buffer.from(good.payload, 'base64').toString().replace('actions/runner', 'actions/evil');
  for (const text of [
    envelope('https://slsa.dev/provenance/v1', provenance, ofImage, stranger.privateKey, null),
    JSON.stringify({ ...good, signatures: [] }),
    JSON.stringify({ ...good, payload: Buffer.from(changed).toString('base64') }),
    JSON.stringify({ ...good, payloadType: 'text/plain' }),
  ]) {
    const { status, body } = await send(text);
    expect([status, body['code']]).toEqual([403, 'EVIDENCE_UNSIGNED']);
  }
});

it('refuses one that is of something else, or of nothing with a digest, or no attestation', async () => {
  const code = async (text: string, query?: string): Promise<unknown> => (await send(text, query)).body['code'];
  const text = envelope('https://slsa.dev/provenance/v1', provenance, ofImage);
  expect(await code(text, `image=sha256:${'c'.repeat(64)}`)).toBe('EVIDENCE_CONTRADICTS');
  expect(await code(text, `commit=${commit}`)).toBe('EVIDENCE_CONTRADICTS');
  expect(await code(text, 'environment=production')).toBe('EVIDENCE_SUBJECT');
  expect(await code('{"payload": 1}')).toBe('SCAN_MALFORMED');
  expect(await code(envelope('https://slsa.dev/provenance/v1', {}, ofImage))).toBe('SCAN_MALFORMED');
  expect(await code(envelope('https://in-toto.io/attestation/test-result/v0.1', { result: 'GOOD' }, ofCommit), `commit=${commit}`)).toBe(
    'SCAN_MALFORMED',
  );
});

it('counts failed tests and vulnerabilities, and takes a run of no test for missing', async () => {
  const type = 'https://in-toto.io/attestation/test-result/v0.1';
  const tests = (predicate: object): Promise<Answer> => send(envelope(type, predicate, ofCommit), `commit=${commit}`);
  expect((await tests({ result: 'PASSED', configuration: [] })).body['missing']).toBe('no-rules');
  expect((await decide('tested')).codes).toContain('EVIDENCE_EMPTY');
  await tests({ result: 'PASSED', passedTests: ['a', 'b'], warnedTests: [], failedTests: [] });
  expect(await decide('tested')).toEqual({ allow: true, codes: [] });
  await tests({ result: 'FAILED', passedTests: ['a'], failedTests: ['b'] });
  expect((await decide('tested')).allow).toBe(false);
  const scanner = { uri: 'pkg:github/aquasecurity/trivy@1', version: '1', db: { lastUpdate: new Date().toISOString() } };
  const scan = (result: readonly object[]): Promise<Answer> =>
    send(
      envelope(
        'https://in-toto.io/attestation/vulns/v0.1',
        { scanner: { ...scanner, result }, metadata: {} },
        ofImage,
        other.privateKey,
        null,
      ),
    );
  await scan([]);
  expect(await decide('scanned')).toEqual({ allow: true, codes: [] });
  const found = await scan([
    { id: 'CVE-1', severity: [{ method: 'nvd', score: '9.8' }] },
    { id: 'CVE-2', severity: [{ method: 'x', score: 'low' }] },
  ]);
  expect(found.body['counts']).toMatchObject({ critical: { open: 1, fixable: 0 }, low: { open: 1, fixable: 0 } });
  expect((await decide('scanned')).allow).toBe(false);
});

it('keeps a predicate that it does not know as evidence of its type, and takes a second person for another attestor', async () => {
  const { status, body } = await send(envelope('https://cyclonedx.org/bom', { anything: 1 }, ofImage));
  expect([status, body['format'], body['tool']]).toEqual([201, 'in-toto', { name: 'https://cyclonedx.org/bom', version: null }]);
  const keys = [
    { name: 'release', key: release.publicKey },
    { name: 'stranger', key: stranger.publicKey },
  ];
  const changed = await apply(gate('built', keys, 'slsa-provenance', 'image'));
  expect([changed.status, JSON.stringify(changed.body)]).toEqual([202, expect.stringContaining('attestors')]);
  const secret = await apply(gate('built', [{ name: 'release', key: release.privateKey }], 'slsa-provenance', 'image'));
  expect([secret.status, JSON.stringify(secret.body)]).toEqual([422, expect.stringContaining('attestors')]);
  expect(JSON.stringify(secret.body)).not.toContain(release.privateKey.slice(40, 80));
});

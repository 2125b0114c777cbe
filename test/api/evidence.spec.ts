// Reports of scanners as evidence: whose word each of them is, what it is of, what it may not claim, and waivers that take two.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { readEvidence } from '../../src/control/evidence/evidence.js';
import { systemClock } from '../../src/kernel/clock.js';
import { type TestIssuer, startIssuer } from '../support/issuer.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';
import { type Said, bauta } from '../support/tiny-source.js';

let issuer: TestIssuer;
let world: ServiceWorld;
const tokens: Record<string, string> = {};
const commit = 'a'.repeat(40);
const image = `sha256:${'b'.repeat(64)}`;
const push = {
  ...{
    repository_id: '74',
    repository: 'acme/shop',
    ref: 'refs/heads/main',
    event_name: 'push',
    run_id: '901',
    run_attempt: '1',
    sha: commit,
  },
  job_workflow_ref: 'acme/shop/.github/workflows/scan.yml@refs/heads/main',
};

beforeAll(async () => {
  issuer = await startIssuer();
  world = await startServiceWorld(undefined, systemClock, {}, { http: issuer.http });
  for (const [name, roles] of [
    ['ada', ['administrator']],
    ['pat', ['policy-admin']],
    ['ann', ['approver']],
    ['rita', ['requester']],
    ['dina', ['requester@dev']],
    ['olaf', ['viewer']],
  ] as const)
    tokens[name] = await world.person(name, roles);
  await world.person('ci-shop', ['requester'], 'home', 'olaf');
  const text = `kind: Issuer\nname: github\nform: github\nissuer: ${issuer.url}\naudience: bauta\ntrusts:\n  - { claims: { repository_id: 74, ref: refs/heads/main }, person: ci-shop, roles: [requester] }\n`;
  const headers = { 'content-type': 'application/yaml' };
  const { body } = await world.ask('POST', '/v1/apply', { token: tokens['pat']!, text, headers });
  await world.ask('POST', `/v1/approvals/${(body['approval'] as { id: string }).id}/approve`, { token: tokens['ada']! });
});
afterAll(async () => {
  await world.stop();
  await issuer.stop();
});

const send = (query: string, report: unknown, who = 'rita'): Promise<Answer> =>
  world.ask('POST', `/v1/evidence?${query}`, {
    token: tokens[who] ?? who,
    text: typeof report === 'string' ? report : JSON.stringify(report),
  });
const asJob = (claims: object = {}): string => issuer.token({ ...push, ...claims });
const said = ({ status, body }: Answer): unknown[] => [status, body['code']];
const trivy = (of: object = {}, ids: readonly string[] = []): object => ({
  ...{ SchemaVersion: 2, ArtifactName: 'shop', ArtifactType: 'filesystem', ...of },
  Results: [
    {
      Target: 'package-lock.json',
      Vulnerabilities: ids.map((id) => ({ VulnerabilityID: id, PkgName: 'ssl', FixedVersion: '2', Severity: 'CRITICAL' })),
    },
  ],
});

describe('a report', () => {
  it('is evidence of what it is bound to, once, and says what it found', async () => {
    const file = fileURLToPath(new URL('../../../../shared/data/scans/trivy/scheme_2_many_vulns.json', import.meta.url));
    const report = readFileSync(file, 'utf8');
    const first = await send(`format=trivy&image=shop@${image}`, report);
    expect([first.status, first.body]).toMatchObject([
      201,
      { format: 'trivy', subject: { kind: 'image', name: image, stated: false }, producer: null, missing: null, newFindings: null },
    ]);
    expect(first.headers.get('location')).toBe(`/v1/evidence/${String(first.body['id'])}`);
    const again = await send(`format=trivy&image=shop@${image}`, report);
    expect([again.status, again.body['id']]).toEqual([200, first.body['id']]);
    const { body } = await world.ask('GET', `/v1/evidence/${String(first.body['id'])}/findings?limit=2`, { token: tokens['olaf']! });
    expect(body).toMatchObject({ items: [{ severity: 'critical', state: 'open' }, {}] });
    const next = await world.ask('GET', `/v1/evidence/${String(first.body['id'])}/findings?limit=2&cursor=${String(body['next'])}`, {
      token: tokens['olaf']!,
    });
    expect(next.body['items']).not.toEqual(body['items']);
    expect((await world.told('evidence.received')).map(({ data }) => data)).toMatchObject([
      { evidence: first.body['id'], subject: image, missing: null },
    ]);
  });

  it('that says nothing is kept as missing, and is read to its end before it is kept', async () => {
    expect((await send(`format=sarif&commit=${commit}`, { version: '2.1.0', runs: [] })).body).toMatchObject({ missing: 'no-rules' });
    const cut = await send(`format=sarif&commit=${commit}`, '{"runs":[{"results":[');
    expect([...said(cut), (cut.body['where'] as { amount: string }).amount]).toEqual([422, 'SCAN_MALFORMED', 'byte 21']);
    const { body } = await world.ask('GET', `/v1/evidence?commit=${commit}`, { token: tokens['olaf']! });
    expect(body['items']).toHaveLength(1);
  });

  it('is of exactly one thing, of a form that cannot be moved', async () => {
    for (const query of ['', 'commit=main', 'image=shop:latest', `commit=${commit}&image=${image}`, 'environment=../x'])
      expect([query, ...said(await send(`format=trivy&${query}`, trivy()))]).toEqual([query, 422, 'EVIDENCE_SUBJECT']);
    expect(said(await send(`format=anything&commit=${commit}`, trivy()))).toEqual([400, 'REQUEST_INVALID']);
  });

  it('needs the right for where it has effect', async () => {
    expect((await send('format=trivy&environment=dev', trivy(), 'dina')).status).toBe(201);
    expect(said(await send('format=trivy&environment=staging', trivy(), 'dina'))).toEqual([403, 'ACCESS_DENIED']);
    expect(said(await send(`format=trivy&commit=${commit}`, trivy(), 'dina'))).toEqual([403, 'ACCESS_DENIED']);
  });

  it('that names something else is refused', async () => {
    const other = `sha256:${'c'.repeat(64)}`;
    const of = { ArtifactType: 'container_image', Metadata: { RepoDigests: [`shop@${other}`] } };
    expect(said(await send(`format=trivy&image=${image}`, trivy(of)))).toEqual([422, 'EVIDENCE_CONTRADICTS']);
    expect((await send(`format=trivy&image=${other}`, trivy(of))).body).toMatchObject({ subject: { stated: true } });
    // The files of a repository are no image.
    expect(said(await send(`format=trivy&image=${image}`, trivy()))).toEqual([422, 'EVIDENCE_CONTRADICTS']);
    const run = (revisionId: string, repositoryUri = 'https://github.com/acme/shop'): object => ({
      runs: [
        { tool: { driver: { name: 'x', rules: [{ id: 'a' }] } }, results: [], versionControlProvenance: [{ repositoryUri, revisionId }] },
      ],
    });
    expect(said(await send(`format=sarif&commit=${commit}`, run('f'.repeat(40))))).toEqual([422, 'EVIDENCE_CONTRADICTS']);
    expect(said(await send('format=sarif', run(commit, 'https://github.com/acme/other'), asJob()))).toEqual([422, 'EVIDENCE_CONTRADICTS']);
    expect((await send('format=sarif', run(commit), asJob())).body).toMatchObject({ subject: { stated: true } });
  });

  it('of a job is of the commit that its identity token says, whatever the request says', async () => {
    const sent = await send('format=trivy', trivy({}, ['CVE-1']), asJob());
    expect(sent.body).toMatchObject({
      subject: { kind: 'commit', name: commit },
      producer: {
        issuer: issuer.url,
        repository: '74',
        repositoryName: 'acme/shop',
        ref: 'refs/heads/main',
        commit,
        run: '901',
        workflow: push.job_workflow_ref,
      },
    });
    expect(said(await send(`format=trivy&commit=${'d'.repeat(40)}`, trivy(), asJob()))).toEqual([422, 'EVIDENCE_FOREIGN']);
    expect(said(await send(`format=trivy&commit=${commit}&repository=75`, trivy(), asJob()))).toEqual([422, 'EVIDENCE_FOREIGN']);
  });

  it('tells what is new and what is mended against the last one of its line', async () => {
    const next = await send('format=trivy', trivy({}, ['CVE-2', 'CVE-3']), asJob({ sha: 'e'.repeat(40) }));
    expect([next.body['newFindings'], next.body['fixedFindings']]).toEqual([2, 1]);
  });

  it('is not inflated', async () => {
    const answer = await fetch(`${world.url}/v1/evidence?format=trivy&commit=${commit}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokens['rita']!}`, 'content-encoding': 'gzip', 'content-type': 'application/json' },
      body: gzipSync(JSON.stringify(trivy())),
    });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([415, 'REQUEST_TYPE_UNSUPPORTED']);
  });
});

describe('a waiver', () => {
  const until = new Date(Date.now() + 86_400_000).toISOString();
  const ask = (json: object, who = 'rita'): Promise<Answer> => world.ask('POST', '/v1/waivers', { token: tokens[who]!, json });
  const approve = (asked: Answer, who: string): Promise<Answer> =>
    world.ask('POST', `/v1/approvals/${(asked.body['approval'] as { id: string }).id}/approve`, { token: tokens[who]! });
  const open = async (at = new Date()): Promise<unknown[]> =>
    world.metadata.within(world.workspaces.home, async (transaction) => {
      const items = await readEvidence(transaction, [{ kind: 'commit', name: commit }], at);
      return items.filter(({ format }) => format === 'trivy').flatMap((one) => [one.open['critical'], one.waived.map(({ rule }) => rule)]);
    });

  it('sets a finding aside when somebody else agrees, until its end', async () => {
    expect(await open()).toEqual([[1, 1], []]);
    const asked = await ask({ rule: 'CVE-1', scope: { repository: '74' }, reason: 'behind a wall', until });
    expect(asked.status).toBe(202);
    expect(await open()).toEqual([[1, 1], []]);
    expect(said(await approve(asked, 'rita'))).toEqual([403, 'ACCESS_DENIED']);
    expect((await approve(asked, 'ann')).body).toMatchObject({ state: 'used', kind: 'waiver' });
    expect(await open()).toEqual([[0, 0], ['CVE-1']]);
    expect(await open(new Date(Date.parse(until) + 1))).toEqual([[1, 1], []]);
  });

  it('is shown with its reason, and ends before its time when somebody says so', async () => {
    const { body } = await world.ask('GET', '/v1/waivers', { token: tokens['olaf']! });
    expect(body['items']).toMatchObject([{ rule: 'CVE-1', scope: { repository: '74' }, reason: 'behind a wall', state: 'standing' }]);
    const [{ id = '' } = {}] = body['items'] as { id?: string }[];
    expect((await world.ask('DELETE', `/v1/waivers/${id}`, { token: tokens['ann']! })).status).toBe(204);
    expect(said(await world.ask('DELETE', `/v1/waivers/${id}`, { token: tokens['ann']! }))).toEqual([409, 'WAIVER_OVER']);
    expect(await open()).toEqual([[1, 1], []]);
    expect((await world.told('waiver.granted', 'waiver.ended')).map(({ type }) => type)).toEqual(['waiver.granted', 'waiver.ended']);
    expect(JSON.stringify(await world.told('waiver.granted'))).not.toContain('behind a wall');
  });

  it('of another repository, or for longer than a year, sets nothing aside', async () => {
    expect((await approve(await ask({ rule: 'CVE-1', scope: { repository: '75' }, reason: 'another', until }), 'ann')).status).toBe(200);
    expect(await open()).toEqual([[1, 1], []]);
    for (const end of ['2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z'])
      expect(said(await ask({ rule: 'a', reason: 'x', until: end }))).toEqual([422, 'WAIVER_TERM']);
  });
});

describe('the command line', () => {
  const scans = fileURLToPath(new URL('../../../../shared/data/scans/', import.meta.url));
  const remote = (...words: string[]): Promise<Said> =>
    bauta([...words, '--server', world.url, '--token', 'env:TOKEN'], { env: { TOKEN: tokens['rita']! } });
  const fit = (command: string, { stdout }: Said): Record<string, unknown> => {
    const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', `output-${command}.json`), 'utf8')) as object;
    const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
    const parsed = JSON.parse(stdout) as Record<string, unknown>;
    expect([fits(parsed), fits.errors]).toEqual([true, null]);
    return parsed;
  };

  it('sends what it looks at, and says what it is worth', async () => {
    const sent = await remote('evidence', 'send', `${scans}anchore_grype/check_all_fields.json`, '--environment', 'dev');
    expect([sent.exitCode, sent.stderr]).toEqual([0, '']);
    expect(sent.stdout).toMatch(
      /^evidence [0-9a-f-]{36} of environment dev: grype 0\.28\.0\nopen: .*; 0 set aside by the report; the first of its line\n$/,
    );
    const nothing = await remote('evidence', 'send', `${scans}checkov/checkov-report-0-vuln.json`, '--environment', 'dev', '--json');
    expect([nothing.exitCode, fit('evidence', nothing)['evidence']]).toMatchObject([1, { format: 'checkov', missing: 'no-rules' }]);
    const list = await remote('evidence', 'send', `${scans}trivy/legacy_many_vulns.json`, '--environment', 'dev');
    expect([list.exitCode, list.stderr]).toEqual([3, expect.stringContaining('--type')]);
    const { id } = (
      fit('evidence', await remote('evidence', 'list', '--environment', 'dev', '--json'))['evidence'] as { id: string }[]
    )[1]!;
    const shown = await remote('evidence', 'show', id);
    expect(shown.stdout).toContain('SEVERITY');
    expect(fit('evidence', await remote('evidence', 'show', id, '--json'))['items']).toHaveLength(6);
  });

  it('asks for a waiver, which waits for somebody else', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const asked = await remote('waivers', 'ask', 'CVE-9', '--environment', 'dev', '--until', until, '--reason', 'not reachable', '--json');
    expect(asked.exitCode).toBe(2);
    const { approval } = fit('waivers', asked) as { approval: { id: string } };
    const seen = await bauta(['approvals', 'list', '--server', world.url, '--token', 'env:TOKEN'], { env: { TOKEN: tokens['ann']! } });
    expect(seen.stdout).toContain(`CVE-9 in environment dev until ${until}`);
    expect((await world.ask('POST', `/v1/approvals/${approval.id}/approve`, { token: tokens['ann']! })).status).toBe(200);
    const { waivers } = fit('waivers', await remote('waivers', 'list', '--json')) as { waivers: { id: string; rule: string }[] };
    expect(waivers[0]?.rule).toBe('CVE-9');
    expect((await remote('waivers', 'list')).stdout).toContain('environment dev');
    const ended = await remote('waivers', 'end', waivers[0]!.id);
    expect([ended.exitCode, (ended.stdout + ended.stderr).includes('ACCESS_DENIED') || ended.stderr.includes('waivers:end')]).toEqual([
      2,
      true,
    ]);
  });
});

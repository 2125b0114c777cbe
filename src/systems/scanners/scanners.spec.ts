// Real reports of the tools, and what each of them says; and what is none of them.
import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { packageFile } from '../../kernel/package-root.js';
import { type Scan, type ScanFormat, detectFormat, readScan, severities, severityWords } from './scanners.js';

const scans = new URL('../../../../../shared/data/scans/', import.meta.url);

async function* cut(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

const read = (format: ScanFormat, name: string): Promise<Scan> => readScan(format, cut(readFileSync(new URL(name, scans))));
const readText = (format: ScanFormat, text: string, size?: number): Promise<Scan> => readScan(format, cut(Buffer.from(text), size));
const readValue = (format: ScanFormat, value: unknown): Promise<Scan> => readText(format, JSON.stringify(value));

function count({ findings }: Scan): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { severity, state } of findings) {
    const name = state === 'open' ? severity : state;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('reports that tools wrote', () => {
  it('reads Trivy’s report of an image', async () => {
    const scan = await read('trivy', 'trivy/scheme_2_many_vulns.json');
    const { Results: results } = JSON.parse(readFileSync(new URL('trivy/scheme_2_many_vulns.json', scans), 'utf8')) as {
      Results: { Vulnerabilities?: { FixedVersion?: string }[] }[];
    };
    const all = results.flatMap(({ Vulnerabilities: some = [] }) => some);
    expect(scan.findings).toHaveLength(all.length);
    expect(scan.findings.filter(({ fixable }) => fixable)).toHaveLength(all.filter(({ FixedVersion: fixed }) => fixed).length);
    expect(scan).toMatchObject({
      targets: results.length,
      missing: null,
      subjects: [{ kind: 'image', name: 'teamdojo:latest', digests: [] }],
    });
  });

  it('reads what Trivy wrote before it had a schema, and what it writes of a cluster', async () => {
    const legacy = await read('trivy', 'trivy/legacy_many_vulns.json');
    expect(legacy.findings).toHaveLength(93);
    expect(legacy.findings[0]?.place).toMatch(/^debian \(debian 10\.8\) \S+ \S+$/);
    expect(legacy).toMatchObject({ missing: null, targets: 1, subjects: [] });
    const cluster = await read('trivy', 'trivy/kubernetes.json');
    expect(cluster.findings.length).toBeGreaterThan(10);
    expect(cluster.subjects).toMatchObject([{ kind: 'cluster' }]);
    expect(cluster.findings.every(({ place }) => /^[\w-]+\/\w+\//.test(place))).toBe(true);
  });

  it('reads secrets and misconfigurations without what was found in them', async () => {
    const scan = await read('trivy', 'trivy/misconfigurations_and_secrets.json');
    expect(scan.findings.map(({ rule }) => rule).sort()).toEqual(['CVE-2021-28363', 'CVE-2021-33503', 'DS002', 'github-pat', 'github-pat']);
    expect(scan.missing).toBeNull();
    expect(JSON.stringify(scan)).not.toMatch(/AKIA|BEGIN/);
  });

  it('reads Grype, with its database and the image that it saw', async () => {
    const scan = await read('grype', 'anchore_grype/check_all_fields.json');
    expect(scan).toMatchObject({ tool: { name: 'grype', version: '0.28.0' }, targets: 1, missing: null });
    expect(scan.databaseAt).toMatch(/^20\d\d-/);
    expect(scan.findings).toHaveLength(6);
    expect(scan.subjects[0]?.digests[0]).toMatch(/^sha256:[0-9a-f]{64}$/);
    const clean = await read('grype', 'anchore_grype/no_vuln.json');
    expect(clean).toMatchObject({ findings: [], missing: null, databaseAt: null });
  });

  it('takes a Checkov report that checked nothing for missing, as an object and in a list', async () => {
    expect(await read('checkov', 'checkov/checkov-report-0-vuln.json')).toMatchObject({ findings: [], rules: 0, missing: 'no-rules' });
    expect(await readValue('checkov', { passed: 0, failed: 0, resource_count: 0, checkov_version: '3.2.0' })).toMatchObject({
      missing: 'no-rules',
    });
    const one = await read('checkov', 'checkov/checkov-report-many-vuln.json');
    expect(one.findings.length).toBeGreaterThan(0);
    const text = readFileSync(new URL('checkov/checkov-report-severity.json', scans), 'utf8');
    const [alone, listed] = [await readText('checkov', text), await readText('checkov', `[${text},${text}]`)];
    expect(listed.findings).toEqual([...alone.findings, ...alone.findings]);
    expect(count(alone)).toEqual({ high: 1, low: 1, medium: 2 });
  });

  it('reads InSpec in both forms', async () => {
    const scan = await read('inspec', 'inspec/json_reporter.json');
    expect(scan.rules).toBeGreaterThan(0);
    const min = { controls: [{ id: 'a', status: 'passed' }, { id: 'a', status: 'failed' }, { id: 'b', status: 'skipped' }], version: '5.22.0' }; // prettier-ignore
    expect(await readValue('inspec', min)).toMatchObject({ rules: 1, findings: [{ rule: 'a', severity: 'unknown' }], missing: null });
    expect(await readValue('inspec', { controls: [{ id: 'b', status: 'skipped' }], version: '5' })).toMatchObject({ missing: 'no-rules' });
  });

  it('tells an inventory from a look for vulnerabilities', async () => {
    const scan = await read('cyclonedx', 'cyclonedx/log4j.json');
    expect(scan.findings.map(({ rule }) => rule)).toContain('CVE-2021-44228');
    expect(count(scan)).toEqual({ critical: 4, high: 1, medium: 3 });
    expect(scan.missing).toBeNull();
    const inventory = { bomFormat: 'CycloneDX', specVersion: '1.5', components: [{ name: 'a', version: '1' }] };
    expect(await readValue('cyclonedx', inventory)).toMatchObject({ missing: 'inventory-only', targets: 1 });
    expect(await readValue('cyclonedx', { ...inventory, vulnerabilities: [] })).toMatchObject({ missing: null, findings: [] });
  });

  it('reads SARIF of four tools', async () => {
    const browser = {
      kind: 'repository',
      name: 'https://github.com/example-corp/browser',
      revision: '5da53fbb2a0aaa12d648b73984acc9aac2e11c2a',
    };
    const appendix = await read('sarif', 'sarif/appendix_k.sarif');
    expect(appendix).toMatchObject({ tool: { name: 'CodeScanner' }, targets: 7, rules: 1, errors: 1, missing: null, subjects: [browser] });
    expect([appendix.madeAt, count(appendix)]).toEqual(['2016-07-16T14:19:01.000Z', { suppressed: 1 }]);
    const bash = await read('sarif', 'sarif/bash-report.sarif');
    expect([bash.rules, bash.targets, bash.madeAt, count(bash)]).toEqual([5, null, '2021-03-08T15:39:40.000Z', { low: 27 }]);
    const gitleaks = await read('sarif', 'sarif/gitleaks_7.5.0.sarif');
    expect([gitleaks.tool, gitleaks.rules, count(gitleaks)]).toEqual([{ name: 'Gitleaks', version: 'v7.4.0' }, 34, { medium: 8 }]);
    expect(count(await read('sarif', 'sarif/suppression_test.sarif'))).toEqual({ medium: 2, suppressed: 3 });
  });
});

describe('what a report means', () => {
  const run = { tool: { driver: { name: 'x', rules: [{ id: 'a', properties: { 'security-severity': '9.1' } }] } }, results: [] };
  const toSarif = (of: object): unknown => ({ version: '2.1.0', runs: [{ ...run, ...of }] });

  it('takes a run that failed, or that ran no rule, for missing', async () => {
    expect(await readValue('sarif', toSarif({}))).toMatchObject({ missing: null, rules: 1, findings: [] });
    expect(await readValue('sarif', toSarif({ invocations: [{ executionSuccessful: false }] }))).toMatchObject({ missing: 'failed' });
    expect(await readValue('sarif', toSarif({ tool: { driver: { name: 'x' } } }))).toMatchObject({ missing: 'no-rules' });
    expect(await readValue('sarif', { version: '2.1.0', runs: [] })).toMatchObject({ missing: 'no-rules' });
  });

  it('takes the severity of a SARIF rule, wherever the rule stands', async () => {
    const results = [{ ruleId: 'a' }, { ruleId: 'a', level: 'note' }, { ruleIndex: 0 }, { ruleId: 'b', level: 'error' }, { ruleId: 'b' }, { ruleId: 'c', kind: 'pass' }]; // prettier-ignore
    const { findings } = await readText('sarif', JSON.stringify({ runs: [{ results, tool: run.tool }] }));
    expect(findings.map(({ severity }) => severity)).toEqual(['critical', 'critical', 'critical', 'high', 'medium']);
  });

  it('believes a suppression only when it was accepted', async () => {
    const results = [[], [{ kind: 'inSource' }], [{ kind: 'external', status: 'underReview' }], [{ kind: 'external', status: 'accepted' }]];
    const { findings } = await readValue('sarif', toSarif({ results: results.map((suppressions) => ({ ruleId: 'a', suppressions })) }));
    expect(findings.map(({ state }) => state)).toEqual(['open', 'suppressed', 'open', 'suppressed']);
  });

  it('takes a Trivy report without targets for missing, and one of another tool', async () => {
    expect(await readValue('trivy', { SchemaVersion: 2, ArtifactName: 'a', ArtifactType: 'container_image' })).toMatchObject({
      missing: 'no-targets',
    });
    expect(await readValue('trivy', toSarif({}))).toMatchObject({ missing: 'no-targets' });
    expect(await readValue('grype', toSarif({}))).toMatchObject({ missing: 'no-targets' });
    for (const format of ['sarif', 'checkov', 'inspec', 'dbt-run-results', 'openvex', 'terraform-plan'] as const)
      expect([format, (await readValue(format, { Results: [], matches: [] })).missing]).not.toEqual([format, null]);
  });

  it('keeps a fingerprint over versions and lines, and none over places', async () => {
    const toTrivy = (version: string, target = 'alpine'): unknown => ({
      ArtifactName: 'shop@sha256:' + 'A'.repeat(64),
      ArtifactType: 'container_image',
      Results: [
        { Target: target, Vulnerabilities: [{ VulnerabilityID: 'CVE-1', PkgName: 'ssl', InstalledVersion: version, Severity: 'HIGH' }] },
      ],
    });
    const [a, b, c] = [
      await readValue('trivy', toTrivy('1')),
      await readValue('trivy', toTrivy('2')),
      await readValue('trivy', toTrivy('1', 'app')),
    ];
    expect(a.findings[0]?.fingerprint).toBe(b.findings[0]?.fingerprint);
    expect(a.findings[0]?.fingerprint).not.toBe(c.findings[0]?.fingerprint);
    // A digest that stands in a name is what somebody typed: it binds nothing.
    expect(a.subjects[0]?.digests).toEqual([]);
  });

  it('counts dbt’s tests, not its models', async () => {
    const metadata = { dbt_version: '1.10.0', generated_at: '2026-11-20T10:00:00Z' };
    const results = [{ unique_id: 'model.shop.orders', status: 'success' }, { unique_id: 'test.shop.a', status: 'pass' }, { unique_id: 'test.shop.b', status: 'fail' }, { unique_id: 'test.shop.c', status: 'warn' }]; // prettier-ignore
    const scan = await readValue('dbt-run-results', { metadata, results });
    expect(scan).toMatchObject({ rules: 3, missing: null, madeAt: '2026-11-20T10:00:00.000Z' });
    expect(count(scan)).toEqual({ high: 1, medium: 1 });
    expect(await readValue('dbt-run-results', { metadata, results: results.slice(0, 1) })).toMatchObject({ missing: 'no-rules' });
    expect(await readValue('dbt-manifest', { metadata, nodes: { 'test.a': { resource_type: 'test' } } })).toMatchObject({
      missing: 'inventory-only',
      rules: 1,
    });
  });

  it('tells what a plan of Terraform destroys, and none of its values', async () => {
    const change = { actions: ['delete', 'create'], before: { password: 'hunter2' } };
    const plan = { format_version: '1.2', terraform_version: '1.9.0', resource_changes: [{ address: 'db.main', change }, { address: 'db.other', change: { actions: ['no-op'] } }] }; // prettier-ignore
    const scan = await readValue('terraform-plan', plan);
    expect(scan).toMatchObject({ missing: null, findings: [{ rule: 'resource-replaced', place: 'db.main' }] });
    expect(JSON.stringify(scan)).not.toContain('hunter2');
    expect(await readValue('terraform-plan', { ...plan, errored: true })).toMatchObject({ missing: 'failed' });
  });

  it('takes a VEX statement without a justification for none', async () => {
    const vulnerability = { name: 'CVE-1' };
    const products = [{ '@id': 'pkg:oci/shop' }];
    const statements = [{ vulnerability, products, status: 'not_affected', justification: 'component_not_present' }, { vulnerability, products, status: 'not_affected' }, { vulnerability, products, status: 'affected' }]; // prettier-ignore
    const { findings } = await readValue('openvex', { '@context': 'https://openvex.dev/ns/v0.2.0', statements });
    expect(findings.map(({ state }) => state)).toEqual(['suppressed', 'open', 'open']);
  });

  it('reads JUnit, where only what ran counts', async () => {
    const text = `<?xml version="1.0"?><testsuites><testsuite timestamp="2026-11-20T10:00:00Z"><testcase classname="A" name="one"/><testcase name="two"><failure message="x">secret</failure></testcase><testcase name="three"><skipped/></testcase></testsuite></testsuites>`;
    const scan = await readText('junit', text);
    expect(scan).toMatchObject({ rules: 2, targets: 1, missing: null, findings: [{ rule: 'test-failed', place: 'two' }] });
    expect(JSON.stringify(scan)).not.toContain('secret');
    expect(await readText('junit', '<testsuite><testcase name="a"><skipped/></testcase></testsuite>')).toMatchObject({
      missing: 'no-rules',
    });
  });
});

it('says in the docs what each word of a tool becomes', () => {
  const text = readFileSync(packageFile('docs', 'evidence.md'), 'utf8');
  for (const severity of severities.filter((one) => one !== 'unknown')) {
    const [, words = ''] = new RegExp('^\\| `' + severity + '`\\s*\\|([^|]*)\\|', 'm').exec(text) ?? [];
    const known = Object.keys(severityWords).filter((word) => severityWords[word] === severity);
    expect([severity, words.trim().split(', ').sort()]).toEqual([severity, known.sort()]);
  }
});

it('knows most formats by their outermost names, and guesses none', async () => {
  const detect = (name: string): Promise<unknown> => detectFormat(cut(readFileSync(new URL(name, scans))));
  expect([
    await detect('sarif/bash-report.sarif'),
    await detect('trivy/scheme_2_many_vulns.json'),
    await detect('trivy/kubernetes.json'),
    await detect('anchore_grype/no_vuln.json'),
    await detect('checkov/checkov-report-0-vuln.json'),
    await detect('inspec/json_reporter.json'),
    await detect('cyclonedx/log4j.json'),
    await detect('trivy/legacy_many_vulns.json'),
    await detectFormat(cut(Buffer.from(' \n<testsuites/>'))),
    await detectFormat(cut(Buffer.from('{"matches":[],"runs":[]}'))),
    await detectFormat(cut(Buffer.from('nothing'))),
  ]).toEqual(['sarif', 'trivy', 'trivy', 'grype', 'checkov', 'inspec', 'cyclonedx', undefined, 'junit', undefined, undefined]);
});

describe('what is no report', () => {
  const where = async (format: ScanFormat, text: string, size?: number): Promise<unknown> =>
    readText(format, text, size).then(
      () => 'read',
      (error: { code?: string; where?: { amount?: string } }) => `${error.code}: ${error.where?.amount}`,
    );

  it('says at which byte, over pieces of any size', async () => {
    for (const size of [1, 3, 1000]) {
      expect(await where('sarif', '{"runs":[],}', size)).toBe('SCAN_MALFORMED: byte 11');
      expect(await where('sarif', '{"runs":[', size)).toBe('SCAN_MALFORMED: byte 9');
      expect(await where('sarif', '', size)).toBe('SCAN_MALFORMED: byte 0');
    }
    expect(await where('sarif', '{} {}')).toMatch(/^SCAN_MALFORMED/);
  });

  it('refuses what is deeper than any report', async () => {
    expect(await where('sarif', '['.repeat(100_000))).toBe('SCAN_MALFORMED: byte 200');
    expect(await where('junit', `<testsuite>${'<a>'.repeat(1000)}`)).toMatch(/^SCAN_MALFORMED: line 1/);
  });

  it('expands no entity and reads no document type', async () => {
    const text = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><testsuite><testcase name="&b;"/></testsuite>';
    expect(await where('junit', text)).toMatch(/^SCAN_MALFORMED/);
    expect(await where('junit', '<html/>')).toMatch(/^SCAN_MALFORMED/);
    expect(await where('junit', '<testsuite><testcase name="\xff')).toMatch(/^SCAN_MALFORMED/);
  });

  it('reads twenty megabytes in flat memory', async () => {
    const finding = JSON.stringify({ ruleId: 'a', message: { text: 'x'.repeat(4000) }, locations: [] });
    async function* many(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"runs":[{"results":[');
      for (let i = 0; i < 5_000; i++) {
        await Promise.resolve();
        yield Buffer.from(`${i === 0 ? '' : ','}${finding}`);
      }
      yield Buffer.from(']}]}');
    }
    const before = process.memoryUsage().rss;
    const scan = await readScan('sarif', many());
    expect(scan.findings).toHaveLength(5_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * 2 ** 20);
  });
});

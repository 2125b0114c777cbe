// The Kubernetes manifests without a cluster: built by kustomize, held against the published schemas, the settings that the code declares,
// and the rules that the cluster enforces.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';

import { parseSettings } from '../../src/config/settings.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { findProgram } from '../support/program.js';

interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly securityContext: object;
  readonly resources: object;
}
interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly object[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec } };
}

const folder = packageFile('deploy', 'kubernetes');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
const manifests = files.flatMap((name) =>
  parseAllDocuments(readFileSync(`${folder}/${name}`, 'utf8')).map((document) => document.toJS() as Manifest),
);
const pods = manifests
  .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind))
  .map(({ metadata: { name }, spec }) => [name, spec.template.spec] as const);

it('has api, worker and the job that migrates, and no Secret', () => {
  expect(pods.map(([name]) => name).sort()).toEqual(['bauta-api', 'bauta-migrate', 'bauta-worker']);
  expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  const { resources } = parse(readFileSync(`${folder}/kustomization.yaml`, 'utf8')) as { resources: string[] };
  expect([...resources].sort()).toEqual(files);
});

it.each(pods)('%s fits the restricted pod security standard, on a read-only file system', (_, pod) => {
  expect(pod).toMatchObject({
    ...{ enableServiceLinks: false, automountServiceAccountToken: false },
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  for (const container of [...pod.containers, ...(pod.initContainers ?? [])]) {
    expect(container.securityContext).toEqual({
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources).toMatchObject({ requests: { cpu: expect.anything(), memory: expect.anything() }, limits: {} });
  }
});

it.each(pods)('%s gets settings that the code declares, by reference where they are secret', (_, { containers }) => {
  const { configMapGenerator } = parse(readFileSync(`${folder}/kustomization.yaml`, 'utf8')) as {
    configMapGenerator: { literals: string[] }[];
  };
  const shared = configMapGenerator.flatMap(({ literals }) => literals.map((one) => one.split('=') as [string, string]));
  for (const { env = [] } of containers) {
    const given = Object.fromEntries([...shared, ...env.map(({ name, value }) => [name, value] as [string, string])]);
    expect(() => parseSettings(given)).not.toThrow();
    for (const { name, value } of env) if (/METADATA|KEY/.test(name)) expect(value).toMatch(/^file:\/run\/bauta\//);
    // A mounted Secret is a folder of links, and documents may name none: what is behind the one that Kubernetes moves are files.
    for (const { name, value } of env) if (name === 'BAUTA_SECRETS') expect(value).toMatch(/\/\.\.data$/);
  }
});

it('lets nothing in or out of a pod but what a policy names', () => {
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as { spec: Record<string, unknown> }[];
  expect(policies).toContainEqual(expect.objectContaining({ spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } }));
  // Every pod reaches Postgres and names; nothing of theirs goes to anywhere else.
  const ports = policies.flatMap(({ spec }) =>
    ((spec['egress'] ?? []) as { ports?: { port: number }[] }[]).flatMap((rule) => rule.ports ?? []),
  );
  expect([...new Set(ports.map(({ port }) => port))].sort((a, b) => a - b)).toEqual([53, 5432]);
});

interface Policy {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly podSelector: object;
    readonly policyTypes: readonly string[];
    readonly egress: readonly {
      readonly to: readonly { readonly ipBlock: { readonly cidr: string; readonly except?: readonly string[] } }[];
      readonly ports: readonly { readonly port: number }[];
    }[];
  };
}

it('opens a way out in one place, to public addresses, and for nothing that holds a password of production', () => {
  const outside = parseAllDocuments(readFileSync(join(folder, 'outside', 'network-policies.yaml'), 'utf8'));
  const policies = outside.map((document) => document.toJS() as Policy);
  expect(policies.map(({ metadata, spec }) => [metadata.name, spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port))])).toEqual([
    ['bauta-https', [443]],
    ['bauta-mail', [465, 587]],
  ]);
  for (const { spec } of policies) {
    expect([spec.podSelector, spec.policyTypes]).toEqual([{ matchLabels: { 'app.kubernetes.io/name': 'bauta-api' } }, ['Egress']]);
    for (const { to } of spec.egress) {
      const [four, six, ...more] = to.map(({ ipBlock }) => ipBlock);
      expect([six, more]).toEqual([{ cidr: '2000::/3' }, []]);
      for (const address of ['10.0.0.1', '172.20.1.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '127.0.0.1'])
        expect([address, (four?.except ?? []).some((block) => isIn(address, block))]).toEqual([address, true]);
    }
  }
  const worker = pods.find(([name]) => name === 'bauta-worker')?.[1].containers[0]?.env ?? [];
  expect(worker).toContainEqual({ name: 'BAUTA_NOTIFY_MS', value: '0' });
});

/** IPv4 only. */
function isIn(address: string, block: string): boolean {
  const toNumber = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const [network = '', bits = ''] = block.split('/');
  const size = 2 ** (32 - Number(bits));
  return Math.floor(toNumber(address) / size) === Math.floor(toNumber(network) / size);
}

const kustomize = findProgram('kustomize');
const validator = findProgram('kubernetes-validate');
(kustomize && validator ? describe : describe.skip)('by the tools of Kubernetes', () => {
  it('builds, and every object of it fits the published schemas, strictly', () => {
    const built = execFileSync(kustomize ?? '', ['build', folder], { encoding: 'utf8' });
    const objects = parseAllDocuments(built).map((document) => document.toJS() as Manifest);
    expect(objects.length).toBe(manifests.length + 1);
    execFileSync(validator ?? '', ['--strict', '-'], { input: built, stdio: ['pipe', 'ignore', 'pipe'] });
  }, 60_000);

  it('builds the overlay of docs/operations.md, with settings that the code declares, and every object of it fits, too', () => {
    const [, overlay = ''] = /```yaml\n(# kustomization\.yaml of the overlay\n[^`]*)```/.exec(readFileSync(packageFile('docs', 'operations.md'), 'utf8')) ?? []; // prettier-ignore
    const place = mkdtempSync(join(tmpdir(), 'bauta-overlay-'));
    try {
      symlinkSync(packageFile('deploy'), join(place, 'deploy'));
      mkdirSync(join(place, 'mine'));
      writeFileSync(join(place, 'mine', 'kustomization.yaml'), overlay);
      const built = execFileSync(kustomize ?? '', ['build', join(place, 'mine')], { encoding: 'utf8' });
      execFileSync(validator ?? '', ['--strict', '-'], { input: built, stdio: ['pipe', 'ignore', 'pipe'] });
      const objects = parseAllDocuments(built).map((document) => document.toJS() as Manifest & Policy & { data: Record<string, string> });
      expect(objects.map(({ metadata }) => metadata.namespace ?? 'none')).toEqual(
        objects.map(({ kind }) => (kind === 'Namespace' ? 'none' : 'bauta')),
      );
      const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
      expect(policies.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(['bauta-nothing', 'bauta-https', 'bauta-mail']));
      const mail = policies.find(({ metadata }) => metadata.name === 'bauta-mail');
      expect(mail?.spec.egress).toMatchObject([{ to: [{ ipBlock: { cidr: '10.2.0.25/32' } }], ports: [{ port: 465 }, { port: 587 }] }]);
      const settings = objects.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
      expect(parseSettings(settings)).toMatchObject({ BAUTA_SMTP_FROM: 'bauta@example.com' });
    } finally {
      rmSync(place, { recursive: true });
    }
  }, 60_000);

  it('builds with the Vault, which takes the keys out of the Secret, and gives the worker alone a token for it and a way to it', () => {
    const place = mkdtempSync(join(tmpdir(), 'bauta-overlay-'));
    try {
      symlinkSync(packageFile('deploy'), join(place, 'deploy'));
      mkdirSync(join(place, 'mine'));
      const overlay = { kind: 'Kustomization', resources: ['../deploy/kubernetes'], components: ['../deploy/kubernetes/vault'] };
      writeFileSync(join(place, 'mine', 'kustomization.yaml'), JSON.stringify(overlay));
      const built = execFileSync(kustomize ?? '', ['build', join(place, 'mine')], { encoding: 'utf8' });
      execFileSync(validator ?? '', ['--strict', '-'], { input: built, stdio: ['pipe', 'ignore', 'pipe'] });
      const objects = parseAllDocuments(built).map((document) => document.toJS() as Manifest & Policy);
      const podOf = (kind: string): PodSpec & { serviceAccountName?: string } =>
        objects.find((one) => one.kind === kind)?.spec.template.spec as unknown as PodSpec;
      const worker = podOf('StatefulSet');
      expect(worker).toMatchObject({ serviceAccountName: 'bauta-worker', automountServiceAccountToken: false, initContainers: [] });
      const env = Object.fromEntries((worker.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
      expect(parseSettings(env)).toMatchObject({ BAUTA_KEYS: 'vault', BAUTA_VAULT_AUTH: 'kubernetes', BAUTA_VAULT_ROLE: 'bauta-worker' });
      expect([env['BAUTA_VAULT_JWT'], env['BAUTA_VAULT_CA']]).toEqual(['file:/run/vault/token', '/run/vault/ca.crt']);
      const audience = { audience: 'vault', expirationSeconds: 3600, path: 'token' };
      expect(JSON.stringify(worker.volumes)).toContain(JSON.stringify(audience));
      expect(JSON.stringify(worker)).not.toContain('bauta-keys');
      // Nobody else is changed by it.
      for (const kind of ['Deployment', 'Job']) expect(JSON.stringify(podOf(kind))).not.toMatch(/vault|bauta-worker/i);
      const account = objects.find(({ kind }) => kind === 'ServiceAccount');
      expect(account).toMatchObject({ metadata: { name: 'bauta-worker', namespace: 'bauta' }, automountServiceAccountToken: false });
      const way = objects.find(({ metadata }) => metadata.name === 'bauta-vault');
      expect(way).toMatchObject({
        spec: {
          podSelector: { matchLabels: { 'app.kubernetes.io/name': 'bauta-worker' } },
          egress: [
            {
              to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'vault' } }, podSelector: {} }],
              ports: [{ protocol: 'TCP', port: 8200 }],
            },
          ],
        },
      });
    } finally {
      rmSync(place, { recursive: true });
    }
  }, 60_000);

  it('which tell a member that is none', () => {
    const built = execFileSync(kustomize ?? '', ['build', folder], { encoding: 'utf8' }).replace(
      'enableServiceLinks:',
      'enableServiceLink:',
    );
    expect(() => execFileSync(validator ?? '', ['--strict', '-'], { input: built, stdio: ['pipe', 'ignore', 'ignore'] })).toThrow();
  }, 60_000);
});

// The Kubernetes manifests without a cluster: built by kustomize, held against the published schemas, the settings that the code declares,
// and the rules that the cluster enforces.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

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
const files = readdirSync(folder).filter((name) => name !== 'kustomization.yaml');
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
  }
});

it('lets nothing in or out of a pod but what a policy names', () => {
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as { spec: Record<string, unknown> }[];
  expect(policies).toContainEqual(expect.objectContaining({ spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } }));
  // The API's pods reach Postgres and names; nothing of theirs goes to anywhere else.
  const ports = policies.flatMap(({ spec }) =>
    ((spec['egress'] ?? []) as { ports?: { port: number }[] }[]).flatMap((rule) => rule.ports ?? []),
  );
  expect([...new Set(ports.map(({ port }) => port))].sort((a, b) => a - b)).toEqual([53, 5432]);
});

const kustomize = findProgram('kustomize');
const validator = findProgram('kubernetes-validate');
(kustomize && validator ? describe : describe.skip)('by the tools of Kubernetes', () => {
  it('builds, and every object of it fits the published schemas, strictly', () => {
    const built = execFileSync(kustomize ?? '', ['build', folder], { encoding: 'utf8' });
    const objects = parseAllDocuments(built).map((document) => document.toJS() as Manifest);
    expect(objects.length).toBe(manifests.length + 1);
    execFileSync(validator ?? '', ['--strict', '-'], { input: built, stdio: ['pipe', 'ignore', 'pipe'] });
  }, 60_000);

  it('which tell a member that is none', () => {
    const built = execFileSync(kustomize ?? '', ['build', folder], { encoding: 'utf8' }).replace(
      'enableServiceLinks:',
      'enableServiceLink:',
    );
    expect(() => execFileSync(validator ?? '', ['--strict', '-'], { input: built, stdio: ['pipe', 'ignore', 'ignore'] })).toThrow();
  }, 60_000);
});

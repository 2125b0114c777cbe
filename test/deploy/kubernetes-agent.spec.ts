// The agent's manifests and the component that gives the worker a broker, without a cluster: built by kustomize, held against the published schemas, the
// settings that the code declares, and the pod security standard.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { parseAllDocuments } from 'yaml';

import { parseSettings } from '../../src/config/settings.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { findProgram } from '../support/program.js';

interface Container {
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly containerPort: number }[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly Container[]; readonly volumes: readonly object[] } };
    readonly policyTypes: readonly string[];
    readonly egress?: readonly { readonly ports: readonly { readonly port: number }[] }[];
  };
}

const folder = packageFile('deploy', 'kubernetes', 'agent');
const read = (name: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => document.toJS() as Manifest);
const pod = read('agent.yaml').find(({ kind }) => kind === 'StatefulSet')?.spec.template.spec;
const container = pod?.containers[0];

it('runs the agent within the restricted pod security standard, by settings that the code declares, each secret a file', () => {
  expect(pod).toMatchObject({
    ...{ enableServiceLinks: false, automountServiceAccountToken: false },
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(container).toMatchObject({
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  });
  const [, program = ''] = container?.command ?? [];
  expect(existsSync(packageFile(program.replace('dist/', '').replace('.js', '.ts')))).toBe(true);
  const given = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  const settings = parseSettings(Object.fromEntries(Object.entries(given).filter(([name]) => name.startsWith('BAUTA_'))));
  expect(settings.BAUTA_AGENT_PORT).toBe(container?.ports[0]?.containerPort);
  for (const name of ['BAUTA_AGENT_BROKER', 'BAUTA_AGENT_TARGET']) expect(given[name]).toMatch(/^file:\/run\/agent\//);
});

it('has no way to a source, a metadata database or anything else, and nothing of production', () => {
  const policies = read('network-policies.yaml');
  expect(policies[0]).toMatchObject({ spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] } });
  const ports = policies.flatMap(({ spec }) => (spec.egress ?? []).flatMap((rule) => rule.ports.map(({ port }) => port)));
  expect([...new Set(ports)].sort((a, b) => a - b)).toEqual([53, 5432, 9093]);
  expect(JSON.stringify(pod)).not.toMatch(/source_url|metadata_|bauta-keys|server_key|log_key/);
});

const kustomize = findProgram('kustomize');
const validator = findProgram('kubernetes-validate');
(kustomize && validator ? describe : describe.skip)('by the tools of Kubernetes', () => {
  const build = (place: string): readonly Manifest[] => {
    const built = execFileSync(kustomize ?? '', ['build', place], { encoding: 'utf8' });
    execFileSync(validator ?? '', ['--strict', '-'], { input: built, stdio: ['pipe', 'ignore', 'pipe'] });
    return parseAllDocuments(built).map((document) => document.toJS() as Manifest);
  };

  it('builds into a namespace of its own, and every object of it fits the published schemas, strictly', () => {
    const objects = build(folder);
    expect(objects.map(({ kind }) => kind).sort()).toEqual(['Namespace', 'NetworkPolicy', 'NetworkPolicy', 'NetworkPolicy', 'Service', 'StatefulSet']); // prettier-ignore
    for (const { kind, metadata } of objects) if (kind !== 'Namespace') expect(metadata.namespace).toBe('bauta-agent');
  }, 60_000);

  it('the component gives the worker alone a way to the broker, and its authority', () => {
    const place = mkdtempSync(join(tmpdir(), 'bauta-overlay-'));
    try {
      symlinkSync(packageFile('deploy'), join(place, 'deploy'));
      mkdirSync(join(place, 'mine'));
      const overlay = { kind: 'Kustomization', resources: ['../deploy/kubernetes'], components: ['../deploy/kubernetes/kafka'] };
      writeFileSync(join(place, 'mine', 'kustomization.yaml'), JSON.stringify(overlay));
      const objects = build(join(place, 'mine'));
      const worker = objects.find(({ kind }) => kind === 'StatefulSet')?.spec.template.spec;
      expect(worker?.containers[0]?.env).toContainEqual({ name: 'NODE_EXTRA_CA_CERTS', value: '/run/broker/ca.crt' });
      for (const kind of ['Deployment', 'Job'])
        expect(JSON.stringify(objects.find((one) => one.kind === kind)?.spec)).not.toContain('broker');
      expect(objects.find(({ metadata }) => metadata.name === 'bauta-broker' && metadata.namespace === 'bauta')).toMatchObject({
        spec: {
          podSelector: { matchLabels: { 'app.kubernetes.io/name': 'bauta-worker' } },
          egress: [{ ports: [{ protocol: 'TCP', port: 9093 }] }],
        },
      });
    } finally {
      rmSync(place, { recursive: true });
    }
  }, 60_000);
});

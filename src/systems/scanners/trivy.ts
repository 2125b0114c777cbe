// Trivy: the JSON of today (SchemaVersion 2), the list of targets that it wrote before 0.20, and that of `trivy kubernetes`.
import type { Format, Keys } from './format.js';
import { type Members, toInstant, toMembers, toNumber, toText, toTexts } from './member.js';
import type { FoundBy, ScanSubject, Scanning } from './scan.js';
import { toSeverity } from './severity.js';

const top = ['ArtifactName', 'ArtifactType', 'Metadata', 'CreatedAt', 'Trivy', 'ClusterName'];
/** Where targets stand; in a cluster below the resources, which have names of their own. */
const resources = ['$.Resources.*', '$.Findings.*', '$.Vulnerabilities.*', '$.Misconfigurations.*'];
const targets = ['$.Results.*', '$.*', ...resources.map((one) => `${one}.Results.*`)];
const kinds = ['Vulnerabilities', 'Misconfigurations', 'Secrets'];
const names = ['Namespace', 'Kind', 'Name'];

export const trivy: Format = (scanning) => {
  const head: Record<string, unknown> = {};
  const called = new Map<string, string>();
  const waiting: { readonly target: string; readonly resource: string; readonly found: FoundBy }[] = [];
  scanning.tool = { name: 'trivy', version: null };
  // Without any target nothing was looked at; a target without findings is clean.
  scanning.addTargets(0);
  const toName = (resource: string): string => names.flatMap((name) => called.get(`${resource}/${name}`) ?? []).map((name) => `${name}/`).join(''); // prettier-ignore
  return {
    paths: [
      ...top.map((name) => `$.${name}`),
      ...resources.flatMap((one) => names.map((name) => `${one}.${name}`)),
      ...targets.flatMap((one) => [`${one}.Target`, ...kinds.map((kind) => `${one}.${kind}.*`)]),
    ],
    take(value, keys) {
      const last = keys.at(-1);
      if (keys.length === 1) head[last as string] = value;
      else if (last === 'Target') {
        scanning.addTargets(1);
        called.set(toPath(keys, 1), toText(value) ?? '');
      } else if (typeof last === 'string') called.set(`${toPath(keys, 1)}/${last}`, toText(value) ?? '');
      else {
        const found = toFound(keys.at(-2) as string, toMembers(value));
        if (found) waiting.push({ target: toPath(keys, 2), resource: toPath(keys, 4), found });
      }
    },
    end() {
      for (const { target, resource, found } of waiting) {
        const place = `${toName(resource)}${called.get(target) ?? ''}`;
        const { place: within, lasting = within } = found;
        scanning.add({ ...found, place: `${place}${within}`, lasting: `${place}${lasting}` });
      }
      takeHead(scanning, head);
    },
  };
};

function toPath(keys: Keys, without: number): string {
  return keys.slice(0, -without).join('/');
}

function takeHead(scanning: Scanning, head: Members): void {
  scanning.madeAt = toInstant(head['CreatedAt']);
  scanning.tool = { name: 'trivy', version: toText(toMembers(head['Trivy'])['Version']) };
  const cluster = toText(head['ClusterName']);
  const name = toText(head['ArtifactName']) ?? cluster;
  if (name === null) return;
  const { RepoDigests: digests, ImageID: id } = toMembers(head['Metadata']);
  const kind = cluster === null ? toKind(toText(head['ArtifactType'])) : 'cluster';
  scanning.addSubject({ kind, name, digests: [...toTexts(digests), ...toTexts([id])] });
}

function toKind(type: string | null): ScanSubject['kind'] {
  if (type === 'container_image') return 'image';
  return type === 'repository' ? 'repository' : type === 'cyclonedx' || type === 'spdx' ? 'component' : 'files';
}

/** The place within its target. */
function toFound(kind: string, found: Members): FoundBy | undefined {
  const severity = toSeverity(toText(found['Severity']));
  const status = found['Status'];
  if (kind === 'Vulnerabilities') {
    const { VulnerabilityID: id, PkgName: name, InstalledVersion: version, FixedVersion: fixed } = found;
    const place = ` ${toText(name) ?? ''}`;
    return {
      ...{ rule: toText(id) ?? 'unknown', severity, place: `${place} ${toText(version) ?? ''}`.trimEnd(), lasting: place },
      fixable: toText(fixed) !== null,
      // VEX inside Trivy's own report.
      suppressed: status === 'not_affected',
    };
  }
  if (kind === 'Secrets') {
    const line = toNumber(found['StartLine']);
    return { rule: toText(found['RuleID']) ?? 'unknown', severity, place: line === null ? '' : `:${line}`, lasting: '' };
  }
  if (status === 'PASS') return undefined;
  const rule = toText(found['ID']) ?? toText(found['AVDID']) ?? 'unknown';
  return { rule, severity, place: '', fixable: toText(found['Resolution']) !== null, suppressed: status === 'EXCEPTION' };
}

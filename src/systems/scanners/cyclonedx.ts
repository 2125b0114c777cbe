// CycloneDX 1.4 to 1.7 in JSON. Without the list of vulnerabilities it is an inventory: nobody looked for any.
import type { Format } from './format.js';
import { type Members, toInstant, toList, toMembers, toNumber, toText } from './member.js';
import { type Scanning, type Severity, severities } from './scan.js';
import { scoreToSeverity, toSeverity } from './severity.js';

/** States of an analysis after which a vulnerability does not count (CycloneDX, impact analysis state). */
const settled = new Set(['resolved', 'resolved_with_pedigree', 'false_positive', 'not_affected']);

export const cyclonedx: Format = (scanning) => {
  scanning.tool = { name: 'cyclonedx', version: null };
  scanning.addTargets(0);
  let looked = false;
  const waiting: Members[] = [];
  const names = new Map<string, string>();
  return {
    paths: ['$.metadata', '$.components.*', '$.vulnerabilities.*'],
    // An empty list was looked for; none at all was not.
    key(name) {
      looked ||= name === 'vulnerabilities';
    },
    take(value, keys) {
      const members = toMembers(value);
      if (keys[0] === 'metadata') takeMetadata(scanning, members);
      else if (keys[0] === 'components') {
        scanning.addTargets(1);
        const name = [members['name'], members['version']].map(toText).filter((one) => one !== null).join(' '); // prettier-ignore
        const reference = toText(members['bom-ref']);
        if (reference !== null) names.set(reference, name);
      } else waiting.push(members);
    },
    end() {
      if (!looked) scanning.missing = 'inventory-only';
      for (const one of waiting) takeVulnerability(scanning, one, names);
    },
  };
};

function takeMetadata(scanning: Scanning, { timestamp, tools, component }: Members): void {
  scanning.madeAt = toInstant(timestamp);
  // A list before 1.5, an object with components since.
  const [tool] = Array.isArray(tools) ? tools : toList(toMembers(tools)['components']);
  const { name, version } = toMembers(tool);
  if (toText(name) !== null) scanning.tool = { name: name as string, version: toText(version) };
  const { type, name: subject, hashes, purl } = toMembers(component);
  const digests = toList(hashes)
    .map(toMembers)
    .flatMap(({ alg, content }) => (alg === 'SHA-256' && toText(content) !== null ? [`sha256:${content as string}`] : []));
  const called = toText(subject);
  const within = toText(purl) === null ? [] : [decodeURIComponent((purl as string).replace(/%(?![0-9a-f]{2})/gi, '%25'))];
  if (called !== null)
    scanning.addSubject({ kind: type === 'container' ? 'image' : 'component', name: called, digests: [...digests, ...within] });
}

function takeVulnerability(scanning: Scanning, found: Members, names: ReadonlyMap<string, string>): void {
  const { id, ratings, affects, analysis, recommendation } = found;
  const suppressed = settled.has(toText(toMembers(analysis)['state']) ?? '');
  const severity = toList(ratings).map(toMembers).map(toRated).sort(worstFirst)[0] ?? 'unknown';
  const of = { rule: toText(id) ?? 'unknown', severity, suppressed };
  const affected = toList(affects).map((one) => toText(toMembers(one)['ref']) ?? '');
  const fixable = toText(recommendation) !== null;
  for (const reference of affected.length > 0 ? affected : [''])
    scanning.add({ ...of, fixable, place: names.get(reference) ?? reference, lasting: reference });
}

function toRated({ severity, score }: Members): Severity {
  const word = toSeverity(toText(severity));
  const number = toNumber(score);
  return word === 'unknown' && number !== null ? scoreToSeverity(number) : word;
}

function worstFirst(a: Severity, b: Severity): number {
  return severities.indexOf(a) - severities.indexOf(b);
}

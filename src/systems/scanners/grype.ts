// Anchore Grype's JSON. `ignoredMatches` are what its configuration set aside; the database's date moved into `status` in schema 6.
import type { Format } from './format.js';
import { type Members, toInstant, toMembers, toText, toTexts } from './member.js';
import type { Scanning } from './scan.js';
import { toSeverity } from './severity.js';

export const grype: Format = (scanning) => {
  let source: Members = {};
  scanning.tool = { name: 'grype', version: null };
  return {
    paths: ['$.matches.*', '$.ignoredMatches.*', '$.source', '$.descriptor'],
    take(value, [part]) {
      const members = toMembers(value);
      if (part === 'matches' || part === 'ignoredMatches') takeMatch(scanning, members, part === 'ignoredMatches');
      else if (part === 'source') source = members;
      else takeDescriptor(scanning, members);
    },
    end() {
      const target = source['target'];
      // Without a source nobody knows what was looked at.
      scanning.addTargets(toText(source['type']) === null ? 0 : 1);
      if (source['type'] !== 'image') {
        const name = toText(target) ?? toText(toMembers(target)['userInput']);
        if (name !== null) scanning.addSubject({ kind: 'files', name });
        return;
      }
      const { userInput: name, manifestDigest: digest, imageID: id, repoDigests: digests } = toMembers(target);
      const own = [digest, id].flatMap((one) => toText(one) ?? []);
      scanning.addSubject({ kind: 'image', name: toText(name), digests: [...own, ...toTexts(digests)] });
    },
  };
};

function takeMatch(scanning: Scanning, match: Members, suppressed: boolean): void {
  const { id, severity, fix } = toMembers(match['vulnerability']);
  const { name, version } = toMembers(match['artifact']);
  const { versions, state } = toMembers(fix);
  scanning.add({
    rule: toText(id) ?? 'unknown',
    severity: toSeverity(toText(severity)),
    place: `${toText(name) ?? ''} ${toText(version) ?? ''}`.trim(),
    lasting: toText(name) ?? '',
    fixable: toTexts(versions).length > 0 || state === 'fixed' || toText(toMembers(match['vulnerability'])['fixedInVersion']) !== null,
    suppressed,
  });
}

function takeDescriptor(scanning: Scanning, { name, version, timestamp, db }: Members): void {
  scanning.tool = { name: toText(name) ?? 'grype', version: toText(version) };
  scanning.madeAt = toInstant(timestamp);
  const { built, error, status } = toMembers(db);
  scanning.databaseAt = toInstant(built) ?? toInstant(toMembers(status)['built']);
  const broken = toText(error) ?? toText(toMembers(status)['error']);
  if (broken !== null) scanning.missing = 'failed';
}

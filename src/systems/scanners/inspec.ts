// Chef InSpec's reporters json and json-min. A control fails when one of its results does; one that was skipped gave no result.
import type { Format } from './format.js';
import { type Members, toList, toMembers, toNumber, toText } from './member.js';
import type { Scanning } from './scan.js';
import { impactToSeverity } from './severity.js';

export const inspec: Format = (scanning) => {
  scanning.tool = { name: 'inspec', version: null };
  scanning.addRules(0);
  const seen = new Map<string, boolean>();
  return {
    paths: ['$.profiles.*.controls.*', '$.controls.*', '$.version', '$.platform'],
    take(value, keys) {
      if (keys[0] === 'version') scanning.tool = { name: 'inspec', version: toText(value) };
      else if (keys[0] === 'platform') scanning.addTargets(toText(toMembers(value)['name']) === null ? 0 : 1);
      else if (keys[0] === 'profiles') takeControl(scanning, toMembers(value));
      else {
        // json-min has a line for each result; a control is told once.
        const { id, status } = toMembers(value);
        if (status === 'skipped') return;
        const name = toText(id) ?? 'unknown';
        seen.set(name, (seen.get(name) ?? false) || status !== 'passed');
      }
    },
    end() {
      scanning.addRules(seen.size);
      for (const [rule, failed] of seen) if (failed) scanning.add({ rule, severity: impactToSeverity(null), place: '' });
    },
  };
};

function takeControl(scanning: Scanning, control: Members): void {
  const results = toList(control['results']).map((one) => toMembers(one)['status']);
  const given = results.filter((status) => status !== 'skipped');
  if (given.length === 0) return;
  scanning.addRules(1);
  const { id, impact, source_location: source, waiver_data: waiver } = control;
  if (given.every((status) => status === 'passed')) return;
  const suppressed = toText(toMembers(waiver)['justification']) !== null && toMembers(waiver)['skipped_due_to_waiver'] === true;
  const place = toText(toMembers(source)['ref']) ?? '';
  scanning.add({ rule: toText(id) ?? 'unknown', severity: impactToSeverity(toNumber(impact)), place, suppressed });
}

// Checkov: one object, or a list with one for each framework. Where nothing was found to check it writes the summary alone.
import type { Format } from './format.js';
import { type Members, toMembers, toNumber, toText } from './member.js';
import type { Scanning } from './scan.js';
import { toSeverity } from './severity.js';

const kinds = ['failed_checks', 'skipped_checks'];

export const checkov: Format = (scanning) => {
  scanning.tool = { name: 'checkov', version: null };
  scanning.addRules(0);
  const each = (prefix: string): readonly string[] => [
    ...kinds.map((kind) => `${prefix}.results.${kind}.*`),
    ...['passed', 'failed', 'parsing_errors', 'resource_count', 'checkov_version'].flatMap((name) => [`${prefix}.summary.${name}`]),
  ];
  const bare = ['passed', 'failed', 'parsing_errors', 'resource_count', 'checkov_version'].map((name) => `$.${name}`);
  return {
    paths: [...each('$'), ...each('$.*'), ...bare],
    take(value, keys) {
      const last = keys.at(-1);
      if (typeof last === 'number') return takeCheck(scanning, toMembers(value), keys.at(-2) === 'skipped_checks');
      if (last === 'checkov_version') scanning.tool = { name: 'checkov', version: toText(value) };
      const amount = toNumber(value) ?? 0;
      if (last === 'passed' || last === 'failed') scanning.addRules(amount);
      if (last === 'resource_count') scanning.addTargets(amount);
      if (last === 'parsing_errors') scanning.errors += amount;
    },
  };
};

function takeCheck(scanning: Scanning, check: Members, suppressed: boolean): void {
  const { check_id: id, severity, file_path: file, resource, fixed_definition: fix } = check;
  const place = [file, resource].map(toText).filter((one) => one !== null).join(' '); // prettier-ignore
  scanning.add({ rule: toText(id) ?? 'unknown', severity: toSeverity(toText(severity)), place, fixable: toText(fix) !== null, suppressed });
}

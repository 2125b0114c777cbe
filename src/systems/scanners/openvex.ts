// OpenVEX 0.2: what somebody says of vulnerabilities in products. `affected` and `under_investigation` stay open; a `not_affected` without a
// justification or an impact statement says nothing (OpenVEX specification, "Status Justifications").
import type { Format } from './format.js';
import { type Members, toInstant, toList, toMembers, toText } from './member.js';
import type { Scanning } from './scan.js';

export const openvex: Format = (scanning) => {
  scanning.tool = { name: 'openvex', version: null };
  scanning.addRules(0);
  return {
    paths: ['$.statements.*', '$.timestamp', '$.version'],
    take(value, [part]) {
      if (part === 'timestamp') scanning.madeAt = toInstant(value);
      else if (part === 'statements') takeStatement(scanning, toMembers(value));
    },
  };
};

function takeStatement(scanning: Scanning, statement: Members): void {
  scanning.addRules(1);
  const { vulnerability, products, status, justification, impact_statement: impact } = statement;
  // An object since 0.2, a text before.
  const rule = toText(vulnerability) ?? toText(toMembers(vulnerability)['name']) ?? toText(toMembers(vulnerability)['@id']) ?? 'unknown';
  const explained = toText(justification) !== null || toText(impact) !== null;
  const suppressed = status === 'fixed' || (status === 'not_affected' && explained);
  for (const product of toList(products)) {
    const place = toText(product) ?? toText(toMembers(product)['@id']) ?? '';
    scanning.add({ rule, severity: 'unknown', place, fixable: status === 'fixed', suppressed });
  }
}

// A Terraform plan as JSON (`terraform show -json`): what it would destroy or replace, and conditions that fail. Values are not looked at.
import type { Format } from './format.js';
import { toInstant, toMembers, toText, toTexts } from './member.js';

export const terraform: Format = (scanning) => {
  scanning.tool = { name: 'terraform', version: null };
  scanning.addTargets(0);
  return {
    paths: ['$.terraform_version', '$.resource_changes.*', '$.checks.*', '$.errored', '$.timestamp', '$.format_version'],
    take(value, [part]) {
      const members = toMembers(value);
      if (part === 'terraform_version') scanning.tool = { name: 'terraform', version: toText(value) };
      else if (part === 'errored' && value === true) scanning.missing = 'failed';
      else if (part === 'timestamp') scanning.madeAt = toInstant(value);
      // A plan of no format is none.
      else if (part === 'format_version') scanning.addTargets(1);
      else if (part === 'resource_changes') {
        const actions = toTexts(toMembers(members['change'])['actions']);
        if (!actions.includes('delete')) return;
        const rule = actions.includes('create') ? 'resource-replaced' : 'resource-deleted';
        scanning.add({ rule, severity: 'medium', place: toText(members['address']) ?? '' });
      } else if (part === 'checks') {
        scanning.addRules(1);
        const place = toText(toMembers(members['address'])['to_display']) ?? '';
        if (members['status'] === 'fail' || members['status'] === 'error')
          scanning.add({ rule: 'condition-failed', severity: 'high', place });
      }
    },
  };
};

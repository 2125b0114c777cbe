// dbt's run_results.json (tests that failed, models that did not build) and manifest.json (the tests that there are).
import type { Format } from './format.js';
import { toInstant, toMembers, toText } from './member.js';
import { toSeverity } from './severity.js';

/** Of a node: `test.shop.not_null_orders_id.a1b2` is a test. */
const isTest = (id: string): boolean => id.startsWith('test.') || id.startsWith('unit_test.');

export const dbt: Format = (scanning) => {
  scanning.tool = { name: 'dbt', version: null };
  scanning.addRules(0);
  return {
    paths: ['$.metadata', '$.results.*'],
    take(value, keys) {
      const members = toMembers(value);
      if (keys[0] === 'metadata') {
        scanning.tool = { name: 'dbt', version: toText(members['dbt_version']) };
        scanning.madeAt = toInstant(members['generated_at']);
        return;
      }
      const id = toText(members['unique_id']) ?? 'unknown';
      const status = toText(members['status']) ?? 'unknown';
      scanning.addTargets(1);
      // Models that were built tested nothing.
      if (isTest(id) && status !== 'skipped') scanning.addRules(1);
      if (['pass', 'success', 'skipped', 'no-op'].includes(status)) return;
      if (status === 'error' || status === 'runtime error') scanning.errors += 1;
      scanning.add({
        rule: id,
        severity: toSeverity(status === 'runtime error' ? 'error' : status),
        place: toText(members['relation_name']) ?? '',
      });
    },
  };
};

export const dbtManifest: Format = (scanning) => {
  scanning.tool = { name: 'dbt', version: null };
  scanning.addRules(0);
  return {
    paths: ['$.metadata', '$.nodes.*.resource_type', '$.unit_tests.*.resource_type'],
    take(value, keys) {
      if (keys[0] === 'metadata') {
        const members = toMembers(value);
        scanning.tool = { name: 'dbt', version: toText(members['dbt_version']) };
        scanning.madeAt = toInstant(members['generated_at']);
      } else if (value === 'test' || value === 'unit_test') scanning.addRules(1);
      else if (value === 'model') scanning.addTargets(1);
    },
    // A list of tests says nothing of how they went.
    end: () => void (scanning.missing = 'inventory-only'),
  };
};

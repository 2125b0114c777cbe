// The rulebook that Bauta ships and the policy's table of tags and transforms are two files: they have to say the same.
import { existsSync, readFileSync } from 'node:fs';

import { expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { packageFile } from '../../src/kernel/package-root.js';
import { tags } from '../../src/pipeline/tags.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { columns } from './question.js';

const path = packageFile('src', 'pipeline', 'mask', 'rulebooks', 'default.yaml');

it('lets every rule of the rulebook default through for its tag', async () => {
  // The rulebook comes with the documents; without it there is nothing to hold together.
  if (!existsSync(path)) return expect(process.env['BAUTA_WORLD']).not.toBe('required');
  const { rules } = parse(readFileSync(path, 'utf8')) as { rules: Readonly<Record<string, unknown>> };
  const pairs = Object.entries(rules).flatMap(([tag, rule]) =>
    (Array.isArray(rule) ? (rule as unknown[]) : [rule]).map((one) => ({
      tag,
      transform: typeof one === 'string' ? one : (one as { transform: string }).transform,
    })),
  );
  expect(Object.keys(rules).sort()).toEqual([...tags.keys()].sort());
  const policy = await openPolicy();
  try {
    const wrong: string[] = [];
    for (const pair of pairs) {
      const { reasons } = await policy.decide(columns({ ...pair, unique: false, reasonLength: 40 }));
      if (reasons.some(({ code }) => code === 'TRANSFORM_UNFIT' || code === 'TAG_UNKNOWN')) wrong.push(`${pair.tag}: ${pair.transform}`);
    }
    expect(wrong).toEqual([]);
  } finally {
    await policy.close();
  }
});

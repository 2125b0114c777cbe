// docs/*.md and docs/schema that are made from the code say what the code says: `npm run generate` writes them anew.
import { existsSync, readFileSync } from 'node:fs';

import { expect, it } from '@jest/globals';

import { toReferencePages } from '../../src/cli/reference-pages.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { messages } from '../../src/kernel/messages.js';
import { transforms } from '../../src/pipeline/mask/mask.js';

it('finds every generated file as the code would write it now', async () => {
  const pages = await toReferencePages();
  expect(pages.size).toBeGreaterThanOrEqual(9);
  const stale = [...pages].filter(([path, text]) => {
    const file = packageFile(...path.split('/'));
    return !existsSync(file) || readFileSync(file, 'utf8') !== text;
  });
  expect(stale.map(([path]) => `${path}: npm run generate`)).toEqual([]);
});

it('has every code and every transform in the generated pages', async () => {
  const pages = await toReferencePages();
  for (const code of Object.keys(messages)) expect(pages.get('docs/errors.md')).toContain(`\n| \`${code}\` |`);
  for (const { name } of transforms) expect(pages.get('docs/transforms.md')).toContain(`\n## ${name}\n`);
});

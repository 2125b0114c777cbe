// Writes what is generated under docs/, or with --check says what is not current: `npm run generate`, `npm run generate -- --check`.
// No command of `bauta`: only who changes the code needs it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

import { packageFile } from '../kernel/package-root.js';
import { toReferencePages } from './reference-pages.js';

const check = process.argv.includes('--check');
mkdirSync(packageFile('docs', 'schema'), { recursive: true });
for (const [path, text] of await toReferencePages()) {
  const file = packageFile(...path.split('/'));
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  process.stderr.write(`${path} ${check ? 'is not current: npm run generate' : 'written'}\n`);
  if (check) process.exitCode = 1;
  else writeFileSync(file, text);
}

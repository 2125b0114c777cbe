// Writes docs/schema/*.json. Run it after a change of schemas.ts: `npm run generate`.
import { mkdirSync, writeFileSync } from 'node:fs';

import { packageFile } from '../kernel/package-root.js';
import { publishedSchemas } from './schemas.js';

mkdirSync(packageFile('docs', 'schema'), { recursive: true });
for (const [name, schema] of Object.entries(publishedSchemas)) {
  writeFileSync(packageFile('docs', 'schema', name), `${JSON.stringify(schema, null, 2)}\n`);
}

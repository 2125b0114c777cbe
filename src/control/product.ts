// What reports say of who made them.
import { readFileSync } from 'node:fs';

import { packageFile } from '../kernel/package-root.js';
import type { ReportContext } from '../pipeline/report/report.js';

export const readProduct = (): ReportContext['product'] => {
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { readonly version: string };
  return { version, commit: null };
};

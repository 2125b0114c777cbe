// The modules of src and what each imports, type imports included, as dependency-cruiser sees them.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { packageFile } from '../../src/kernel/package-root.js';

export interface Module {
  readonly source: string;
  readonly imports: readonly { readonly to: string; readonly package: boolean; readonly typeOnly: boolean }[];
}

export function readModules(): Module[] {
  const bin = packageFile('node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const words = [bin, '--config', packageFile('.dependency-cruiser.cjs'), '-T', 'json', 'src'];
  const { stdout, status } = spawnSync(process.execPath, words, { cwd: packageFile('.'), encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`dependency-cruiser ended with ${status}`);
  interface Cruised {
    modules: {
      source: string;
      dependencies: { resolved: string; dependencyTypes: string[]; couldNotResolve: boolean; module: string }[];
    }[];
  }
  return (JSON.parse(stdout) as Cruised).modules
    .filter(({ source }) => source.startsWith('src/') && !source.endsWith('.spec.ts'))
    .map(({ source, dependencies }) => ({
      source,
      imports: dependencies.map(({ resolved, dependencyTypes, couldNotResolve, module }) => ({
        // A built-in of Node is resolved to its bare name.
        to: couldNotResolve ? join(source, '..', module) : resolved,
        package: !resolved.startsWith('src/'),
        typeOnly: dependencyTypes.includes('type-only'),
      })),
    }));
}

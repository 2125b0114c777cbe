// The command line in this process with its words caught, in a folder of its own, for suites about `bauta classify`.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { runCommandLine } from '../../src/cli/cli.js';

export interface Said {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** Runs one command line with the environment's variables set, and gives what it wrote. */
export async function say(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Said> {
  const before = { ...process.env };
  const [out, err] = [process.stdout.write.bind(process.stdout), process.stderr.write.bind(process.stderr)];
  const caught = { out: '', err: '' };
  const toText = (chunk: string | Uint8Array): string => (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
  Object.assign(process.env, environment);
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    caught.out += toText(chunk);
    return true;
  };
  process.stderr.write = (chunk: string | Uint8Array): boolean => {
    caught.err += toText(chunk);
    return true;
  };
  try {
    return { exitCode: await runCommandLine(words), ...caught };
  } finally {
    process.stdout.write = out;
    process.stderr.write = err;
    for (const name of Object.keys(environment)) if (before[name] === undefined) delete process.env[name];
  }
}

export function makeFolder(): { readonly path: (name: string) => string; readonly texts: () => string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-classify-'));
  return {
    path: (name) => join(folder, name),
    texts: () =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).isFile())
        .map((path) => `${path}\n${readFileSync(path, 'utf8')}`)
        .join('\n'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

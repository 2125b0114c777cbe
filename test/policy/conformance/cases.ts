// OPA's own test cases, compiled by OPA's own compiler: a small Go program beside this file writes them to its standard output, one after the other, and
// they are never on disk. It is built from the Go module that the tests are in.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packageFile } from '../../../src/kernel/package-root.js';

/** As main.go writes it; the module follows. */
export interface Case {
  readonly note: string;
  readonly folder: string;
  /** In OPA's notation; JSON where it can be. */
  readonly input?: string;
  readonly data: string;
  readonly want?: readonly Readonly<Record<string, unknown>>[] | null;
  readonly wantError: boolean;
  readonly sortBindings: boolean;
  readonly ignoreGeneratedVars: boolean;
  /** Why OPA could not compile it. */
  readonly failure?: string;
  readonly bytes: number;
  /** The line itself, for literals of numbers that JSON.parse would change. */
  readonly line: string;
}

const source = packageFile('test', 'policy', 'conformance');
const go = (words: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync('go', words, { cwd: source, encoding: 'utf8', env: { ...process.env, GOFLAGS: '-mod=readonly' } });

/** Where the test cases are, or undefined without Go and the module. */
export function findCases(): string | undefined {
  const { status, stdout } = go(['list', '-m', '-f', '{{.Dir}}', 'github.com/open-policy-agent/opa']);
  const folder = String(stdout).trim();
  return status === 0 && folder !== '' ? join(folder, 'v1', 'test', 'cases', 'testdata', 'v1') : undefined;
}

export async function* compiledCases(folder: string): AsyncGenerator<{ readonly one: Case; readonly wasm: Uint8Array }> {
  const scratch = mkdtempSync(join(tmpdir(), 'bauta-conformance-'));
  try {
    const program = join(scratch, 'conformance');
    const built = go(['build', '-o', program, '.']);
    if (built.status !== 0) throw new Error(`the compiler of test cases does not build\n${String(built.stderr)}`);
    const child = spawn(program, [folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    yield* frames(child.stdout);
    if ((await ended) !== 0) throw new Error('the compiler of test cases failed');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function* frames(stream: AsyncIterable<unknown>): AsyncGenerator<{ readonly one: Case; readonly wasm: Uint8Array }> {
  let pending: Buffer[] = [];
  let size = 0;
  let need = 0;
  for await (const chunk of stream) {
    pending.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size < need) continue;
    let rest = Buffer.concat(pending);
    for (;;) {
      const end = rest.indexOf(10);
      if (end < 0) break;
      const line = rest.toString('utf8', 0, end);
      const one = { ...(JSON.parse(line) as Case), line };
      need = end + 1 + one.bytes;
      if (rest.length < need) break;
      yield { one, wasm: new Uint8Array(rest.subarray(end + 1, need)) };
      rest = rest.subarray(need);
      need = 0;
    }
    [pending, size] = [[rest], rest.length];
  }
}

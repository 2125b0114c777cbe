// Go's own transparency log packages (golang.org/x/mod/sumdb: tlog and note), which check what every Go module is built from, as an oracle: our
// checkpoints, tiles, inclusion and consistency proofs are theirs.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { parseCheckpoint, prove } from '../../src/pipeline/audit/audit.js';
import { toNodeAt } from '../../src/pipeline/audit/log-files.js';
import { toConsistencyProof } from '../../src/pipeline/audit/tree.js';
import { FileAuditSink, openLogFiles } from '../../src/systems/files/files.js';

const made = mkdtempSync(join(tmpdir(), 'bauta-test-'));
const [home, program] = [join(made, 'home'), join(made, 'oracle')];
const log = join(home, 'log', '2026');
const sizes = [1, 2, 3, 255, 256, 257, 511, 512, 600];
const indexes = [0, 1, 254, 255, 256, 257, 511, 512, 599];
const paths: string[] = [];

/** Built from the module proxy, once. Without `go`, or without a way to the proxy, it cannot be had. */
const build = spawnSync('go', ['build', '-o', program, '.'], {
  ...{ cwd: packageFile('test', 'oracle', 'tlog'), encoding: 'utf8' },
  ...{ env: { ...process.env, CGO_ENABLED: '0' }, timeout: 120_000 },
});
const isThere = build.status === 0;
const ask = (folder: string): { status: number | null; stdout: string } =>
  spawnSync(program, [folder, join(home, 'log.pub'), ...paths], { encoding: 'utf8' });

beforeAll(async () => {
  if (!isThere) {
    const text = `the check of the log by Go's packages, because the oracle could not be built (${build.error ? 'no go on PATH' : 'go build failed'})`;
    if (process.env['BAUTA_WORLD'] === 'required') throw new Error(`${text}\n${build.stderr}`);
    process.stderr.write(`SKIPPED: ${text}\n`);
    return;
  }
  const notes: string[] = [];
  const append = async (from: number, to: number): Promise<void> => {
    const sink = new FileAuditSink({ home, period: 'year' });
    const event = (i: number) => ({ runId: 'r', stage: 'gate', type: `t${i}`, at: '2026-01-01T00:00:00.000Z', data: { é: i } }) as const;
    await Promise.all(Array.from({ length: to - from }, (_, i) => sink.append(event(from + i))));
    await sink.close();
    notes.push(readFileSync(join(log, 'checkpoint'), 'utf8'));
  };
  // With the one that opens the log.
  for (const [i, size] of sizes.entries()) if (size > 1) await append(Math.max(0, (sizes[i - 1] ?? 1) - 1), size - 1);
  const files = openLogFiles(join(home, 'log'));
  for (const index of indexes) {
    paths.push(join(made, `proof-${index}`));
    writeFileSync(paths.at(-1)!, await prove(files, '2026', index));
  }
  paths.push('--');
  const nodeAt = toNodeAt(files, '2026', 600);
  const newest = parseCheckpoint(notes.at(-1)!)!;
  for (const note of notes) {
    const { size, root } = parseCheckpoint(note)!;
    const proof = await toConsistencyProof(size, newest.size, nodeAt);
    paths.push(join(made, `consistency-${size}`));
    writeFileSync(
      paths.at(-1)!,
      [size, root, newest.size, newest.root, ...proof.map((digest) => digest.toString('base64'))].join('\n') + '\n',
    );
  }
}, 150_000);
afterAll(() => rmSync(made, { recursive: true }));

it('finds our log, our proofs and our consistency proofs whole', () => {
  if (!isThere) return;
  expect(ask(log)).toMatchObject({ status: 0, stdout: '600 entries, 9 proofs, 8 consistency proofs: whole\n' });
});

it.each([
  ['an entry', 'tile/entries/001', (text: string) => text.replace('"t300"', '"t301"')],
  ['a tile', 'tile/0/001', (text: string) => `x${text.slice(1)}`],
  ['a size', 'checkpoint', (text: string) => text.replace('\n600\n', '\n599\n')],
])('finds %s that was changed', (_, path, change) => {
  if (!isThere) return;
  const copy = mkdtempSync(join(made, 'copy-'));
  cpSync(log, copy, { recursive: true });
  writeFileSync(join(copy, path), Buffer.from(change(readFileSync(join(copy, path), 'latin1')), 'latin1'));
  expect(ask(copy)).toMatchObject({ status: 1, stdout: expect.stringMatching(/^WRONG: /) });
});

it('finds a proof and a consistency proof that were changed', () => {
  if (!isThere) return;
  for (const name of ['proof-257', 'consistency-257']) {
    const path = join(made, name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(name === 'proof-257' ? 'index 257' : /^257/, name === 'proof-257' ? 'index 256' : '256'));
    expect([name, ask(log)]).toMatchObject([name, { status: 1, stdout: expect.stringMatching(/^WRONG: /) }]);
    writeFileSync(path, text);
  }
});

// Whoever can write the log's folder, or even sign in its name, leaves a trace that is found and named.
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { parseSignerKey, parseVerifierKey } from '../../src/kernel/signed-note.js';
import {
  type ChainReport,
  GrowingTree,
  TILE,
  parseBundle,
  prove,
  signCheckpoint,
  toBundle,
  toEdgeTiles,
  toLeafDigest,
  toTilePath,
  verifyChain,
  verifyProof,
} from '../../src/pipeline/audit/audit.js';
import type { Event } from '../../src/pipeline/event.js';
import { FileAuditSink, openLogFiles } from '../../src/systems/files/files.js';

const made = mkdtempSync(join(tmpdir(), 'bauta-test-'));
let folder: string;
let known: string;

const event = (i: number): Event => ({
  ...{ runId: 'r1', stage: 'deliver', type: `event.${i}`, at: '2026-11-21T08:00:00.000Z' },
  data: i === 99 ? { text: 'x'.repeat(20_000) } : { i },
});

async function append(home: string, from: number, to: number): Promise<void> {
  const sink = new FileAuditSink({ home, period: 'year' });
  await Promise.all(Array.from({ length: to - from }, (_, i) => sink.append(event(from + i))));
  await sink.close();
}

beforeAll(async () => {
  // 400 entries with the one that opens the log; then 600, and a checkpoint of each.
  await append(join(made, 'home'), 0, 399);
  cpSync(join(made, 'home'), join(made, 'older'), { recursive: true });
  await append(join(made, 'home'), 399, 599);
});
beforeEach(() => {
  folder = mkdtempSync(join(made, 'copy-'));
  cpSync(join(made, 'home', 'log'), folder, { recursive: true });
  known = readFileSync(join(made, 'older', 'log', '2026', 'checkpoint'), 'utf8');
});
afterEach(() => rmSync(folder, { recursive: true }));
afterAll(() => rmSync(made, { recursive: true }));

const verifier = () => parseVerifierKey(readFileSync(join(made, 'home', 'log.pub'), 'utf8'))!;
const verify = (...notes: string[]): Promise<ChainReport> =>
  verifyChain(openLogFiles(folder), { verifier: verifier(), known: notes.map((note) => ({ name: 'known', note })) });
const found = async (...notes: string[]): Promise<[string, number | undefined][]> =>
  (await verify(...notes)).findings.map(({ code, where }) => [code, where.entry]);
const place = (...path: string[]): string => join(folder, '2026', ...path);

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(path, bytes);
}

const bundle = (index: number, width = TILE): string => place(toTilePath({ level: 'entries', index, width }));
const entriesIn = (path: string): Buffer[] => [...parseBundle(readFileSync(path)).entries];
/** Where an entry's bytes begin in its bundle. */
const startOf = (path: string, entry: number): number =>
  entriesIn(path)
    .slice(0, entry)
    .reduce((sum, { length }) => sum + 2 + length, 2);

/** All tiles and the checkpoint made anew from entries, as whoever has the signing key can. */
function rewrite(entries: readonly Buffer[], sign: 'with the key' | 'not at all'): void {
  rmSync(place('tile'), { recursive: true });
  const home = join(made, `forger-${Math.random()}`);
  cpSync(join(made, 'home', 'keys'), join(home, 'keys'), { recursive: true });
  const tree = new GrowingTree();
  const digests = entries.map((entry) => toLeafDigest(entry));
  for (const digest of digests) tree.append(digest);
  const write = (path: string, bytes: Buffer): void => {
    cpSync(place('checkpoint'), place(path));
    writeFileSync(place(path), bytes);
  };
  const full: Buffer[] = [];
  for (let index = 0; (index + 1) * TILE <= entries.length; index++) {
    const own = new GrowingTree();
    const part = digests.slice(index * TILE, (index + 1) * TILE);
    for (const digest of part) own.append(digest);
    full.push(own.root());
    write(toTilePath({ level: 0, index, width: TILE }), Buffer.concat(part));
    write(toTilePath({ level: 'entries', index, width: TILE }), toBundle(entries.slice(index * TILE, (index + 1) * TILE)));
  }
  for (const tile of toEdgeTiles(entries.length)) {
    const from = tile.index * TILE;
    if (tile.level === 'entries') write(toTilePath(tile), toBundle(entries.slice(from)));
    else write(toTilePath(tile), Buffer.concat(tile.level === 0 ? digests.slice(from) : full));
  }
  if (sign === 'not at all') return;
  const signer = parseSignerKey(readFileSync(join(home, 'keys', 'log.key'), 'utf8'))!;
  const checkpoint = { origin: `${signer.verifier.name}/2026`, size: entries.length, root: tree.root().toString('base64') };
  writeFileSync(place('checkpoint'), signCheckpoint(checkpoint, signer));
}

const allEntries = (): Buffer[] => [bundle(0), bundle(1), bundle(2, 88)].flatMap(entriesIn);

it('says of a log that nobody touched that it is whole', async () => {
  const report = await verify(known);
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ signatureChecked: true, checkpoint: { origin: `${verifier().name}/2026`, size: 600 } });
});

it('knows no signer without a key, and everything else', async () => {
  expect(await verifyChain(openLogFiles(folder), { known: [] })).toMatchObject({ signatureChecked: false, findings: [] });
  flip(bundle(1), startOf(bundle(1), 44) + 9);
  expect((await verifyChain(openLogFiles(folder), { known: [] })).findings).toContainEqual(
    expect.objectContaining({ code: 'LOG_ENTRY_CHANGED' }),
  );
});

describe('from the files and the public key alone:', () => {
  it('1 a flipped bit, of an entry', async () => {
    flip(bundle(1), startOf(bundle(1), 44) + 40);
    expect(await found()).toContainEqual(['LOG_ENTRY_CHANGED', 300]);
  });

  it('1 a flipped bit, of a tile, of a tile above, of the checkpoint', async () => {
    flip(place('tile', '0', '001'), 44 * 32);
    expect(await found()).toEqual(expect.arrayContaining([['LOG_TILE_CHANGED', 300]]));
    flip(place('tile', '0', '001'), 44 * 32);
    flip(place('tile', '1', '000.p', '2'), 5);
    expect((await verify()).findings).toMatchObject([{ code: 'LOG_TILE_CHANGED', where: { file: '2026/tile/1/000.p/2' } }]);
    flip(place('tile', '1', '000.p', '2'), 5);
    writeFileSync(place('checkpoint'), readFileSync(place('checkpoint'), 'utf8').replace('\n600\n', '\n599\n'));
    expect((await found()).map(([code]) => code)).toContain('LOG_CHECKPOINT_FORGED');
  });

  it('2 a swapped pair', async () => {
    const entries = entriesIn(bundle(1));
    [entries[10], entries[11]] = [entries[11]!, entries[10]!];
    writeFileSync(bundle(1), toBundle(entries));
    expect(await found()).toEqual([['LOG_ENTRIES_SWAPPED', 266]]);
  });

  it('2 a swapped pair, with tiles made to fit it', async () => {
    const entries = allEntries();
    [entries[266], entries[267]] = [entries[267]!, entries[266]!];
    rewrite(entries, 'not at all');
    expect(await found()).toEqual([['LOG_REWRITTEN', undefined]]);
    // An older checkpoint says on which side of it the change is.
    expect(await found(known)).toEqual([
      ['LOG_REWRITTEN', undefined],
      ['LOG_FORKED', undefined],
    ]);
  });

  it('3 a cut tail', async () => {
    writeFileSync(bundle(2, 88), toBundle(entriesIn(bundle(2, 88)).slice(0, 80)));
    expect(await found()).toEqual([['LOG_ENTRIES_MISSING', 592]]);
    rmSync(bundle(2, 88));
    expect(await found()).toEqual([['LOG_ENTRIES_MISSING', 512]]);
  });

  it('6 a replayed checkpoint', async () => {
    writeFileSync(place('checkpoint'), known);
    expect(await found()).toEqual([['LOG_CHECKPOINT_REPLAYED', undefined]]);
  });

  it('8 a payload changed under an unchanged root: of an entry, and in a file of its own', async () => {
    const entries = entriesIn(bundle(0));
    entries[5] = Buffer.from(entries[5]!.toString('utf8').replace('"i":4', '"i":7'));
    writeFileSync(bundle(0), toBundle(entries));
    expect(await found()).toEqual([['LOG_ENTRY_CHANGED', 5]]);
    cpSync(join(made, 'home', 'log'), folder, { recursive: true });
    const [name = ''] = readdirSync(place('payload'));
    flip(place('payload', name), 100);
    expect(await found()).toEqual([['LOG_PAYLOAD_CHANGED', 100]]);
    rmSync(place('payload', name));
    expect(await found()).toEqual([['LOG_PAYLOAD_MISSING', 100]]);
  });

  it('a removed tile, a removed checkpoint, a log of another key', async () => {
    rmSync(place('tile', '0', '000'));
    expect((await verify()).findings).toContainEqual(
      expect.objectContaining({ code: 'LOG_TILE_CHANGED', where: { file: '2026/tile/0/000' } }),
    );
    rmSync(place('checkpoint'));
    expect((await found()).map(([code]) => code)).toEqual(['LOG_CHECKPOINT_MISSING']);
    rmSync(folder, { recursive: true });
    await append(join(made, 'stranger'), 0, 3);
    cpSync(join(made, 'stranger', 'log'), folder, { recursive: true });
    expect((await found()).map(([code]) => code)).toContain('LOG_CHECKPOINT_UNSIGNED');
  });
});

describe('with a checkpoint that was seen before:', () => {
  it('3 a cut tail that the thief could sign, and 5 a restored backup', async () => {
    const newest = readFileSync(place('checkpoint'), 'utf8');
    rewrite(allEntries().slice(0, 500), 'with the key');
    expect(await found()).toEqual([]);
    expect(await found(newest)).toEqual([['LOG_ROLLED_BACK', undefined]]);
    rmSync(folder, { recursive: true });
    cpSync(join(made, 'older', 'log'), folder, { recursive: true });
    expect(await found()).toEqual([]);
    expect(await found(newest)).toEqual([['LOG_ROLLED_BACK', undefined]]);
  });

  it('4 a fork', async () => {
    const entries = allEntries();
    entries[20] = Buffer.from(entries[20]!.toString('utf8').replace('"i":19', '"i":91'));
    rewrite(entries, 'with the key');
    expect(await found()).toEqual([]);
    expect(await found(known)).toEqual([['LOG_FORKED', undefined]]);
  });

  it('7 a split view', async () => {
    const theirs = readFileSync(place('checkpoint'), 'utf8');
    const entries = allEntries();
    entries[20] = Buffer.from(entries[20]!.toString('utf8').replace('"i":19', '"i":91'));
    rewrite(entries, 'with the key');
    expect(await found(theirs)).toEqual([['LOG_SPLIT_VIEW', undefined]]);
  });

  it('a checkpoint that nobody of this log signed is none', async () => {
    await append(join(made, 'other'), 0, 3);
    const note = readFileSync(join(made, 'other', 'log', '2026', 'checkpoint'), 'utf8');
    expect(await found(note)).toEqual([['LOG_CHECKPOINT_UNSIGNED', undefined]]);
  });
});

it('takes what a crash left behind the checkpoint for unfinished, not for an attack', async () => {
  rmSync(folder, { recursive: true });
  cpSync(join(made, 'older', 'log'), folder, { recursive: true });
  // The tiles of the next append are there, those of the last one are not dropped yet, and the checkpoint is still the last one's.
  cpSync(join(made, 'home', 'log', '2026', 'tile'), place('tile'), { recursive: true });
  const { findings } = await verify();
  expect(findings).toMatchObject([{ code: 'LOG_UNFINISHED', severity: 'warning', where: { entry: 400 } }]);
});

it('proves every entry to whoever has the key, and no other entry', async () => {
  for (const index of [0, 5, 100, 255, 256, 599]) {
    const proof = await prove(openLogFiles(folder), '2026', index);
    expect(verifyProof(proof, 'proof', verifier())).toMatchObject({ findings: [], entry: index, signatureChecked: true });
    expect(verifyProof(proof.replace(`index ${index}\n`, `index ${index + 1}\n`), 'proof', verifier()).findings).toHaveLength(1);
    const extra = /extra (\S+)/.exec(proof)?.[1] ?? '';
    const other = Buffer.from(Buffer.from(extra, 'base64').toString('utf8').replace('r1', 'r2')).toString('base64');
    expect(verifyProof(proof.replace(extra, other), 'proof', verifier())).toMatchObject({
      findings: [{ code: 'LOG_PROOF_INVALID' }],
      event: null,
    });
  }
  await expect(prove(openLogFiles(folder), '2026', 600)).rejects.toMatchObject({ code: 'LOG_ENTRY_UNKNOWN' });
});

// A package of evidence: the same bytes each time, and whatever is changed in it afterwards is found with the file and the key alone.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { refuseOtherFile } from '../../src/cli/other-file.js';
import { type Render, makePackage } from '../../src/control/make-package.js';
import { type PackageReport, verifyPackage } from '../../src/control/verify-package.js';
import { digestBytes } from '../../src/kernel/digest.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type Cosigner, cosign, formatWitnessKey, toCosigner } from '../../src/kernel/cosignature.js';
import { type Verifier, parseNote, parseVerifierKey } from '../../src/kernel/signed-note.js';
import { anchorLog, isPolicyProblem, parseTrustPolicy } from '../../src/pipeline/audit/audit.js';
import { keepAnchor, openAnchorFolder, openLogFiles, readEvents, writeCosigned } from '../../src/systems/files/files.js';
import { ZipReader, ZipWriter } from '../../src/systems/zip/zip.js';
import { findProgram } from '../support/program.js';
import { asked, openHome, packageLogOf, run, tell } from './logged.js';

const none: Render = () => Promise.resolve({});
const folder = mkdtempSync(join(tmpdir(), 'bauta-package-spec-'));
const file = join(folder, 'soc2.zip');
let home: Awaited<ReturnType<typeof openHome>>;
let verifier: Verifier;

const check = (path: string, key: Verifier | undefined = verifier): Promise<PackageReport> =>
  verifyPackage(path, { verifier: key, version: '1', render: none });
const codesOf = async (path: string, key: Verifier | undefined = verifier): Promise<readonly string[]> => [
  ...new Set((await check(path, key)).findings.filter(({ severity }) => severity === 'error').map(({ code }) => code)),
];
const keyOf = (of: { home: string }): Verifier => parseVerifierKey(readFileSync(join(of.home, 'log.pub'), 'utf8'))!;

/** The same archive with other contents, written as an archive should be. */
async function rewrite(name: string, change: (contents: Map<string, Buffer>) => void): Promise<string> {
  const zip = (await ZipReader.open(file))!;
  const contents = new Map<string, Buffer>();
  for (const entry of zip.entries.keys()) contents.set(entry, (await zip.read(entry))!);
  await zip.close();
  change(contents);
  const writer = await ZipWriter.open();
  for (const [entry, bytes] of contents) await writer.add(entry, bytes);
  await writer.write(join(folder, name));
  await writer.close();
  return join(folder, name);
}

/** As whoever changes a file and mends the manifest. */
function mendManifest(contents: Map<string, Buffer>, name: string): void {
  const manifest = JSON.parse(contents.get('manifest.json')!.toString()) as { files: { name: string; bytes: number; digest: string }[] };
  const bytes = contents.get(name)!;
  Object.assign(
    manifest.files.find((one) => one.name === name)!,
    { bytes: bytes.length, digest: digestBytes(bytes) },
  );
  contents.set('manifest.json', Buffer.from(`${JSON.stringify(manifest)}\n`));
}

beforeAll(async () => {
  const told = [...run('a', '2026-01-10'), ...run('b', '2026-02-10', { version: 2, errors: 1 }), ...run('z', '2026-05-01', { version: 3 })];
  home = await openHome(told, folder);
  verifier = keyOf(home);
  await makePackage(await packageLogOf(home), asked, file, none);
});
afterAll(async () => {
  await home.sink.close();
  rmSync(folder, { recursive: true, force: true });
});

it('is whole with the key, and of unknown signer without', async () => {
  expect(await check(file)).toMatchObject({ findings: [], signatureChecked: true, entry: 25 });
  expect(await verifyPackage(file, { verifier: undefined, version: '1', render: none })).toMatchObject({
    findings: [],
    signatureChecked: false,
  });
});

it('is the same bytes when it is made again, also after the log has grown beyond the period, and the log is told once', async () => {
  const again = join(folder, 'again.zip');
  await tell(home.sink, run('y', '2026-06-01', { version: 4 }));
  await makePackage(await packageLogOf(home), asked, again, none);
  expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
  expect(await readEvents(join(home.home, 'log'), ['report.made'])).toHaveLength(1);
});

it('is found broken by each byte that is flipped, cut or added', async () => {
  const whole = readFileSync(file);
  const flipped = join(folder, 'flipped.zip');
  for (let at = 0; at < whole.length; at += 997) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1 << (at % 8);
    writeFileSync(flipped, bytes);
    expect([at, await codesOf(flipped)]).not.toEqual([at, []]);
  }
  for (const bytes of [whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(0)]), Buffer.concat([Buffer.of(0), whole])]) {
    writeFileSync(flipped, bytes);
    expect(await codesOf(flipped)).toEqual(['PACKAGE_BYTES_DIFFER']);
  }
});

it.each([
  ['report.pdf', '%PDF-1.7 and more', 'a PDF'],
  ['report.html', '<!doctype html>\n<html>', 'a page of HTML'],
  ['report.json', '{"report":"gdpr"}', 'JSON'],
  ['report.csv', 'id,name\r\n', 'no ZIP'],
  ['report.xlsx', `PK\u0003\u0004${'\0'.repeat(26)}[Content_Types].xml`, 'a workbook (XLSX)'],
])('is not what %s is, and that is not told as bytes that were changed', async (name, content, kind) => {
  const other = join(folder, name);
  writeFileSync(other, content);
  await expect(refuseOtherFile(other)).rejects.toMatchObject({ code: 'PACKAGE_OTHER_FILE', where: { file: other, name: kind } });
});

it('is looked into when its first bytes were changed or its last were cut, and a folder is none', async () => {
  const changed = join(folder, 'changed.zip');
  const whole = readFileSync(file);
  for (const bytes of [whole, whole.subarray(0, -9), Buffer.concat([Buffer.of(0), whole])]) {
    writeFileSync(changed, bytes);
    await expect(refuseOtherFile(changed)).resolves.toBeUndefined();
  }
  await expect(refuseOtherFile(folder)).rejects.toMatchObject({ code: 'PACKAGE_OTHER_FILE' });
});

it('names what was changed by who writes archives well', async () => {
  const row = (contents: Map<string, Buffer>): void => {
    const csv = contents.get('populations/runs.csv')!.toString().split('\r\n');
    contents.set('populations/runs.csv', Buffer.from([...csv.slice(0, 1), ...csv.slice(2)].join('\r\n')));
  };
  expect(await codesOf(await rewrite('row.zip', row))).toEqual(['PACKAGE_FILE_CHANGED']);
  expect(
    await codesOf(
      await rewrite('mended.zip', (contents) => {
        row(contents);
        mendManifest(contents, 'populations/runs.csv');
      }),
    ),
  ).toEqual(['PACKAGE_UNPROVED']);
  expect(await codesOf(await rewrite('less.zip', (contents) => void contents.delete('exceptions.csv')))).toEqual(['PACKAGE_FILE_MISSING']);
  expect(await codesOf(await rewrite('more.zip', (contents) => void contents.set('note.txt', Buffer.from('x'))))).toEqual([
    'PACKAGE_FILE_MISSING',
  ]);
});

it('is not believed when it was made anew under another key', async () => {
  const other = await openHome(run('a', '2026-01-10'), folder);
  const path = join(folder, 'other.zip');
  await makePackage(await packageLogOf(other), asked, path, none);
  await other.sink.close();
  expect(await codesOf(path, keyOf(other))).toEqual([]);
  expect(await codesOf(path)).toContain('LOG_CHECKPOINT_UNSIGNED');
});

it('is found out when who has the key leaves an item out and tells the log of that manifest', async () => {
  let manifest = '';
  const changed = await rewrite('unproved.zip', (contents) => {
    const csv = contents.get('exceptions.csv')!.toString().split('\r\n');
    contents.set('exceptions.csv', Buffer.from([...csv.slice(0, 1), ...csv.slice(2)].join('\r\n')));
    mendManifest(contents, 'exceptions.csv');
    manifest = digestBytes(contents.get('manifest.json')!);
  });
  const proof = await (await packageLogOf(home)).tell({ manifest });
  const zip = (await ZipReader.open(changed))!;
  const writer = await ZipWriter.open();
  for (const name of zip.entries.keys()) await writer.add(name, name.endsWith('.tlog-proof') ? proof : (await zip.read(name))!);
  await zip.close();
  const path = join(folder, 'signed.zip');
  await writer.write(path);
  await writer.close();
  expect(await codesOf(path)).toEqual(['PACKAGE_NOT_REPRODUCED']);
});

it('has as many lines in each population as its items, and its exceptions one by one', async () => {
  const zip = (await ZipReader.open(file))!;
  const text = async (name: string): Promise<string> => (await zip.read(name))!.toString();
  for (const name of [...zip.entries.keys()].filter((one) => one.endsWith('.meta.json'))) {
    const { rows } = JSON.parse(await text(name)) as { rows: number };
    expect([name, (await text(name.replace('.meta.json', '.csv'))).split('\r\n').length - 2]).toEqual([name, rows]);
  }
  expect(
    (await text('exceptions.csv'))
      .split('\r\n')
      .slice(1, -1)
      .map((line) => line.split(',').slice(0, 3)),
  ).toEqual([
    ['no-finding', 'runs', 'exception'],
    ['versions-end', 'versions', 'exception'],
    ['versions-end', 'versions', 'exception'],
  ]);
  await zip.close();
});

it('holds the results in OSCAL, of whose files the digests are right and whose exceptions are those of the list', async () => {
  const zip = (await ZipReader.open(file))!;
  const parse = async (name: string): Promise<Record<string, unknown>> => JSON.parse((await zip.read(`oscal/${name}.json`))!.toString()) as Record<string, unknown>; // prettier-ignore
  const { 'assessment-results': results } = (await parse('assessment-results')) as { 'assessment-results': { results: [{ findings: { target: { 'target-id': string; status: { state: string } } }[] }]; 'back-matter': { resources: { rlinks?: { href: string; hashes: { value: string }[] }[] }[] } } }; // prettier-ignore
  const files = results['back-matter'].resources.flatMap(({ rlinks = [] }) => rlinks);
  expect(files.length).toBeGreaterThan(3);
  for (const { href, hashes } of files)
    expect([href, digestBytes((await zip.read(href.replace('../', '')))!)]).toEqual([href, `sha256:${hashes[0]?.value}`]);
  const states = results.results[0].findings.map(({ target }) => [target['target-id'], target.status.state]);
  const controls = (await zip.read('controls.csv'))!.toString().split('\r\n').slice(1, -1);
  expect(states).toHaveLength(controls.length);
  expect(states.filter(([, state]) => state === 'satisfied')).toHaveLength(controls.filter((line) => /,pass,/.test(line)).length);
  const { 'plan-of-action-and-milestones': plan } = (await parse('poam')) as {
    'plan-of-action-and-milestones': { 'poam-items': unknown[] };
  };
  expect(plan['poam-items']).toHaveLength(3);
  await zip.close();
});

it('holds a program that says the same, and of itself that it came with the package', () => {
  const program = packageFile('src', 'control', 'package', 'verify.mjs');
  const look = (...words: string[]): { status: number | null; text: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  const key = join(home.home, 'log.pub');
  expect(look(file, key)).toMatchObject({ status: 0, text: expect.stringContaining('This program came with the package') });
  expect(look(file)).toMatchObject({ status: 5, text: expect.stringContaining('signer not checked') });
  for (const name of ['flipped', 'row', 'mended', 'less', 'more', 'other'])
    expect([name, look(join(folder, `${name}.zip`), key).status]).toEqual([name, 1]);
});

describe('with what others have seen', () => {
  const board = toCosigner('witness.example/board', Buffer.alloc(32, 1));
  const auditor = toCosigner('witness.example/auditor', Buffer.alloc(32, 2));
  const program = packageFile('src', 'control', 'package', 'verify.mjs');
  const look = (...words: string[]): { status: number | null; text: string } => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  let of: Awaited<ReturnType<typeof openHome>>;
  let log: string;
  const seen = join(folder, 'seen.zip');
  const policyOf = (quorum: string): string => {
    const witnesses = [board, auditor].map(({ witness }, i) => `witness ${['board', 'auditor'][i]} ${formatWitnessKey(witness)}\n`);
    const key = readFileSync(join(of.home, 'log.pub'), 'utf8');
    return `log ${key}${witnesses.join('')}group both all board auditor\ngroup either any both\nquorum ${quorum}\n`;
  };
  const checkWith = async (path: string, quorum: string): Promise<PackageReport> => {
    const policy = parseTrustPolicy(policyOf(quorum));
    if (isPolicyProblem(policy)) throw new Error(JSON.stringify(policy));
    return verifyPackage(path, { verifier: undefined, policy, version: '1', render: none });
  };
  const codesWith = async (path: string, quorum: string): Promise<readonly string[]> =>
    (await checkWith(path, quorum)).findings.map(({ code }) => code);
  /** As each of them cosigns the newest checkpoint. */
  async function cosignNewest(...cosigners: readonly Cosigner[]): Promise<void> {
    const note = readFileSync(join(of.home, 'log', log, 'checkpoint'), 'utf8');
    const lines = cosigners.map((one) => cosign(parseNote(note)!.text, one, 1_780_000_000)).join('');
    await writeCosigned(join(of.home, 'log'), log, note + lines);
  }
  async function anchorAt(place: string): Promise<void> {
    const store = openAnchorFolder(`file://${place}`, place);
    const { note, lockedUntil } = await anchorLog(openLogFiles(join(of.home, 'log')), log, keyOf(of), store);
    await keepAnchor(join(of.home, 'log'), log, { place: store.place, at: '2026-05-02T00:00:00.000Z', lockedUntil, note });
  }
  const front = async (path: string): Promise<string> => {
    const zip = (await ZipReader.open(path))!;
    const text = JSON.stringify((JSON.parse((await zip.read('report.json'))!.toString()) as { front: unknown }).front);
    await zip.close();
    return text;
  };

  beforeAll(async () => {
    of = await openHome(run('a', '2026-01-10'), folder);
    log = readdirSync(join(of.home, 'log')).find((name) => /^\d/.test(name))!;
    // What was cut off the package is in what they saw: the proof leads there.
    await tell(of.sink, run('z', '2026-05-01', { version: 2 }));
    await cosignNewest(board);
    mkdirSync(join(folder, 'elsewhere'));
    await anchorAt(join(folder, 'elsewhere'));
    await makePackage(await packageLogOf(of), asked, seen, none, policyOf('board'));
  });
  afterAll(() => of.sink.close());

  it('names on page 1 whose keys have cosigned it and where it was put, and is the same bytes as long as nobody has seen more', async () => {
    expect(await front(seen)).toMatch(/"1 · witness\.example\/board at 2026-/);
    expect(await front(seen)).not.toContain('could have rewritten');
    expect(await front(seen)).toContain(`file://${join(folder, 'elsewhere')}`);
    expect(await codesOf(seen, keyOf(of))).toEqual([]);
    const again = join(folder, 'seen-again.zip');
    await makePackage(await packageLogOf(of), asked, again, none, policyOf('board'));
    expect(readFileSync(again).equals(readFileSync(seen))).toBe(true);
    // Without a policy nobody is counted; the cosignatures are there all the same.
    const silent = join(folder, 'silent.zip');
    await makePackage(await packageLogOf(of), asked, silent, none);
    expect(await front(silent)).toContain('could have rewritten');
    expect(await codesWith(silent, 'board')).toEqual([]);
  });

  it('is whole by a policy alone where the quorum is reached, and broken with a name where it is not', async () => {
    expect(await checkWith(seen, 'board')).toMatchObject({
      ...{ findings: [], signatureChecked: true, cosigned: [{ name: 'witness.example/board' }] },
      anchored: [{ place: `file://${join(folder, 'elsewhere')}`, lockedUntil: null }],
    });
    expect(await codesWith(seen, 'both')).toEqual(['LOG_UNWITNESSED']);
    expect(await codesWith(file, 'board')).toEqual(expect.arrayContaining(['LOG_CHECKPOINT_UNSIGNED', 'LOG_UNWITNESSED']));
    const policies = Object.fromEntries(
      ['board', 'both', 'either', 'none'].map((quorum) => {
        const path = join(folder, `${quorum}.txt`);
        writeFileSync(path, policyOf(quorum));
        return [quorum, look(seen, '--policy', path).status];
      }),
    );
    expect(policies).toEqual({ board: 0, both: 1, either: 1, none: 0 });
    expect(look(seen, '--policy', join(folder, 'both.txt')).text).toContain('that is no quorum');
    expect(look(file, '--policy', join(folder, 'none.txt')).status).toBe(1);
  });

  it('is found out where a cosignature is forged, of another past, or does not cover what was read', async () => {
    const change = async (name: string, edit: (text: string) => string): Promise<readonly string[]> => {
      const zip = (await ZipReader.open(seen))!;
      const contents = new Map<string, Buffer>();
      for (const entry of zip.entries.keys()) contents.set(entry, (await zip.read(entry))!);
      await zip.close();
      const before = contents.get('witnessed.json')!.toString();
      contents.set('witnessed.json', Buffer.from(edit(before)));
      expect(edit(before)).not.toBe(before);
      mendManifest(contents, 'witnessed.json');
      const writer = await ZipWriter.open();
      for (const [entry, bytes] of contents) await writer.add(entry, bytes);
      await writer.write(join(folder, name));
      await writer.close();
      writeFileSync(join(folder, 'board.txt'), policyOf('board'));
      expect([name, look(join(folder, name), '--policy', join(folder, 'board.txt')).status]).toEqual([name, 1]);
      return codesWith(join(folder, name), 'board');
    };
    const flip = (one: string): string => (one === 'A' ? 'B' : 'A');
    const forged = await change('forged.zip', (text) =>
      text.replace(/(witness\.example\/board \S{60})(\S)/, (_, head: string, one: string) => head + flip(one)),
    );
    expect(forged).toEqual(expect.arrayContaining(['PACKAGE_UNPROVED', 'LOG_COSIGNATURE_FORGED', 'LOG_UNWITNESSED']));
    const unlinked = await change('unlinked.zip', (text) =>
      text.replace(/("consistency":\["\S{20})(\S)/, (_, head: string, one: string) => head + flip(one)),
    );
    expect(unlinked).toContain('LOG_FORKED');
    expect(await change('emptied.zip', () => '{"anchors":[],"cosigned":null}\n')).toContain('LOG_UNWITNESSED');
    // A checkpoint of before says nothing of the entries since.
    const short = await openHome(run('a', '2026-01-10'), folder);
    const [kept, path] = [of, join(folder, 'short.zip')];
    of = short;
    await cosignNewest(board);
    await tell(short.sink, run('b', '2026-02-10', { version: 2 }));
    await makePackage(await packageLogOf(short), asked, path, none, policyOf('board'));
    expect(await codesWith(path, 'board')).toEqual(['LOG_UNWITNESSED']);
    writeFileSync(join(folder, 'short.txt'), policyOf('board'));
    expect(look(path, '--policy', join(folder, 'short.txt')).status).toBe(1);
    expect(await front(path)).toContain('could have rewritten');
    of = kept;
    await short.sink.close();
  });
});

const checker = findProgram('aics-tlog');
(checker === undefined ? it.skip : it)('holds a log and cosignatures that a checker of others reads', async () => {
  const zip = (await ZipReader.open(join(folder, 'seen.zip')))!;
  const log = [...zip.entries.keys()].find((name) => name.endsWith('/checkpoint'))!;
  const { cosigned } = JSON.parse((await zip.read('witnessed.json'))!.toString()) as { cosigned: { note: string } };
  const key = /log (\S+)/.exec((await zip.read('policy.txt'))!.toString())![1]!;
  const witness = /witness board (\S+)/.exec((await zip.read('policy.txt'))!.toString())![1]!;
  const notes = { cut: (await zip.read(log))!.toString(), cosigned: cosigned.note };
  await zip.close();
  const verify = (name: keyof typeof notes, ...words: string[]): number | null => {
    writeFileSync(join(folder, `${name}.note`), notes[name]);
    const origin = notes[name].split('\n')[0]!;
    const all = ['verify-checkpoint', '--note', join(folder, `${name}.note`), '--log-key', key, '--origin', origin, ...words];
    return spawnSync(checker!, all).status;
  };
  expect([verify('cut'), verify('cosigned', '--witness-key', witness, '--quorum', '1')]).toEqual([0, 0]);
  expect(verify('cut', '--witness-key', witness, '--quorum', '1')).not.toBe(0);
});

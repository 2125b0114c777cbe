// The erasable folder beside the log: texts by their commitment, people by their random id. One file each; to erase is to delete the file.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { toCommitment } from '../../pipeline/erasable.js';
import { dropUnfinished, syncFolder, writeAll, writeWhole } from './durable.js';
import { withWriteLock } from './write-lock.js';

interface Kept {
  /** Base64. */
  readonly salt: string;
  readonly text: string;
}

/** Stores the text and gives what stands for it in the log. Each time another: equal texts are not told by equal commitments. */
export async function keepText(folder: string, text: string): Promise<string> {
  const salt = randomBytes(32);
  const commitment = toCommitment(salt, text);
  const kept: Kept = { salt: salt.toString('base64'), text };
  const bytes = Buffer.from(`${JSON.stringify(kept)}\n`);
  await alone(folder, () => writeAll(folder, new Map([[toTextPath(folder, commitment), bytes]])));
  return commitment;
}

/** The commitments whose text was changed since: it proves nothing any more. */
export async function findChangedTexts(folder: string): Promise<readonly string[]> {
  const names = await readdir(join(folder, 'texts')).catch(() => []);
  const changed: string[] = [];
  for (const name of names.filter((one) => /^[0-9a-f]{64}$/.test(one))) {
    const kept = parseKept(await readFile(join(folder, 'texts', name), 'utf8'));
    if (!kept || toCommitment(Buffer.from(kept.salt, 'base64'), kept.text) !== `sha256:${name}`) changed.push(name);
  }
  return changed;
}

/** `texts/…` or `people/…`, below the folder: a text by its commitment, a person by the id or by the name. Undefined: there is no such thing. */
export async function findErasable(folder: string, what: string): Promise<string | undefined> {
  const people = await namesIn(join(folder, 'people'));
  if (/^sha256:[0-9a-f]{64}$/.test(what)) {
    const name = what.slice('sha256:'.length);
    return (await namesIn(join(folder, 'texts'))).includes(name) ? `texts/${name}` : undefined;
  }
  if (personId.test(what)) return people.includes(what) ? `people/${what}` : undefined;
  for (const id of people.filter((one) => personId.test(one)))
    if ((await readFile(join(folder, 'people', id), 'utf8').catch(() => '')) === `${what}\n`) return `people/${id}`;
  return undefined;
}

/** Gone, also after the power went. What is not there is gone already. */
export async function erase(folder: string, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await alone(folder, async () => {
    for (const path of paths) await rm(join(folder, path), { force: true });
    for (const kind of new Set(paths.map((path) => dirname(path)))) await syncFolder(join(folder, kind)).catch(unlessMissing);
  });
}

const personId = /^p-[0-9a-f]{16}$/;

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** The random id of a person, made at first sight. It is no function of the name: when the file is erased, the id is nobody's. */
export async function identify(folder: string, name: string): Promise<string> {
  const people = join(folder, 'people');
  return alone(folder, async () => {
    await mkdir(people, { recursive: true, mode: 0o700 });
    for (const id of await readdir(people)) if ((await readFile(join(people, id), 'utf8').catch(() => '')) === `${name}\n`) return id;
    const id = `p-${randomBytes(8).toString('hex')}`;
    await writeWhole(join(people, id), `${name}\n`);
    return id;
  });
}

/** One writer at a time: what a killed one left holds a name or a text, and nobody who erases would find it. */
async function alone<T>(folder: string, work: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return withWriteLock(folder, async () => {
    for (const kind of ['texts', 'people']) dropUnfinished(join(folder, kind), await readdir(join(folder, kind)).catch(() => []));
    return work();
  });
}

const toTextPath = (folder: string, commitment: string): string => join(folder, 'texts', commitment.slice('sha256:'.length));

function parseKept(text: string): Kept | undefined {
  try {
    const { salt, text: words } = JSON.parse(text) as Partial<Kept>;
    return typeof salt === 'string' && typeof words === 'string' ? { salt, text: words } : undefined;
  } catch {
    return undefined;
  }
}

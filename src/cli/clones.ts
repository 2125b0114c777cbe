// `bauta clones`: databases of their own for tests, copied from the published version. A password is shown once, and stands nowhere else.
import { type FileHandle, open } from 'node:fs/promises';

import { openKeys } from '../control/open-keys.js';
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import { type CloneDoors, dropClone, dropDueClones, makeClone } from '../pipeline/clone.js';
import type { KnownSource } from '../pipeline/gate/gate.js';
import type { Clone } from '../pipeline/ports.js';
import { openPolicy } from '../systems/opa/opa.js';
import { toLoginUrl } from '../systems/postgres/postgres.js';
import { type ComposedTarget, composeTarget, openHomeLog, toMaskingHierarchy, toTokenHierarchy } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { type RemoteClone, dropThere, listThere, makeThere } from './clones-remote.js';
import { toTable, writeJson } from './print.js';
import { type Server, findServer } from './server.js';
import { readKnown } from './read-known.js';

export interface ClonesOptions extends GlobalOptions {
  readonly file?: string;
  readonly environment?: string;
  readonly for?: string;
  readonly hours?: number;
  readonly out?: string;
}

const help = 'bauta clones --help';

export async function clones(action: string, options: ClonesOptions): Promise<number> {
  if (!['make', 'list', 'drop'].includes(action)) throw toError('OPTION_INVALID', { name: 'the action', expected: 'make, list or drop' });
  const place = await choose(options);
  if (action === 'list') return tell(await ('file' in place ? listHere(place.file, options) : listThere(...place.there)), options);
  const purpose = options.for;
  if (purpose === undefined) throw toError('OPTION_MISSING', { name: '--for', expected: help });
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/.test(purpose))
    throw toError('OPTION_INVALID', { name: '--for', expected: 'up to 63 letters, digits, dots, dashes, slashes and underscores' });
  const wanted = { for: purpose, hours: options.hours };
  if (action === 'make')
    return handOut(options, () => ('file' in place ? makeHere(place.file, purpose, options) : makeThere(...place.there, wanted)));
  return tell([await ('file' in place ? dropHere(place.file, purpose, options) : dropThere(...place.there, purpose))], options);
}

/** A file here, or an environment of a service. Throws OPTION_MISSING or COMMAND_LINE_INVALID. */
async function choose(options: ClonesOptions): Promise<{ readonly file: string } | { readonly there: readonly [Server, string] }> {
  const { file, environment } = options;
  const server = file === undefined || options.server !== undefined ? await findServer(options) : undefined;
  if (server && file !== undefined) throw toError('COMMAND_LINE_INVALID', { name: 'it names a service and a file', expected: help });
  if (server && environment === undefined) throw toError('OPTION_MISSING', { name: '--environment', expected: help });
  if (server) return { there: [server, environment ?? ''] };
  if (file === undefined) throw toError('OPTION_MISSING', { name: '-f, --file <path>', expected: help });
  return { file };
}

/** What cannot be written is not asked for: it would be lost. */
async function handOut(options: ClonesOptions, make: () => Promise<{ clone: Clone | RemoteClone; url: string }>): Promise<number> {
  const { out } = options;
  const handle = out === undefined ? undefined : await openOut(out);
  try {
    const { clone, url } = await make();
    await handle?.writeFile(`${url}\n`);
    return tell([clone], options, out === undefined ? url : `file:${out}`);
  } finally {
    await handle?.close();
  }
}

/** For its owner alone, also where it was there before. */
async function openOut(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file, 'w', 0o600);
    await handle.chmod(0o600);
    return handle;
  } catch {
    throw toError('OUTPUT_UNWRITABLE', { file });
  }
}

function tell(found: readonly (Clone | RemoteClone)[], options: ClonesOptions, connection?: string): number {
  const rows = found.map((one) => {
    const [of, madeAt] = 'target' in one ? [one.target, one.madeAt] : [one.environment, one.createdAt];
    const state = 'state' in one ? one.state : 'ready';
    return { ...one, of, state, madeAt };
  });
  if (wantsJson(options)) writeJson({ clones: found, findings: [], ...(connection === undefined ? {} : { connection }) });
  else if (connection !== undefined) {
    for (const one of rows) process.stderr.write(`cloned   version ${one.version} of ${one.of} for ${one.for}, until ${one.expiresAt}\n`);
    process.stdout.write(`${connection}\n`);
  } else if (rows.length === 0) process.stdout.write('no clone: bauta clones make makes one\n');
  else {
    const cells = rows.map((one) => [
      one.for,
      one.of,
      one.state,
      String(one.version ?? ''),
      one.database ?? '',
      one.madeAt,
      one.expiresAt ?? '',
    ]);
    process.stdout.write(`${toTable([['FOR', 'OF', 'STATE', 'VERSION', 'DATABASE', 'MADE', 'UNTIL'], ...cells], '')}\n`);
  }
  return 0;
}

async function listHere(file: string, options: GlobalOptions): Promise<readonly Clone[]> {
  const { target } = await composeTarget({ ...options, file });
  try {
    return (await target.clones?.list()) ?? [];
  } finally {
    await target.close();
  }
}

async function makeHere(file: string, purpose: string, options: ClonesOptions): Promise<{ clone: Clone; url: string }> {
  return withDoors({ ...options, file }, async (doors, { request, connection }, knownSources) => {
    const { environment, clones: allowed } = request.pipeline.body.target;
    const hours = options.hours ?? allowed?.hours ?? 0;
    const wanted = { id: newRunId(systemClock.now()), environment, for: purpose, hours, allowed, knownSources };
    const { clone, login } = await makeClone(doors, wanted);
    return { clone, url: toLoginUrl(connection, login) };
  });
}

async function dropHere(file: string, purpose: string, options: ClonesOptions): Promise<Clone> {
  return withDoors({ ...options, file }, async (doors, { request }) => {
    const { environment } = request.pipeline.body.target;
    const due = await dropDueClones(doors, environment);
    const gone = due.find((one) => one.for === purpose);
    if (gone) return gone;
    const clone = (await doors.target.clones?.list())?.find((one) => one.for === purpose);
    if (!clone) throw toError('CLONE_UNKNOWN', { name: purpose });
    await dropClone(doors, clone.id, { environment });
    return clone;
  });
}

/** Everything but the source: no credential of production is needed to clone what was made of it. */
async function withDoors<T>(
  options: GlobalOptions & { readonly file: string },
  work: (doors: CloneDoors, composed: ComposedTarget, knownSources: readonly KnownSource[]) => Promise<T>,
): Promise<T> {
  const composed = await composeTarget(options);
  const home = options.home ?? composed.settings.BAUTA_HOME;
  const closing: { close(): Promise<void> }[] = [composed.target];
  try {
    const policy = await openPolicy();
    closing.push(policy);
    const { sink } = await openHomeLog(home, composed.settings);
    closing.push(sink);
    const opened = await openKeys(home, composed.settings);
    closing.push(opened);
    const hierarchy = toMaskingHierarchy(composed.request.pipeline.body);
    const keys = opened.open(hierarchy);
    const tokenKeys = opened.open(toTokenHierarchy(composed.request.pipeline.body));
    const { knownSources } = await readKnown(sink, { open: opened.open, keys, tokenKeys }, home);
    const doors = { target: composed.target, policy, sink, keys, clock: systemClock };
    return await work(doors, composed, knownSources);
  } finally {
    for (const door of closing.reverse()) await door.close();
  }
}

// `bauta keys`: the versions of each environment's keys, the next one, and the end of old ones.
import { mkdir } from 'node:fs/promises';

import { parseSettings } from '../config/settings.js';
import { type OpenedKeys, openKeys } from '../control/open-keys.js';
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import { homeChangeTypes, keyChangeTypes } from '../pipeline/audit/audit.js';
import { destroyKeys, planDestruction, rotateKeys } from '../pipeline/change-keys.js';
import { readKeys } from '../pipeline/key-view.js';
import type { KeyHierarchy } from '../pipeline/ports.js';
import { FileAuditSink, withWriteLock } from '../systems/files/files.js';
import { userName } from './compose.js';
import { type KeysOptions, tellDestroyed, tellKeys, tellRotated } from './keys-text.js';
import { finishHome } from './read-known.js';
import { findServer } from './server.js';

export async function keys(action: string, options: KeysOptions): Promise<number> {
  if (!['list', 'rotate', 'destroy'].includes(action))
    throw toError('OPTION_INVALID', { name: 'what to do', expected: 'list, rotate or destroy' });
  const server = await findServer(options);
  if (server) return (await import('./keys-remote.js')).keysRemote(server, action, options);
  if (action === 'list') return within(options, (home) => list(home, options));
  if (action === 'rotate') return within(options, (home) => rotate(home, options));
  return within(options, (home) => destroy(home, options));
}

interface Home {
  readonly home: string;
  readonly sink: FileAuditSink;
  readonly opened: OpenedKeys;
}

async function within(options: KeysOptions, work: (home: Home) => Promise<number>): Promise<number> {
  const settings = parseSettings(process.env);
  const home = options.home ?? settings.BAUTA_HOME;
  await mkdir(home, { recursive: true, mode: 0o700 }).catch(() => {
    throw toError('HOME_UNWRITABLE', { file: home });
  });
  const sink = new FileAuditSink({ home, period: settings.BAUTA_LOG_PERIOD });
  const opened = await openKeys(home, settings);
  try {
    return await work({ home, sink, opened });
  } finally {
    await opened.close();
    await sink.close();
  }
}

async function list({ sink, opened }: Home, options: KeysOptions): Promise<number> {
  const { keys: all, findings } = await readKeys({ open: opened.open, sink }, (await opened.list?.()) ?? []);
  return tellKeys(all, findings, options);
}

async function rotate(home: Home, options: KeysOptions): Promise<number> {
  const { reason = 'the next version of the keys' } = options;
  const hierarchy = toHierarchy(options);
  const rotated = await changing(home, (order) => rotateKeys({ ...doorsOf(home, hierarchy) }, { ...order, reason }));
  return tellRotated(rotated, options);
}

async function destroy(home: Home, options: KeysOptions): Promise<number> {
  const { upTo, backups, dryRun = false, reason } = options;
  const hierarchy = toHierarchy(options);
  if (upTo === undefined) throw toError('OPTION_MISSING', { name: '--up-to', expected: 'bauta keys --help' });
  if (!dryRun && (reason === undefined || reason.trim() === ''))
    throw toError('OPTION_MISSING', { name: '--reason', expected: 'bauta keys --help' });
  const doors = doorsOf(home, hierarchy);
  const destroyed = dryRun
    ? await planDestruction(doors, { upTo, backups })
    : await changing(home, (order) => destroyKeys(doors, { ...order, upTo, backups, reason: reason ?? '' }));
  return tellDestroyed(hierarchy, upTo, destroyed, options);
}

const doorsOf = ({ opened, sink }: Home, hierarchy: KeyHierarchy) => ({ keys: opened.open(hierarchy), sink, clock: systemClock });

/** One process at a time; and what one that died had begun is finished first. */
async function changing<T>({ home, sink, opened }: Home, work: (order: { runId: string; actor: string }) => Promise<T>): Promise<T> {
  await finishHome({ home, sink, open: opened.open }, await sink.standing([...homeChangeTypes, ...keyChangeTypes]));
  const order = { runId: newRunId(systemClock.now()), actor: await sink.identify(userName()) };
  return withWriteLock(home, () => work(order));
}

function toHierarchy({ environment, purpose = 'masking' }: KeysOptions): KeyHierarchy {
  if (environment === undefined) throw toError('OPTION_MISSING', { name: '--environment', expected: 'bauta keys --help' });
  return { purpose, workspace: 'default', environment };
}

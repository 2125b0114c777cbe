// `bauta keys`: the versions of each environment's keys, the next one, and the end of old ones.
import { mkdir } from 'node:fs/promises';

import { parseSettings } from '../config/settings.js';
import { type OpenedKeys, openKeys } from '../control/open-keys.js';
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { newRunId } from '../kernel/ids.js';
import { homeChangeTypes, keyChangeTypes } from '../pipeline/audit/audit.js';
import { type Destruction, destroyKeys, planDestruction, rotateKeys } from '../pipeline/change-keys.js';
import { type KeyVersionView, type KeysView, readKeys } from '../pipeline/key-view.js';
import type { KeyHierarchy } from '../pipeline/ports.js';
import { toHierarchyName } from '../pipeline/recorded-keys.js';
import { FileAuditSink, withWriteLock } from '../systems/files/files.js';
import { userName } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toCount, toFindingText, toTable, writeJson } from './print.js';
import { finishHome } from './read-known.js';

export interface KeysOptions extends GlobalOptions {
  readonly environment?: string;
  readonly purpose?: KeyHierarchy['purpose'];
  readonly upTo?: number;
  readonly reason?: string;
  readonly backups?: string;
  readonly dryRun?: boolean;
}

export async function keys(action: string, options: KeysOptions): Promise<number> {
  if (action === 'list') return within(options, (home) => list(home, options));
  if (action === 'rotate') return within(options, (home) => rotate(home, options));
  if (action === 'destroy') return within(options, (home) => destroy(home, options));
  throw toError('OPTION_INVALID', { name: 'what to do', expected: 'list, rotate or destroy' });
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
  const { environment, purpose } = options;
  const shown = all.filter(
    (one) => (environment ?? one.environment) === one.environment && (purpose ?? one.purpose) === one.purpose && one.versions.length > 0,
  );
  if (wantsJson(options)) writeJson({ keys: shown, findings });
  else {
    for (const line of toLines(shown)) process.stdout.write(`${line}\n`);
    for (const finding of findings) process.stderr.write(`${toFindingText(finding)}\n`);
  }
  return findings.length > 0 ? 1 : 0;
}

export function toLines(all: readonly KeysView[]): readonly string[] {
  if (all.length === 0) return ['no keys yet: the first run makes them'];
  const header = ['KEYS OF', 'VERSION', 'STATE', 'MADE', 'EXPIRES', 'CHECK', 'COPIES'];
  const rows = all.flatMap((one) => one.versions.map((version) => [toHierarchyName(one), ...toCells(version)]));
  return toTable([header, ...rows], '').split('\n');
}

function toCells({ version, state, madeAt, expiresAt, destroyedAt, check, usedBy }: KeyVersionView): readonly string[] {
  const day = (at: string | null): string => at?.slice(0, 10) ?? '';
  const copies = usedBy.map(({ pipeline, target, datasets }) => `${pipeline} in ${target} (${datasets})`).join(', ');
  return [
    ...[String(version), state === 'destroyed' && destroyedAt !== null ? `destroyed ${day(destroyedAt)}` : state],
    ...[day(madeAt), day(expiresAt), check?.slice(0, 8) ?? '', stripControls(copies)],
  ];
}

async function rotate(home: Home, options: KeysOptions): Promise<number> {
  const { reason = 'the next version of the keys' } = options;
  const hierarchy = toHierarchy(options);
  const rotated = await changing(home, (order) => rotateKeys({ ...doorsOf(home, hierarchy) }, { ...order, reason }));
  if (wantsJson(options)) writeJson({ rotated, findings: [] });
  else {
    const before = rotated.from === null ? '' : `; version ${rotated.from} is kept for what keeps its pseudonyms, until bauta keys destroy`;
    process.stdout.write(
      `${paint('rotated', 32, process.stdout)}: ${toHierarchyName(hierarchy)} is at version ${rotated.version}${before}\n`,
    );
  }
  return 0;
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
  if (wantsJson(options)) writeJson({ dryRun, destroyed: destroyed ?? null, findings: [] });
  else if (!destroyed) process.stdout.write(`${toHierarchyName(hierarchy)}: everything up to version ${upTo} was destroyed before\n`);
  else for (const line of toDestroyedLines(destroyed, dryRun)) process.stdout.write(`${line}\n`);
  return 0;
}

export function toDestroyedLines(destruction: Destruction, dryRun: boolean): readonly string[] {
  const { versions, madeWith, cannotReach } = destruction;
  const word = dryRun ? 'would destroy' : paint('destroyed', 32, process.stdout);
  const numbers = versions.map(({ version }) => version).join(', ');
  return [
    `${word}: ${toHierarchyName(destruction)}, ${toCount(versions.length, 'version')} (${numbers})`,
    '  for ever     nobody can compute their pseudonyms again, nor reverse tokens that were made with them',
    ...madeWith.map(({ pipeline, environment, target, datasets, version }) =>
      stripControls(
        `  stays        ${pipeline} in ${target}, environment ${environment}: ${toCount(datasets.length, 'dataset')} of version ${version}, personal data still`,
      ),
    ),
    ...cannotReach.map(({ what, state, comment }) =>
      stripControls(`  not reached  ${what}: ${state}${comment === undefined ? '' : ` (“${comment}”)`}`),
    ),
  ];
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

// What `bauta keys` says, wherever it was done.
import type { Finding } from '../kernel/errors.js';
import type { Destruction, Rotated } from '../pipeline/change-keys.js';
import type { KeyVersionView, KeysView } from '../pipeline/key-view.js';
import type { KeyHierarchy } from '../pipeline/ports.js';
import { toHierarchyName } from '../pipeline/recorded-keys.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toCount, toFindingText, toTable, writeJson } from './print.js';

export interface KeysOptions extends GlobalOptions {
  readonly environment?: string;
  readonly purpose?: KeyHierarchy['purpose'];
  readonly upTo?: number;
  readonly reason?: string;
  readonly backups?: string;
  readonly dryRun?: boolean;
}

export function tellKeys(all: readonly KeysView[], findings: readonly Finding[], options: KeysOptions): number {
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

function toLines(all: readonly KeysView[]): readonly string[] {
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

export function tellRotated(rotated: Rotated, options: KeysOptions): number {
  if (wantsJson(options)) writeJson({ rotated, findings: [] });
  else {
    const before = rotated.from === null ? '' : `; version ${rotated.from} is kept for what keeps its pseudonyms, until bauta keys destroy`;
    process.stdout.write(
      `${paint('rotated', 32, process.stdout)}: ${toHierarchyName(rotated)} is at version ${rotated.version}${before}\n`,
    );
  }
  return 0;
}

export function tellDestroyed(hierarchy: KeyHierarchy, upTo: number, destroyed: Destruction | undefined, options: KeysOptions): number {
  const { dryRun = false } = options;
  if (wantsJson(options)) writeJson({ dryRun, destroyed: destroyed ?? null, findings: [] });
  else if (!destroyed) process.stdout.write(`${toHierarchyName(hierarchy)}: everything up to version ${upTo} was destroyed before\n`);
  else for (const line of toDestroyedLines(destroyed, dryRun)) process.stdout.write(`${line}\n`);
  return 0;
}

const ends: Readonly<Record<KeyHierarchy['purpose'], string>> = {
  masking: 'nobody can compute their pseudonyms again, nor test guesses against them',
  token: 'nobody can reverse tokens that were made with them',
  transport: 'nobody can open archives that were sealed with them, but who has another key of theirs or opened them before',
};

function toDestroyedLines(destruction: Destruction, dryRun: boolean): readonly string[] {
  const { versions, madeWith, cannotReach } = destruction;
  const word = dryRun ? 'would destroy' : paint('destroyed', 32, process.stdout);
  const numbers = versions.map(({ version }) => version).join(', ');
  return [
    `${word}: ${toHierarchyName(destruction)}, ${toCount(versions.length, 'version')} (${numbers})`,
    `  for ever     ${ends[destruction.purpose]}`,
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

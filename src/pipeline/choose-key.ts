// Which version of its keys a run uses: the newest, or the one that a document keeps until a day; and what speaks against it.
import { type Finding, toFinding } from '../kernel/errors.js';
import type { KeysDefinition } from './definition.js';
import type { KeyProvider } from './ports.js';
import { type KeyRecord, type RecordedKeys, toKeyCheck } from './recorded-keys.js';

export interface ChosenKey {
  readonly key: KeyRecord;
  readonly findings: readonly Finding[];
}

/** Throws KEY_VERSION_MISSING or KEY_VERSION_DESTROYED where the version cannot be had. */
export async function chooseKey(
  keys: KeyProvider,
  previous: KeysDefinition['previous'],
  recorded: RecordedKeys,
  nowMs: number,
): Promise<ChosenKey> {
  const newest = await keys.currentVersion();
  const kept = previous !== undefined && isInForce(previous, nowMs);
  const version = kept ? previous.version : newest;
  const key: KeyRecord = { ...keys.hierarchy, version, check: await toKeyCheck(keys, version) };
  const lasting = previous && toPreviousFinding(previous, kept, newest);
  return { key, findings: [...checkKey(key, newest, recorded), ...(lasting ? [lasting] : [])] };
}

/** Up to and including its day, in UTC. */
export function isInForce({ until }: NonNullable<KeysDefinition['previous']>, nowMs: number): boolean {
  return new Date(nowMs).toISOString().slice(0, 10) <= until;
}

/** A day is near before anybody thinks of it, and what is over is taken out of the document. */
function toPreviousFinding(
  { version, until }: NonNullable<KeysDefinition['previous']>,
  kept: boolean,
  newest: number,
): Finding | undefined {
  if (kept && version === newest) return undefined;
  const where = { amount: String(version), expected: until, name: `version ${newest}` };
  return toFinding(kept ? 'KEY_PREVIOUS_USED' : 'KEY_PREVIOUS_OVER', where, 'warning');
}

/** Keys that are not what they were would give the same person another pseudonym, and nobody would notice. */
export function checkKey({ version, check }: KeyRecord, newest: number, { checks, destroyedUpTo }: RecordedKeys): readonly Finding[] {
  const [known, last] = [checks.get(version), Math.max(0, ...checks.keys())];
  const amount = String(version);
  return [
    ...(known === undefined || known === check ? [] : [toFinding('KEY_CHANGED', { amount })]),
    // The provider has it again: from a backup of before.
    ...(version <= destroyedUpTo ? [toFinding('KEY_CAME_BACK', { amount })] : []),
    ...(newest < last ? [toFinding('KEY_NEWEST_LOST', { amount: String(last), name: `version ${newest}` })] : []),
  ];
}

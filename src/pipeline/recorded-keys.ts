// What the log tells of keys: which version of which hierarchy was used, by what to know it again, and which were destroyed.
import type { Event } from './event.js';
import type { KeyHierarchy, KeyProvider } from './ports.js';

/** A version of a hierarchy and its check value: `key.recorded`. */
export interface KeyRecord extends KeyHierarchy {
  readonly version: number;
  readonly check: string;
}

/** Of one hierarchy. */
export interface RecordedKeys {
  /** Check values by version. */
  readonly checks: ReadonlyMap<number, string>;
  /** This version and every one before it were destroyed, or somebody began to; 0: none. */
  readonly destroyedUpTo: number;
}

export const noRecordedKeys: RecordedKeys = { checks: new Map(), destroyedUpTo: 0 };

/** Of events of `key.recorded` and of key changes; the first record of a version counts. */
export function toRecordedKeys(events: readonly Event[], hierarchy: KeyHierarchy): RecordedKeys {
  const checks = new Map<number, string>();
  let destroyedUpTo = 0;
  for (const { type, data } of events) {
    if (!isOfHierarchy(data, hierarchy)) continue;
    const [version, check] = [Number(data['version']), data['check']];
    if (type === 'key.recorded' && typeof check === 'string' && !checks.has(version)) checks.set(version, check);
    if (type.startsWith('key.destroyed.')) destroyedUpTo = Math.max(destroyedUpTo, Number(data['upTo']));
  }
  return { checks, destroyedUpTo };
}

/** A PRF of a constant: it tells two keys apart and says nothing else about either. */
export async function toKeyCheck(keys: Pick<KeyProvider, 'derive'>, version: number): Promise<string> {
  const check = await keys.derive('bauta/1\0key check', version);
  return Buffer.from(check).subarray(0, 16).toString('hex');
}

/** For people: what a hierarchy is called in messages. */
export function toHierarchyName({ purpose, workspace, environment }: KeyHierarchy): string {
  return `${purpose}/${workspace}/${environment}`;
}

const isOfHierarchy = (data: Event['data'], { purpose, workspace, environment }: KeyHierarchy): boolean =>
  data['purpose'] === purpose && data['workspace'] === workspace && data['environment'] === environment;

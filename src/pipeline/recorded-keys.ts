// What the log tells of keys: which version of which hierarchy was used, and by what to know it again.
import type { Event } from './event.js';
import type { KeyHierarchy, KeyProvider } from './ports.js';

/** A version of a hierarchy and its check value: `key.recorded`. */
export interface KeyRecord extends KeyHierarchy {
  readonly version: number;
  readonly check: string;
}

/** Check values by version, of one hierarchy. */
export type RecordedKeys = ReadonlyMap<number, string>;

/** Of the versions of this hierarchy; the first record of a version counts. */
export function toRecordedKeys(events: readonly Event[], hierarchy: KeyHierarchy): RecordedKeys {
  const recorded = new Map<number, string>();
  for (const { type, data } of events) {
    if (type !== 'key.recorded' || !isOf(data, hierarchy)) continue;
    const [version, check] = [Number(data['version']), data['check'] as string];
    if (!recorded.has(version)) recorded.set(version, check);
  }
  return recorded;
}

/** A PRF of a constant: it tells two keys apart and says nothing else about either. */
export async function toKeyCheck(keys: Pick<KeyProvider, 'derive'>, version: number): Promise<string> {
  const check = await keys.derive('bauta/1\0key check', version);
  return Buffer.from(check).subarray(0, 16).toString('hex');
}

const isOf = (data: Event['data'], { purpose, workspace, environment }: KeyHierarchy): boolean =>
  data['purpose'] === purpose && data['workspace'] === workspace && data['environment'] === environment;

// What differs between two versions of a document, by JSON pointer: one line for each member that was added, removed or changed.
import type { Json } from '../kernel/canonical-json.js';
import { toCanonicalJson } from '../kernel/canonical-json.js';
import { toPointer } from '../kernel/json-pointer.js';

export interface Difference {
  readonly path: string;
  /** Absent: it was not there. */
  readonly before?: Json;
  /** Absent: it is not there any more. */
  readonly after?: Json;
}

export function toDiff(before: Json | undefined, after: Json | undefined, path = ''): readonly Difference[] {
  if (before === undefined && after === undefined) return [];
  if (isMembers(before) && isMembers(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return names.flatMap((name) => toDiff(memberOf(before, name), memberOf(after, name), path + toPointer(name)));
  }
  if (before !== undefined && after !== undefined && toCanonicalJson(before) === toCanonicalJson(after)) return [];
  return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
}

type Members = Readonly<Record<string, Json | undefined>>;

const isMembers = (value: Json | undefined): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

const memberOf = (members: Members, name: string): Json | undefined => (Object.hasOwn(members, name) ? members[name] : undefined);

// Names of what Bauta makes on a target server. A name alone proves nothing: the comment does (own-comment.ts).
import { createHash } from 'node:crypto';

import type { RolesDefinition } from '../../../pipeline/definition.js';

const ownPattern = /^(.+)_bauta_([0-9a-hjkmnp-tv-z]{16})(_template|_clone)?$/su;

/** Name of a database of ours and of the role made for its run: 30 bytes of the target's name at most, `_bauta_`, the run's id. */
export function toStagingName(target: string, runId: string): string {
  return `${cutBytes(target, 30)}_bauta_${runId}`;
}

/** Of the database from which clones of that run's version are copied. */
export function toTemplateName(target: string, runId: string): string {
  return `${toStagingName(target, runId)}_template`;
}

/** Of a clone, and of its role. */
export function toCloneName(target: string, id: string): string {
  return `${toStagingName(target, id)}_clone`;
}

/** The run id in the name of a version; undefined for any other name. */
export function findRunId(name: string): string | undefined {
  const own = findOwnName(name);
  return own?.form === 'version' ? own.id : undefined;
}

/** What a name of one of the forms above stands for; undefined for any other name. Who owns a database can give it no such name. */
export function findOwnName(name: string): { readonly form: 'version' | 'template' | 'clone'; readonly id: string } | undefined {
  const [, prefix, id, suffix] = ownPattern.exec(name) ?? [];
  if (prefix === undefined || id === undefined || Buffer.byteLength(prefix) > 30) return undefined;
  return { form: suffix === '_template' ? 'template' : suffix === '_clone' ? 'clone' : 'version', id };
}

export interface EnvironmentRoles {
  readonly owner: string;
  readonly readWrite: string;
  readonly readOnly: string;
  /** Further ones, which roles of the source are mapped to. */
  readonly mapped: readonly string[];
}

/** The environment's roles: `<target>_owner`, `<target>_rw`, `<target>_ro`, if the pipeline does not name others. */
export function toEnvironmentRoles(target: string, written: RolesDefinition = {}): EnvironmentRoles {
  const {
    owner = `${cutBytes(target, 57)}_owner`,
    readWrite = `${cutBytes(target, 60)}_rw`,
    readOnly = `${cutBytes(target, 60)}_ro`,
    map = {},
  } = written;
  const mapped = [...new Set(Object.values(map))].filter((name) => ![owner, readWrite, readOnly].includes(name)).sort();
  return { owner, readWrite, readOnly, mapped };
}

/** `clones`: of a target, while one more is counted. A clone that is being made or dropped has the lock of a run of its id. */
export type LockKind = 'run' | 'target' | 'clones';

/** The key of an advisory lock, as a bigint's text: the same for everybody who works on that run or target. */
export function toLockKey(kind: LockKind, name: string): string {
  return createHash('sha256').update(`bauta ${kind} ${name}`).digest().readBigInt64BE(0).toString();
}

/** The longest beginning that fits the bytes and splits no character, as the server cuts names. */
export function cutBytes(text: string, bytes: number): string {
  let cut = '';
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > bytes) break;
    cut += character;
  }
  return cut;
}

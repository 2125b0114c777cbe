// Free text and names of files do not stand in the log, which nobody can take anything out of: an entry holds a salted digest of them, and the
// text lies in a folder beside the log where it can be erased. A text that is shown can be proved; an erased one leaves the log whole.
import { createHash } from 'node:crypto';

import type { Json } from '../kernel/canonical-json.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { messages } from '../kernel/messages.js';

/** `sha256:<hex>` of the salt's bytes and the text's. The salt is 32 random bytes: without it nobody can try out guesses. */
export function toCommitment(salt: Uint8Array, text: string): string {
  return `sha256:${createHash('sha256').update(salt).update(text, 'utf8').digest('hex')}`;
}

/** Members that people or their machines wrote, wherever they stand in an event. */
const written: ReadonlySet<string> = new Set(['file', 'reason', 'comment', 'branch']);

/** What stands in the log of an event's data. `keep` stores a text and gives its commitment. */
export async function toLogged(data: Json, keep: (text: string) => Promise<string>): Promise<Json> {
  if (isList(data)) return Promise.all(data.map((one) => toLogged(one, keep)));
  if (!isObject(data)) return data;
  const logged: Record<string, Json> = {};
  for (const [name, value] of Object.entries(isMade(data) ? { ...data, message: undefined, hint: undefined } : data)) {
    if (value === undefined) continue;
    logged[name] = written.has(name) && typeof value === 'string' ? { committed: await keep(value) } : await toLogged(value, keep);
  }
  return logged;
}

/** The data again, as far as its texts are still there. */
export function fromLogged(data: Json, textOf: (commitment: string) => string | undefined): Json {
  if (isList(data)) return data.map((one) => fromLogged(one, textOf));
  if (!isObject(data)) return data;
  const { committed } = data;
  if (typeof committed === 'string' && Object.keys(data).length === 1) return textOf(committed) ?? '[erased]';
  const read = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, fromLogged(value ?? null, textOf)]));
  if (!isOurs(read) || read['message'] !== undefined) return read;
  const { code, where } = read as unknown as Finding;
  const { message, hint } = toFinding(code, where);
  return { ...read, message, hint };
}

/** A finding whose words follow from its code and its place: they are left out, because a file's name may be among them. */
function isMade(data: Readonly<Record<string, Json | undefined>>): boolean {
  if (!isOurs(data)) return false;
  const { code, where, message, hint } = data as unknown as Finding;
  const made = toFinding(code, where);
  return made.message === message && made.hint === hint;
}

const isOurs = ({ code, where = null }: Readonly<Record<string, Json | undefined>>): boolean =>
  typeof code === 'string' && Object.hasOwn(messages, code) && isObject(where);

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

const isObject = (value: Json): value is { readonly [name: string]: Json | undefined } =>
  typeof value === 'object' && value !== null && !isList(value);

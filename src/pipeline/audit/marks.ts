// Marks that entries put on one version of a target, on the target, or on a connection: the newest of a subject stands until one takes it off.
import { digestJson } from '../../kernel/digest.js';
import type { Event } from '../event.js';

/** By its server, target and run; an erasure by its id; what was rotated, by the connection. */
const marks: Readonly<Record<string, { readonly mark: string; readonly ends: boolean }>> = {
  'hold.placed': { mark: 'hold', ends: false },
  'hold.lifted': { mark: 'hold', ends: true },
  'dataset.revoked': { mark: 'revoked', ends: false },
  // Of a target and not of a version: the highest number that was ever dropped there.
  'version.retired': { mark: 'retired', ends: false },
  'erasure.requested': { mark: 'erasure', ends: false },
  'erasure.completed': { mark: 'erasure', ends: true },
  'secret.rotated': { mark: 'rotated', ends: false },
};

export const markTypes: readonly string[] = Object.keys(marks);

/** Undefined: the entry is no mark. `ends`: it takes one off. */
export function toMarked({ type, data }: Pick<Event, 'type' | 'data'>): { readonly subject: string; readonly ends: boolean } | undefined {
  const found = marks[type];
  if (!found) return undefined;
  const { server = null, target = null, run = null, connection = null, erasure = null } = data;
  if (found.mark === 'rotated') return { subject: `${found.mark} ${digestJson({ connection })}`, ends: found.ends };
  if (found.mark === 'erasure') return { subject: `${found.mark} ${digestJson({ server, target, erasure })}`, ends: found.ends };
  return { subject: `${found.mark} ${digestJson({ server, target, run })}`, ends: found.ends };
}

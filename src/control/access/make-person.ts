// A person of the workspace, and the entry that tells of him: by a random id and a commitment to the name, which goes with him when he is erased.
import { toTimestamp } from '../../kernel/clock.js';
import type { Transaction } from '../../systems/metadata/metadata.js';

/** Gives the id. Without `actor` it is his own doing: the first administrator comes by a token that was shown once. */
export async function makePerson(
  transaction: Transaction,
  name: string,
  { ownerId, actor, nowMs }: { readonly ownerId?: string | undefined; readonly actor?: string; readonly nowMs: number },
): Promise<string> {
  const { id: person, nameCommitment } = await transaction.people.insert(name, ownerId);
  const data = { person, nameCommitment, ...(ownerId === undefined ? {} : { owner: ownerId }) };
  await transaction.audit({ type: 'person.made', at: toTimestamp(nowMs), actor: actor ?? person, data });
  return person;
}

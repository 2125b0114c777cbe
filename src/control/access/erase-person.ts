// A person of the workspace is erased: what stands in the way, all of it at once, and the entries before and after. The random id stays.
import { randomUUID } from 'node:crypto';

import { toTimestamp } from '../../kernel/clock.js';
import { type Finding, toError, toFinding } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import type { Event } from '../../pipeline/event.js';
import type { IssuerDefinition } from '../../pipeline/definition.js';
import type { Erased, PersonView, Transaction } from '../../systems/metadata/metadata.js';

const PAGE = 200;

export interface ErasureOrder {
  /** What else the person is called: full name, e-mail address. */
  readonly names: readonly string[];
  readonly reason: string;
  readonly actor: string;
  readonly nowMs: number;
}

export const isErasedName = (name: string): boolean => name.startsWith('erased-person-');

/** Throws PERSON_ERASED. */
export function requireThere({ id, erasedAt }: PersonView): void {
  if (erasedAt !== null) throw toError('PERSON_ERASED', { name: id });
}

/** With the key of the intent's entry. Undefined: it was done before. Throws PERSON_NOT_ERASABLE with every finding. */
export async function erasePerson(
  transaction: Transaction,
  person: PersonView,
  { names, reason, actor, nowMs }: ErasureOrder,
): Promise<{ readonly key: string; readonly erased: Erased } | undefined> {
  const { people, log } = transaction;
  if (person.erasedAt !== null && names.length === 0) return undefined;
  const findings = await findInTheWay(transaction, person);
  if (findings.length > 0) throw toError('PERSON_NOT_ERASABLE', { name: person.id }, findings);
  const [runId, key] = [newRunId(nowMs), randomUUID()];
  const tell = (type: string, data: Event['data'], at: string = randomUUID()): Promise<void> =>
    transaction.append({ runId, stage: 'audit', type: `person.erased.${type}`, at: toTimestamp(nowMs), data }, at);
  const committed = await log.keepText(without(reason, [person.name, ...names]));
  await tell('intended', { of: person.id, actor, reason: { committed } }, key);
  const erased = await people.erase(person.id, names);
  if (!erased) throw toError('PERSON_NOT_ERASABLE', { name: person.id });
  // A plan repeats reasons that people wrote; who wants it asks for it again.
  await transaction.errands.forget();
  const { stillIn, ...counts } = erased;
  await tell('done', { of: person.id, ...counts, stillIn: stillIn.length });
  return { key, erased };
}

/** Why a person was erased need not say who it was. The database looks again, and takes the whole text where it still does. */
function without(text: string, words: readonly string[]): string {
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  return text.replace(new RegExp(`(?<![\\p{L}\\p{N}])(${escaped.join('|')})(?![\\p{L}\\p{N}])`, 'giu'), '[erased]');
}

async function findInTheWay(transaction: Transaction, { id, name, roles, owner }: PersonView): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  if (roles.includes('administrator')) findings.push(toFinding('PERSON_ADMINISTERS', {}));
  const open = await transaction.approvals.openOf(id);
  if (open.length > 0) findings.push(toFinding('PERSON_AWAITED', { name: open.join(', ') }));
  const owned = owner === null ? await transaction.people.ownedBy(id) : [];
  if (owned.length > 0) findings.push(toFinding('PERSON_ANSWERS', { name: owned.join(', ') }));
  for (const issuer of await findTrusting(transaction, name)) findings.push(toFinding('PERSON_TRUSTED', { name: `Issuer ${issuer}` }));
  return findings;
}

/** Issuers whose latest version names him. */
async function findTrusting({ documents }: Transaction, person: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await documents.list('Issuer', PAGE, after);
    for (const { name, document } of page)
      if ((document as IssuerDefinition).trusts.some((trust) => trust.person === person)) found.push(name);
    after = page.length === PAGE ? page.at(-1)?.name : undefined;
  }
  return found;
}

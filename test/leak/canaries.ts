// Made-up values that stand nowhere else, one for each column, JSON path, key, element, default and comment of the small shop: whoever finds one
// of them outside the source has found a leak.
import type { SmallShop } from '../support/small-shop.js';
import { Needles } from './needles.js';

/** Begins and ends like nothing else; eleven letters, so that no pseudonym is one by chance. */
const token = (name: string): string => `qzx${name}jvwk`;

export const canaries = {
  email: `${token('mail')}@${token('host')}.example`,
  firstName: token('first'),
  lastName: token('last'),
  born: '1911-07-23',
  phone: '+49 30 7310 4485 2296',
  profileMail: `${token('second')}@example.org`,
  nickname: token('nick'),
  note: `${token('note')} and more`,
  uniqueEmail: `${token('unique')}@example.com`,
} as const;

/** Values that no run may finish with: planted by one test each. */
export const refused = { born: `${token('born')}-02-31`, key: token('key'), keyValue: token('value') } as const;

/** What must be found nowhere: the telling part of each. */
export const needles = new Needles(
  Object.fromEntries(
    [
      ...['mail', 'host', 'first', 'last', 'second', 'nick', 'note', 'unique', 'born', 'key', 'value'].map(token),
      canaries.phone,
      canaries.born,
    ].map((needle) => [needle, needle]),
  ),
);

export async function plantCanaries(shop: SmallShop): Promise<void> {
  await shop.source.sql(
    'production',
    `UPDATE shop.customer SET email = '${canaries.email}', first_name = '${canaries.firstName}', last_name = '${canaries.lastName}',
       born = '${canaries.born}', phone = '${canaries.phone}', profile = jsonb_build_object('lang', 'de', 'mail', '${canaries.profileMail}'),
       nicknames = ARRAY['${canaries.nickname}', 'x'] WHERE id = 1234;
     UPDATE shop.customer SET email = '${canaries.uniqueEmail}' WHERE id = 1235;
     UPDATE shop."order" SET note = '${canaries.note}' WHERE id = 4321;
     ANALYZE`,
  );
}

/** The needles that stand in a text or in bytes. */
export const findNeedles = (place: string | Uint8Array): readonly string[] => needles.find(place);

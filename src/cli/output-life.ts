// The forms of what is said of a version's life: expire, drift, hold, revoke, erase and breach.
import { reaches } from '../pipeline/definition.js';
import { dropReasons } from '../pipeline/drop.js';
import { definedKinds } from '../pipeline/definition-digest.js';
import { rawKinds } from '../pipeline/raw-value.js';
import { tracedBy } from '../pipeline/trace-person.js';
import { type Schema, count, flag, list, object, oneOf, orNull, text } from './schema-words.js';

const beyond: Schema = {
  type: 'object',
  anyOf: [
    object({ says: oneOf('evidenced'), what: text('what the server says') }),
    object({ says: oneOf('declared'), days: count('that it stays there'), reason: text('of the document'), until: text('RFC 3339') }),
    object({ says: oneOf('unknown') }),
  ],
};
const dropStep = { kind: oneOf('database', 'schema', 'role'), name: text('of it'), statement: text('that drops it') };
export const attestation = object({
  lookedAt: text('RFC 3339: when it was looked for, in a session of its own'),
  address: text('of the server'),
  dropped: list(object({ ...dropStep, seen: oneOf('gone', 'still there'), sessions: count('connected to it') }), 'what was dropped'),
  kept: list(
    object({ kind: dropStep.kind, name: text('of it'), why: text('it stays') }),
    'roles that others need, and clones of what was pruned',
  ),
  beyond: object(Object.fromEntries(reaches.map((reach) => [reach, beyond]))),
  server: object({
    ...{ connected: count('standbys'), slots: count('for standbys'), archiveMode: text('as the server has it') },
    replayed: orNull(count('standbys that have replayed the drop; null: not ours to see')),
  }),
});

/** `findings` and `error`: as every answer has them. */
export function toLifeSchemas({
  findings,
  error,
}: Readonly<Record<'findings' | 'error', Schema>>): Readonly<Record<'expire' | 'drift' | 'hold' | 'revoke' | 'erase' | 'breach', Schema>> {
  const expiredVersion = object({
    ...{ target: text('database'), version: { type: 'integer', minimum: 1 }, run: text('that made it') },
    ...{ state: oneOf('current', 'previous'), why: oneOf(...dropReasons), expiresAt: orNull(text('by its marker')) },
    steps: list(object(dropStep), 'in order'),
    attestation: orNull(attestation),
  });
  const expire = object({ versions: list(expiredVersion, 'with its attestation, once it is dropped'), findings }, { error });
  const hold = object(
    { version: orNull(count('of the dataset')), until: orNull(text('RFC 3339; null: it is held no more')), findings },
    { approval: object({ id: text('of the approval that a lift at a service waits for'), expiresAt: text('RFC 3339') }), error },
  );
  const revoke = object({ version: orNull(count('of the dataset')), findings }, { error });
  const driftedTable = object({
    ...{ schema: text('name'), table: text('name') },
    state: oneOf('rows differ', 'content differs', 'columns differ', 'missing', 'unknown', 'unreadable'),
    ...{ rows: orNull(count('there now')), published: orNull(count('that were published')) },
    raw: list(object({ column: text('name'), kind: oneOf(...rawKinds), values: count('that can be no fake of ours') }), 'by column'),
  });
  const changed = object({ kind: oneOf(...definedKinds), name: text('of it'), state: oneOf('changed', 'missing', 'added') });
  const definitions = orNull(list(changed, 'what differs beside rows; null: it was published without a record of it'));
  const drift = object(
    {
      ...{ state: oneOf('as published', 'drifted', 'unknown'), database: text('name'), version: orNull(count('of the dataset')) },
      ...{
        run: orNull(text('that made it')),
        tables: list(driftedTable, 'that differ'),
        definitions,
        why: orNull(text('why nobody knows')),
      },
      findings,
    },
    { error },
  );
  const leftVersion = object({
    ...{ version: count('of the dataset'), state: oneOf('current', 'previous'), why: oneOf('current', 'held') },
    until: orNull(text('RFC 3339: of the hold')),
  });
  const traced = object({
    ...{ version: count('of the dataset'), run: text('that made it'), of: oneOf('current', 'previous', 'clone') },
    for: orNull(text('what a clone was made for')),
    columns: orNull(
      list(
        object({
          ...{ table: text('name'), column: text('name'), rows: count('with a pseudonym of the person') },
          by: {
            enum: tracedBy,
            description: 'foreign-key and value: rows of the person; unknown: the same key, and no foreign key says whose',
          },
        }),
        'null: nobody knows',
      ),
    ),
    why: orNull(text('nobody knows, as a code')),
  });
  const erase = object(
    {
      target: orNull(text('database')),
      erasures: list(object({ id: text('as which the log knows it'), requestedAt: text('RFC 3339') }), 'that were open'),
      dropped: list(object({ version: count('of the dataset'), run: text('that made it'), attestation }), 'versions'),
      clones: list(text('what it was made for'), 'that were dropped'),
      left: list(leftVersion, 'versions that may still hold the person'),
      completed: flag('nothing is left on the target'),
      ...{ beyond: orNull(object(Object.fromEntries(reaches.map((reach) => [reach, beyond])))), findings },
    },
    {
      erasure: text('of a service: the id of this request'),
      traced: orNull(list(traced, 'of a service: where the person stood before anything was dropped; null: nobody was looked for')),
      why: orNull(text('nobody could look, as a code')),
      shredded: orNull(count('kept tokens of the person that stand for nothing any more')),
      run: orNull(text('that replaces the current version')),
      others: list(text('pipeline'), 'that read the same source, and are asked for by themselves'),
      error,
    },
  );
  const breach = object(
    {
      ...{ at: text('RFC 3339: when it was recorded, from which the 72 hours run'), environment: text('name'), findings },
      ...{ detectedAt: text('RFC 3339, as that person says'), incident: orNull(text('id')), endsAt: text('RFC 3339: 72 hours later') },
    },
    { error },
  );
  return { expire, drift, hold, revoke, erase, breach };
}

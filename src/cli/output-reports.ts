// The forms of `bauta reports` (the list, and the files that were fetched) and of `bauta report reconcile`.
import { type Schema, count, list, object, oneOf, orNull, text } from './schema-words.js';

const storedFile = object({ name: text('of it'), bytes: count('of it'), sha256: text('hexadecimal') });
const daily = object({
  ...{ day: text('the last of the period'), from: text('RFC 3339'), to: text('RFC 3339'), zone: text('IANA') },
  ...{ state: oneOf('due', 'failed', 'made'), code: orNull(text('why the last attempt failed')), madeAt: orNull(text('RFC 3339')) },
  files: list(storedFile, 'as they are kept'),
});

/** `findings` and `error`: as every answer has them. */
export const toReportsSchema = ({ findings, error }: Readonly<Record<'findings' | 'error', Schema>>): Schema => ({
  type: 'object',
  anyOf: [
    object({ reports: list(daily, 'newest first'), findings }, { error }),
    object({ day: text('whose files were fetched'), files: list(text('a path'), 'that were written'), findings }),
  ],
});

const apart = object({
  id: text('as the log has it'),
  missing: oneOf('row', 'entry'),
  at: text('RFC 3339: when what is there came'),
});
const held = object({
  ...{
    table: text('of the metadata database'),
    told: count('ids that the log tells of'),
    rows: count('of these ids, or that it has to tell of'),
  },
  apart: list(apart, 'what one side has and the other has not'),
  changed: list(
    object({ id: text('as the log has it'), columns: list(text('of the table'), 'in which something else stands than the log tells') }),
    'rows that both have',
  ),
});

export const toReconciledSchema = ({ findings, error }: Readonly<Record<'findings' | 'error', Schema>>): Schema => ({
  type: 'object',
  anyOf: [
    object({
      state: oneOf('whole', 'broken', 'signer-unknown'),
      populations: list(
        object({
          ...{ population: text('its name'), items: count('rows of its CSV, were it of all that the log has') },
          held: list(held, 'empty: the log alone has it'),
        }),
        'empty: the log is broken',
      ),
      notHeld: list(
        object({ tables: list(text('of the metadata database'), 'that the log does not tell of row by row'), why: text('for people') }),
        'what nothing above is about; empty: the log is broken',
      ),
      findings,
    }),
    object({ findings, error }),
  ],
});

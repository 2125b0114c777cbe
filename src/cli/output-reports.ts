// The forms of `bauta reports`: the list, and the files that were fetched.
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

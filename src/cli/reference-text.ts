// What an option refers to: env:NAME or file:PATH. The text itself is never a word of the command line, which others can read.
import { readFile } from 'node:fs/promises';

import { InputError, toError } from '../kernel/errors.js';

/** Throws OPTION_INVALID for anything else, POLICY_REFERENCE_MISSING where there is nothing. */
export async function readReferenceText(option: string, reference: string): Promise<string> {
  if (!/^(env|file):./.test(reference)) throw new InputError('OPTION_INVALID', { name: option, expected: 'env:NAME or file:PATH' });
  const text = reference.startsWith('env:')
    ? process.env[reference.slice(4)]
    : await readFile(reference.slice(5), 'utf8').catch(() => undefined);
  if (text === undefined || text.trim() === '') throw toError('POLICY_REFERENCE_MISSING', { name: option });
  return text;
}

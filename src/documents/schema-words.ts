// The words in which the forms of documents are written. `description` says what is expected and stands in the message when a value does not fit.
import type { Json } from '../kernel/canonical-json.js';

export type Schema = { readonly [keyword: string]: Json };

export const text = (description: string, more: Schema = {}): Schema => ({
  type: 'string',
  minLength: 1,
  maxLength: 2000,
  description,
  ...more,
});
export const list = (items: Schema, description: string): Schema => ({ type: 'array', items, description });
export const record = (values: Schema, description: string): Schema => ({ type: 'object', additionalProperties: values, description });
export const oneOf = (...words: readonly string[]): Schema => ({ type: 'string', enum: words, description: `one of ${words.join(', ')}` });

export function members(
  required: Readonly<Record<string, Schema>>,
  optional: Readonly<Record<string, Schema>> = {},
  description = 'members',
): Schema {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
    description,
  };
}

/** A text as the short form beside the full one. `if` keeps the problems of the form that was meant, where `anyOf` would report both. */
export function either(short: Schema, full: Schema): Schema {
  const kinds = full['type'] as Json;
  return {
    type: ['string', ...(Array.isArray(kinds) ? (kinds as readonly string[]) : [kinds as string])],
    description: `${short['description'] as string}, or ${full['description'] as string}`,
    if: { type: 'string' },
    then: short,
    else: full,
  };
}

export const date = text('a day as YYYY-MM-DD', { pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' });
export const reason = text('a sentence that says why', { minLength: 8 });
export const reasoned = either(reason, members({ reason }, { expires: date }, 'reason and expires'));
const vaultWord = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}';
const awsName = '(arn:aws[a-z-]{0,20}:secretsmanager:[a-z0-9-]{1,30}:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@!-]{1,512}';
const references = `env:[A-Za-z_][A-Za-z0-9_]*|file:[^\\0]+|vault:(${vaultWord}/){1,9}${vaultWord}(#${vaultWord})?|aws:${awsName}(#${vaultWord})?`;
export const reference = text('env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD', { pattern: `^(${references})$` });
export const connection = text('env:NAME, file:PATH, vault:PATH#FIELD, aws:NAME#FIELD, or the name of a Connection', {
  pattern: `^(${references}|[A-Za-z0-9][A-Za-z0-9._-]{0,99})$`,
});
export const region = text('a region such as eu-west-1', { pattern: '^[A-Za-z0-9-]{2,40}$' });
export const documentName = text('a name of letters, digits, dot, dash and underscore', { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' });
export const head = (kind: string): Readonly<Record<string, Schema>> => ({ kind: { const: kind, description: kind }, name: documentName });
export const imports: Readonly<Record<string, Schema>> = {
  import: either(text('a path below the folder of the first document'), list(text('a path'), 'a list of paths')),
};
export const tag = text('a tag such as pii.email, or none', { pattern: '^[a-z]+([.-][a-z]+)*$' });

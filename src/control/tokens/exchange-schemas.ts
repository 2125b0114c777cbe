// What is said on the wire when tokens are exchanged: one text or many, and why.
import type { Schema } from '../../documents/documents.js';
import { environmentPattern } from '../http/http.js';

const word = (pattern: string, description: string): Schema => ({ type: 'string', pattern, description });

const text: Schema = { type: 'string', minLength: 1, maxLength: 2000, pattern: '^[^\\u0000]*$', description: 'a text' };
const texts: Schema = { type: 'array', items: text, description: 'at most 10,000; all of them or none' };
const subject: Schema = { type: ['string', 'null'], maxLength: 200, pattern: '^[^\\u0000]*$', description: 'whom the value is about' };

const why: Readonly<Record<string, Schema>> = {
  environment: word(`^${environmentPattern}$`, 'the environment whose tokens they are'),
  domain: word('^[^\\u0000]{1,200}$', 'a domain that the Environment document names'),
  purpose: word('^[a-z][a-z-]{1,39}$', 'one of the purposes of the domain'),
  reason: {
    type: 'string',
    minLength: 1,
    maxLength: 1000,
    pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$',
    description: 'why, in a sentence; the log holds a commitment to it',
  },
};

const keyVersion: Schema = {
  type: 'integer',
  minimum: 1,
  maximum: 999_999_999,
  description: 'the version of the token key; only where tokens are not kept',
};

function body(required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>>): Schema {
  return {
    type: 'object',
    additionalProperties: false,
    required: [...Object.keys(why), ...Object.keys(required)],
    properties: { ...why, ...required, ...optional },
    description: [...Object.keys(why), ...Object.keys(required), ...Object.keys(optional)].join(', '),
  };
}

function answer(properties: Readonly<Record<string, Schema>>): Schema {
  const version = { type: ['integer', 'null'], description: 'null: each token knows its own' };
  return { type: 'object', required: [...Object.keys(properties), 'keyVersion'], properties: { ...properties, keyVersion: version } };
}

export const tokenBody = body({ value: text }, { subject, keyVersion });
export const tokensBody = body({ values: texts }, { subjects: { type: 'array', items: subject, description: 'one a value' }, keyVersion });
export const valueBody = body({ token: text }, { keyVersion });
export const valuesBody = body({ tokens: texts }, { keyVersion });
export const tokenAnswer = answer({ token: text });
export const tokensAnswer = answer({ tokens: texts });
export const valueAnswer = answer({ value: text });
export const valuesAnswer = answer({ values: texts });

const { environment = {}, reason = {} } = why;
export const shredBody: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['environment', 'subject', 'reason'],
  properties: {
    environment,
    subject: { ...text, maxLength: 200, description: 'whom values are about, as it was said when they were exchanged' },
    reason,
  },
  description: 'environment, subject and reason',
};
export const shredAnswer: Schema = {
  type: 'object',
  required: ['shredded'],
  properties: { shredded: { type: 'integer', description: 'how many tokens stand for nothing now' } },
};

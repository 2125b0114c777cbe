// json.match_schema and json.verify_schema by ajv (draft 7 and earlier), with the words and types of findings that OPA uses for the usual keywords. Patterns
// run on the engine of regex.*.
import { Ajv, type ErrorObject } from 'ajv';

import { fromPlain, RegoObject, toPlain, type Value } from '../value.js';
import { parseNotation } from '../notation.js';
import type { Family } from './builtin.js';
import { attempt, BuiltinError, isArray } from './operand.js';
import { compilePattern } from './regex.js';

const known = ['array', 'boolean', 'integer', 'number', 'null', 'object', 'string'];

function compile(schema: unknown): (document: unknown) => readonly ErrorObject[] {
  const toTester = (pattern: string): { test: (text: string) => boolean } => {
    const regex = compilePattern(pattern);
    return { test: (text) => regex.matcher(text).find() };
  };
  const ajv = new Ajv({
    ...{ allErrors: true, strict: false, validateFormats: false, verbose: true, logger: false },
    code: { regExp: Object.assign(toTester, { code: 'toTester' }) },
  });
  const bare = withoutForeignDraft(schema);
  const validate = attempt(() => ajv.compile(bare as object));
  return (document) => (attempt(() => validate(document)) === true ? [] : (validate.errors ?? []));
}

/** Drafts are told by their URL, of which ajv knows one; no schema is fetched. */
function withoutForeignDraft(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema'));
}

/** JSON text or a value; anything else is no document. */
function documentOf(value: Value | undefined): unknown {
  if (typeof value === 'string') return toPlain(attempt(() => parseNotation(value, true)));
  if (value instanceof RegoObject || isArray(value)) return toPlain(value);
  throw new BuiltinError();
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}

type Told = readonly [type: string, description: string, field?: string];

/** By ajv's keyword; what is not listed keeps ajv's own words. */
const told: Readonly<Record<string, (error: ErrorObject) => Told>> = {
  type: ({ schema, data }) => ['invalid_type', `Invalid type. Expected: ${[schema].flat().join('/')}, given: ${typeName(data)}`],
  required: ({ params }) => ['required', `${String(params['missingProperty'])} is required`],
  additionalProperties: ({ params }) => [
    'additional_property_not_allowed',
    `Additional property ${String(params['additionalProperty'])} is not allowed`,
  ],
  enum: ({ schema }) => ['enum', `must be one of the following: ${(schema as unknown[]).map((item) => JSON.stringify(item)).join(', ')}`],
  const: ({ schema }) => ['const', `does not match: ${JSON.stringify(schema)}`],
  minLength: ({ schema }) => ['string_gte', `String length must be greater than or equal to ${String(schema)}`],
  maxLength: ({ schema }) => ['string_lte', `String length must be less than or equal to ${String(schema)}`],
  pattern: ({ schema }) => ['pattern', `Does not match pattern '${String(schema)}'`],
  minimum: ({ schema }) => ['number_gte', `Must be greater than or equal to ${String(schema)}`],
  maximum: ({ schema }) => ['number_lte', `Must be less than or equal to ${String(schema)}`],
  minItems: ({ schema }) => ['array_min_items', `Array must have at least ${String(schema)} items`],
  maxItems: ({ schema }) => ['array_max_items', `Array must have at most ${String(schema)} items`],
  anyOf: () => ['number_any_of', 'Must validate at least one schema (anyOf)'],
  oneOf: () => ['number_one_of', 'Must validate one and only one schema (oneOf)'],
  not: () => ['number_not', 'Must not validate the schema (not)'],
};

function toFinding(error: ErrorObject): Value {
  const [type, desc] = told[error.keyword]?.(error) ?? [error.keyword, error.message ?? ''];
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const field = path.length === 0 ? '(root)' : path.join('.');
  return fromPlain({ error: `${field}: ${desc}`, type, field, desc });
}

function verify(value: Value | undefined): Value {
  let document: unknown;
  try {
    document = documentOf(value);
  } catch {
    return [false, `jsonschema: ${typeof value === 'string' ? 'invalid JSON string' : 'wrong type, expected string or object'}`];
  }
  const type = (document as { type?: unknown } | null)?.type;
  const odd = [type].flat().find((name) => typeof name === 'string' && !known.includes(name));
  if (odd !== undefined) {
    const list = 'array boolean integer number null object string';
    return [false, `jsonschema: has a primitive type that is NOT VALID -- given: /${odd as string}/ Expected valid values are:[${list}]`];
  }
  try {
    compile(document);
    return [true, null];
  } catch {
    return [false, 'jsonschema: the schema is not valid'];
  }
}

export const jsonSchemaBuiltins: Family = {
  'json.match_schema': ([document, schema]) => {
    const given = documentOf(document);
    const errors = compile(documentOf(schema))(given);
    return [errors.length === 0, errors.map(toFinding)];
  },
  'json.verify_schema': ([schema]) => verify(schema),
};

// graphql.parse_query and graphql.parse_schema. The functions that validate (is_valid, parse, parse_and_verify, schema_is_valid) are not provided: the rules of
// validation are many, and one that is left out would be an allow.
import { fromPlain } from '../value.js';
import type { Family } from './builtin.js';
import { parseQuery } from './graphql-query.js';
import { parseSchema } from './graphql-schema.js';
import { textOf } from './operand.js';

export const graphqlBuiltins: Family = {
  'graphql.parse_query': ([text]) => fromPlain(parseQuery(textOf(text))),
  'graphql.parse_schema': ([text]) => fromPlain(parseSchema(textOf(text))),
};

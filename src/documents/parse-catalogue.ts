// A catalogue from a file that `bauta classify --catalogue` wrote. A stranger may have edited it, so that its form is checked.
import type { Json } from '../kernel/canonical-json.js';
import type { Catalogue } from '../pipeline/catalogue.js';
import type { Schema } from './schemas.js';
import { fitsSchema } from './validate.js';

const text: Schema = { type: 'string', maxLength: 1000 };
const nullable: Schema = { type: ['string', 'null'] };
const flag: Schema = { type: 'boolean' };
const listOf = (items: Schema): Schema => ({ type: 'array', items });

function members(properties: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return { type: 'object', properties: { ...properties, ...optional }, required: Object.keys(properties) };
}

const kinds = ['base', 'enum', 'domain', 'composite', 'range', 'multirange', 'array'];
/** Types nest; what nests deeper than this is no schema of anybody. */
function toTypeSchema(depth: number): Schema {
  const below = depth === 0 ? {} : toTypeSchema(depth - 1);
  return members(
    { display: text, kind: { type: 'string', enum: kinds }, base: text, deterministicCollation: flag },
    depth === 0 ? {} : { element: below, attributes: listOf(members({ name: text, type: below })) },
  );
}

const column = members({
  ...{ attnum: { type: 'integer' }, name: text, type: toTypeSchema(4), notNull: flag, comment: nullable },
  ...{ identity: { enum: ['', 'a', 'd'] }, generated: { enum: ['', 's', 'v'] }, labels: listOf(members({ provider: text, label: text })) },
});
const tableName = { schema: text, name: text };
const constraint = members(
  { name: text, kind: { enum: ['p', 'u', 'f', 'c', 'x', 'n'] }, columns: listOf(text) },
  { references: members({ ...tableName, columns: listOf(text) }) },
);
const catalogue = members({
  tables: listOf(
    members({
      ...tableName,
      ...{ kind: { enum: ['r', 'p'] }, columns: listOf(column), constraints: listOf(constraint), parents: listOf(members(tableName)) },
      indexes: { type: 'array' },
    }),
  ),
  objects: { type: 'array' },
});

/** Undefined for anything that is not such a file; the parser's own words, which quote the text, are dropped. */
export function parseCatalogue(written: string): Catalogue | undefined {
  try {
    const value = JSON.parse(written) as Json;
    return fitsSchema(catalogue, value) ? (value as unknown as Catalogue) : undefined;
  } catch {
    return undefined;
  }
}

// The form of a pipeline's checks: each kind has members of its own.
import { type Schema, documentName, either, list, members, oneOf, text } from './schema-words.js';

const column = text('a column', { maxLength: 200 });
const oneColumn = either(column, { ...list(column, 'one column'), minItems: 1, maxItems: 1 });
const someColumns = either(column, { ...list(column, 'a list of columns'), minItems: 1, maxItems: 32, uniqueItems: true });
const table = text('a table, as schema.table', { maxLength: 300 });
const where = text('an SQL condition over the columns of the table');
const limit: Schema = { type: ['number', 'string'], minLength: 1, maxLength: 64, description: 'a number, or a day or instant as a text' };
const value: Schema = { type: ['string', 'number', 'boolean'], maxLength: 1000, description: 'a text, a number, true or false' };
const rows: Schema = { type: 'integer', minimum: 0, maximum: 1e15, description: 'a count of rows' };
const percent: Schema = { type: 'number', minimum: 0, maximum: 100, description: 'a number from 0 to 100' };
const change: Schema = { type: 'number', minimum: 0, maximum: 1e6, description: 'percent of the rows of the version before' };
const age = text('an age such as 90m, 24h or 7d', { pattern: '^[1-9][0-9]{0,5}[smhd]$' });
/** Of several members, which are all optional, one at least: the problem names the first and lists all. */
const atLeastOne = (...names: readonly string[]): Schema => ({
  if: { not: { anyOf: names.map((name) => ({ required: [name] })) } },
  then: { required: names.slice(0, 1), properties: { [names[0] ?? '']: { description: `one or more of ${names.join(', ')}` } } },
});

interface Form {
  readonly required: Readonly<Record<string, Schema>>;
  readonly optional?: Readonly<Record<string, Schema>>;
  readonly oneOf?: readonly string[];
}

const ofTable = { where };
const groups: Schema = { type: 'integer', minimum: 2, maximum: 1e6, description: 'a whole number from 2 on' };
const distance: Schema = { type: 'number', minimum: 0, maximum: 1, description: 'a distance from 0 to 1' };
/** Without columns: those that still say something about a person. */
const ofGroups = { ...ofTable, columns: someColumns, maxPercent: percent };

const forms: Readonly<Record<string, Form>> = {
  notNull: { required: { table, columns: someColumns }, optional: ofTable },
  unique: { required: { table, columns: someColumns }, optional: ofTable },
  acceptedValues: {
    required: { table, columns: oneColumn, values: { ...list(value, 'a list of values'), minItems: 1, maxItems: 1000 } },
    optional: ofTable,
  },
  range: { required: { table, columns: oneColumn }, optional: { ...ofTable, min: limit, max: limit }, oneOf: ['min', 'max'] },
  relation: {
    required: { table, columns: someColumns, to: members({ table, columns: someColumns }, {}, 'table and columns') },
    optional: ofTable,
  },
  freshness: { required: { table, columns: oneColumn, maxAge: age }, optional: ofTable },
  rowCount: {
    required: { table },
    optional: { ...ofTable, min: rows, max: rows, maxChangePercent: change },
    oneOf: ['min', 'max', 'maxChangePercent'],
  },
  nullRate: {
    required: { table, columns: oneColumn },
    optional: { ...ofTable, maxPercent: percent, maxChangePoints: percent },
    oneOf: ['maxPercent', 'maxChangePoints'],
  },
  kAnonymity: { required: { table, min: groups }, optional: ofGroups },
  lDiversity: { required: { table, sensitive: column, min: groups }, optional: ofGroups },
  tCloseness: { required: { table, sensitive: column, max: distance }, optional: ofGroups },
  sql: { required: { sql: text('a SELECT that gives one count, which has to be 0', { maxLength: 10_000 }) } },
};

const words = Object.keys(forms);
const kind = oneOf(...words);

/** One form after the other, so that a problem is told of the kind that was meant alone. */
export const check: Schema = {
  type: 'object',
  description: `a check: name, kind (${words.join(', ')}), severity, table, columns and what its kind takes`,
  ...words.reduceRight<Schema>(
    (otherwise, word) => ({ if: { properties: { kind: { const: word } }, required: ['kind'] }, then: toForm(word), else: otherwise }),
    { properties: { kind }, required: ['kind'] },
  ),
};

function toForm(word: string): Schema {
  const { required = {}, optional = {}, oneOf: some } = forms[word] ?? {};
  const head = { name: documentName, kind: { const: word, description: word } as Schema };
  const form = members({ ...head, ...required }, { severity: oneOf('warn', 'withhold'), ...optional }, `a check of kind ${word}`);
  return some ? { ...form, ...atLeastOne(...some) } : form;
}

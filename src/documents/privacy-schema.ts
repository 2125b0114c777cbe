// The form of what was measured of a copy's privacy: in what commands write, in what the service answers, and in the log. Counts, shares and names; no value.
import type { Schema } from './schema-words.js';

const text = (description: string): Schema => ({ type: 'string', description });
const count = (description: string): Schema => ({ type: 'integer', minimum: 0, description });
const number = (description: string): Schema => ({ type: 'number', minimum: 0, description });
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const list = (items: Schema, description: string): Schema => ({ type: 'array', items, description });
const sampled = { sampled: { const: true, description: 'of a part of the rows: the risk is overstated and never understated' } };

function object(required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return { type: 'object', properties: { ...required, ...optional }, required: Object.keys(required), additionalProperties: false };
}

const columns = list(text('name'), 'columns');
const classes = object(
  {
    columns,
    rows: count('rows that were grouped'),
    k: count('rows of the smallest group'),
    unique: count('rows that are alone in these columns'),
    below: count('rows in groups of fewer than minK, or than 5 where no limit says so'),
  },
  sampled,
);
const links = object(
  {
    columns,
    rows: count('rows of the copy that were tried'),
    linked: count('those that one row of the source alone agrees with, their own'),
    wrong: count('those that one row alone agrees with which is not theirs'),
    population: count('rows of the source that they were held against'),
  },
  sampled,
);
const guesses = object(
  {
    column: text('name'),
    rows: count('rows that were tried'),
    guessed: count('whose original has the same rank by frequency as their pseudonym: expected, where ranks are shared'),
    chance: count('whose original is the most frequent value of the source'),
    beyondChance: number('share of rows guessed beyond chance, with a confidence of 99 %; 0: so few rows cannot tell'),
  },
  sampled,
);
const measures = ['linked', 'linkedByAll', 'guessed', 'unique', 'k', 'below', 'l', 't', 'followed', 'dictionary'] as const;
const measureList = (description: string): Schema => list({ enum: [...measures] }, description);

const table = object({
  ...{ schema: text('name'), table: text('name'), rows: count('in the copy') },
  quasi: orNull(classes),
  found: list(classes, 'the most identifying column, pair and triple of all that tell something'),
  sensitive: list(
    object({
      column: text('name'),
      l: orNull(number('distinct values of the worst group')),
      t: orNull(number('distance of the worst group')),
    }),
    'sensitive attributes within the groups of quasi-identifiers',
  ),
  ...{ linked: orNull(links), linkedByAll: orNull(links) },
  guessed: list(guesses, 'frequency attacks'),
  followed: orNull(
    object(
      {
        tables: list(text('schema.table'), 'whose rows lead to a person'),
        persons: count('persons'),
        uniqueByCounts: count('alone by the number of their rows in each table'),
        unique: count('alone by everything that is kept of them in these tables'),
      },
      sampled,
    ),
  ),
  unmeasured: list(
    object(
      {
        measure: { enum: ['classes', 'found', 'sensitive', 'linked', 'guessed', 'followed', 'dictionary'] },
        why: text('in words or as a code'),
      },
      { column: text('name') },
    ),
    'what is not known',
  ),
});

export const privacySchema: Schema = object({
  worst: object({
    linked: orNull(number('share of rows linked to their original by personal columns')),
    linkedByAll: orNull(number('share of rows linked to their original by all columns that came through')),
    guessed: orNull(number('share of rows guessed by frequency beyond chance, with a confidence of 99 %')),
    unique: orNull(number('share of rows alone in their quasi-identifiers')),
    k: orNull(number('rows of the smallest group')),
    below: orNull(number('share of rows in groups smaller than k')),
    l: orNull(number('distinct sensitive values of the worst group')),
    t: orNull(number('distance of the worst group')),
    followed: orNull(number('share of persons alone over all tables')),
    dictionary: orNull(number('values that are digests of originals without a key')),
  }),
  limits: {
    type: 'object',
    description: 'those in force',
    properties: { severity: { enum: ['warn', 'withhold'] } },
    required: ['severity'],
    additionalProperties: { type: 'number' },
  },
  beyond: measureList('beyond their limit'),
  unknown: measureList('with a limit, and not measured somewhere: not known there'),
  unmeasured: measureList('not measured somewhere, with a limit or without'),
  tables: list(table, 'tables that speak of persons, worst first, 50 at most'),
  tablesMeasured: count('how many there are'),
  dictionary: orNull(
    object({
      columns: count('with values that look like digests'),
      values: count('such values'),
      tried: count('digests without a key that they were held against'),
      hits: list(object({ schema: text('name'), table: text('name'), column: text('name'), values: count('hits') }), 'where'),
    }),
  ),
  mostRows: count('of a larger table so many rows were looked at'),
});

// The form of what a check counted: in what commands write, and in what the service answers.
import { checkKinds } from '../pipeline/check.js';
import type { Schema } from './schema-words.js';

const text = (description: string): Schema => ({ type: 'string', description });
const count = (description: string): Schema => ({ type: 'number', minimum: 0, description });
const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

function object(required: Readonly<Record<string, Schema>>, optional: Readonly<Record<string, Schema>> = {}): Schema {
  return { type: 'object', properties: { ...required, ...optional }, required: Object.keys(required), additionalProperties: false };
}

const earlier: Schema = {
  type: 'object',
  description: 'what it was compared with',
  anyOf: [
    object({ version: { type: 'integer', minimum: 1 }, counted: count('there') }, { rows: count('there') }),
    object({ none: text('why there is nothing to compare with') }),
  ],
};

export const checkResultSchema: Schema = object(
  {
    ...{ name: text('of the check'), kind: { enum: [...checkKinds] }, severity: { enum: ['warn', 'withhold'] } },
    outcome: { enum: ['pass', 'fail', 'not-run'] },
    ...{ schema: orNull(text('name')), table: orNull(text('name')) },
    columns: { type: 'array', items: text('name'), description: 'columns' },
    counted: orNull(
      count(
        'rows that break it; freshness: rows new enough; rowCount: all; nullRate: those with NULL; sql: its count; kAnonymity, lDiversity, tCloseness: rows in groups that break it',
      ),
    ),
    rows: orNull(count('of how many rows, where that is asked')),
    expected: text('in words and counts'),
    of: text('digest of what was counted'),
  },
  {
    earlier,
    figure: count('of kAnonymity, lDiversity and tCloseness: k, l or t of the worst group'),
    sqlState: text('why it could not be made, as the server says'),
    why: text('why it could not be made, where no server said so'),
  },
);

// How a schedule's state and its due instants look over REST.
import type { Schema } from '../../documents/documents.js';
import type { ScheduleRow, Transaction } from '../../systems/metadata/metadata.js';
import { nameSchema } from '../http/http.js';

const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const lastRun: Schema = {
  type: ['object', 'null'],
  required: ['id', 'state', 'dueAt'],
  properties: { id: { type: 'string' }, state: { type: 'string' }, dueAt: instant },
};
const state: Readonly<Record<string, Schema>> = {
  name: nameSchema,
  version: { type: 'integer' },
  paused: { type: 'boolean' },
  nextDueAt: { ...instant, description: 'null: paused, or never again. In the past: a run of the pipeline has to end first' },
  lastRun,
};

export const stateSchema: Schema = { type: 'object', required: Object.keys(state), properties: state };

const head: Readonly<Record<string, Schema>> = {
  ...{
    kind: { type: 'string' },
    digest: { type: 'string' },
    author: { type: 'string' },
    appliedAt: { type: 'string', format: 'date-time' },
  },
  ...state,
};

export const listSchema: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: {
    items: { type: 'array', items: { type: 'object', required: Object.keys(head), properties: head } },
    next: { type: ['string', 'null'] },
  },
};

export const dueSchema: Schema = {
  type: 'object',
  required: ['items'],
  properties: {
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['dueAt', 'local'],
        properties: {
          dueAt: { type: 'string', format: 'date-time' },
          local: { type: 'string', description: 'as a clock of the zone shows it, with its offset' },
          change: { type: 'string', enum: ['moved', 'first of two'], description: 'what a change of the clocks did to it' },
        },
      },
    },
  },
};

const count: Schema = { type: 'integer', minimum: 1, maximum: 999, default: 10, description: 'how many, from 1 to 999' };

export const previewSchema: Readonly<Record<string, Schema>> = { count };

export const wantedSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['cron'],
  description: 'cron, timeZone, startDate, from and count',
  properties: {
    cron: { type: 'string', maxLength: 200, description: 'a cron expression' },
    timeZone: { type: 'string', maxLength: 64, description: 'a time zone such as Europe/Berlin' },
    startDate: { type: 'string', maxLength: 10, description: 'a day as YYYY-MM-DD' },
    from: {
      type: 'string',
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,3})?)?(Z|[+-]\\d\\d:\\d\\d)$',
      description: 'an instant as RFC 3339; default: now',
    },
    count,
  },
};

export interface ScheduleState {
  readonly name: string;
  readonly [member: string]: unknown;
}

export async function toState(transaction: Transaction, row: ScheduleRow): Promise<ScheduleState> {
  return (await toStates(transaction, [row]))[0]!;
}

/** One query, however many there are. */
export async function toStates(transaction: Transaction, rows: readonly ScheduleRow[]): Promise<readonly ScheduleState[]> {
  const runs = await transaction.runs.among(rows.flatMap(({ lastRunId }) => lastRunId ?? []));
  return rows.map(({ name, version, pausedAt, nextDueAt, lastRunId }) => {
    const run = runs.find(({ id }) => id === lastRunId);
    return {
      ...{ name, version, paused: pausedAt !== null, nextDueAt: nextDueAt?.toISOString() ?? null },
      lastRun: run ? { id: run.id, state: run.state, dueAt: run.dueAt?.toISOString() ?? null } : null,
    };
  });
}

// One look at a database for classification: its catalogue, and if wanted a sample of its rows, in one read-only transaction.
import type pg from 'pg';

import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { SourceScope } from '../../../pipeline/ports.js';
import { type ConnectionTarget, connect } from '../connection.js';
import { readCatalogueWithoutMarker } from '../leave-marker-out.js';
import { toServerError } from '../server-error.js';
import { type Sampled, type SampleOptions, readSamples } from './sample.js';

export type SurveyOptions = Omit<SampleOptions, 'connection'>;

export interface Survey extends Sampled {
  readonly catalogue: Catalogue;
}

const LOCK_TIMEOUT_MS = 5_000;

/** Without `options` no row is read. What cannot be copied is the plan's business and not told here. Throws only when the server cannot be asked. */
export async function survey(connection: ConnectionTarget, scope: SourceScope, options?: SurveyOptions): Promise<Survey> {
  const client = await connect(connection, {
    stage: 'classify',
    settings: {
      lock_timeout: String(LOCK_TIMEOUT_MS),
      statement_timeout: String(options?.statementMs ?? 60_000),
      default_transaction_read_only: 'on',
      max_parallel_workers_per_gather: '0',
      jit: 'off',
    },
  });
  try {
    await begin(client, connection.name);
    const { catalogue } = await readCatalogueWithoutMarker(client, scope, connection.name, 'any');
    const sampled = options ? await readSamples(client, catalogue, { ...options, connection: connection.name }) : nothing;
    await client.query('ROLLBACK');
    return { catalogue, ...sampled };
  } catch (cause) {
    throw toServerError(cause, { connection: connection.name, stage: 'classify' });
  } finally {
    await client.end().catch(() => undefined);
  }
}

const nothing: Sampled = { samples: [], inventories: [], findings: [] };

async function begin(client: pg.Client, connection: string): Promise<void> {
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  } catch (cause) {
    throw toServerError(cause, { connection, stage: 'classify' });
  }
}

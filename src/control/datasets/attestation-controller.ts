// /v1/datasets/RUN/attestation: what the log says of the end of a version, with the texts that are still there.
import { Controller, Inject, Param, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { toError } from '../../kernel/errors.js';
import { type DatasetRow, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { type Request, Route, callerOf, environmentsOf } from '../http/http.js';

const text: Schema = { type: 'string' };
const properties: Readonly<Record<string, Schema>> = {
  ...{ run: text, pipeline: text, environment: text, target: text, version: { type: 'integer' } },
  droppedAt: { ...text, format: 'date-time' },
  entry: { type: ['string', 'null'], description: 'the id under which the log has it; null: it was gone when a worker came to drop it' },
  attestation: {
    type: ['object', 'null'],
    description: 'what was dropped by which statement, what was seen afterwards, and what nobody can reach, as in the log',
  },
};
const answer: Schema = { type: 'object', required: Object.keys(properties), properties };
const types = ['dataset.dropped.done', 'dataset.dropped.completed'];

/** One of an environment that the caller may not look at is not there. Throws RESOURCE_UNKNOWN. */
export async function findDataset(transaction: Transaction, request: Request, run: string): Promise<DatasetRow> {
  const found = /^[0-9a-z]{16}$/.test(run) ? await transaction.datasets.find(run) : undefined;
  const environments = environmentsOf(callerOf(request).roles, 'datasets:read');
  if (!found?.publishedAt || (environments !== 'all' && !environments.includes(found.environment)))
    throw toError('RESOURCE_UNKNOWN', { type: 'dataset' });
  return found;
}

@Controller('v1/datasets/:id/attestation')
export class AttestationController {
  constructor(@Inject(Metadata) private readonly metadata: Metadata) {}

  @Route({
    ...{ method: 'GET', needs: 'datasets:read', answer, errors: [404] },
    summary: 'the attestation of a version that was dropped, by the run that made it',
  })
  async get(@Req() request: Request, @Param('id') run: string): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const { pipeline, environment, target, version, droppedAt, droppedAs } = await findDataset(transaction, request, run);
      if (droppedAt === null) throw toError('RESOURCE_UNKNOWN', { type: 'attestation' });
      const events = droppedAs === null ? [] : await transaction.log.eventsOf(droppedAs, types);
      // Of a publication that pruned several each has its own.
      const own = events.filter(({ data }) => data['run'] === run);
      const [attestation = null] = await transaction.log.withTexts(own.map(({ data }) => data));
      return { run, pipeline, environment, target, version, droppedAt: droppedAt.toISOString(), entry: droppedAs, attestation };
    });
  }
}

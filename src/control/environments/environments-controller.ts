// /v1/environments: what there is of each, and the documents.
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';
import {
  CLOCK,
  type Request,
  Route,
  callerOf,
  environmentsOf,
  pageSchema,
  readPage,
  requireName,
  requireRight,
  toPage,
} from '../http/http.js';
import { inventorySchema, toInventory } from './inventory.js';

@Controller('v1/environments')
export class EnvironmentsController extends DocumentsController {
  protected readonly kind = 'Environment';

  constructor(
    @Inject(Metadata) protected readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    super();
  }

  @Route({
    ...{ method: 'GET', needs: 'datasets:read', query: pageSchema, errors: [400] },
    summary: 'what there is of each environment that has a document or in which something was published, by name',
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: inventorySchema }, next: { type: ['string', 'null'] } },
    },
  })
  override async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const { workspaceId, roles } = callerOf(request);
    const mine = environmentsOf(roles, 'datasets:read');
    return this.metadata.within(workspaceId, async (transaction) => {
      const found = await transaction.environments.list(limit, mine === 'all' ? undefined : mine, after);
      return toPage(await toInventory(transaction, found, this.clock.now()), limit, ({ name }) => name);
    });
  }

  /** Beside the document, whose ETag says whether it is still the same. */
  @Route({
    ...{ method: 'GET', path: ':name/inventory', needs: 'datasets:read', answer: inventorySchema, errors: [404] },
    summary: 'what there is of one environment: versions, drift, readers, expiry, holds and clones',
  })
  async inventory(@Req() request: Request, @Param('name') name: string): Promise<object> {
    const environment = requireName(name, 'environment');
    requireRight(request, 'datasets:read', [environment]);
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const [one] = await toInventory(transaction, await transaction.environments.list(1, [environment]), this.clock.now());
      if (!one) throw toError('RESOURCE_UNKNOWN', { type: 'environment' });
      return one;
    });
  }
}

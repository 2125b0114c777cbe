// POST /v1/people/NAME/erase: what a data subject asks for who is one of the people of the service.
import { Controller, Inject, Param, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { Appended } from '../../pipeline/event.js';
import { type Erased, Metadata } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, Route, callerOf, isUuid, parseRequest, requireName } from '../http/http.js';
import { untilSequenced } from '../until-sequenced.js';
import { erasePerson } from './erase-person.js';

/** Less than what a client waits. */
const PATIENCE_MS = 20_000;

const order: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['reason'],
  properties: {
    reason: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$',
      description: 'why; the log holds a commitment to it',
    },
    names: {
      type: 'array',
      maxItems: 20,
      uniqueItems: true,
      description: 'what else the person is called: full name, e-mail address',
      items: {
        type: 'string',
        minLength: 2,
        maxLength: 200,
        pattern: '^[^\\s\\\\"\\u0000-\\u001f]([^\\\\"\\u0000-\\u001f]*[^\\s\\\\"\\u0000-\\u001f])$',
        description: 'a name',
      },
    },
  },
  description: 'reason and names',
};
const count: Schema = { type: 'integer' };
const answer: Schema = {
  type: 'object',
  required: ['of', 'erased', 'entry'],
  properties: {
    of: { type: 'string', format: 'uuid', description: 'the id, which stays' },
    erased: {
      type: ['object', 'null'],
      description: 'how much went, and where a name still stands that others have to take out; null: it was done before',
      required: ['texts', 'documents', 'approvals', 'runs', 'stillIn'],
      properties: { texts: count, documents: count, approvals: count, runs: count, stillIn: { type: 'array', items: { type: 'string' } } },
    },
    entry: {
      type: ['object', 'null'],
      description: 'where the intent stands in the log',
      required: ['index', 'checkpoint'],
      properties: { index: count, checkpoint: { type: 'object' } },
    },
  },
};

@Controller('v1/people')
export class ErasureController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', path: ':name/erase', needs: 'people:erase', body: order, answer, errors: [404, 409] },
    summary:
      'erase a person, by name or id: the name, tokens, roles and texts go, the random id and the log stay; again with the id it is done',
  })
  async erase(
    @Req() request: Request,
    @Param('name') name: string,
  ): Promise<{ of: string; erased: Erased | null; entry: Appended | null }> {
    const { reason, names = [] } = parseRequest<{ reason: string; names?: string[] }>(request.body, order);
    const { workspaceId, personId: actor } = callerOf(request);
    const { of, done } = await this.metadata.within(workspaceId, async (transaction) => {
      await transaction.people.lock();
      await transaction.documents.lock();
      await transaction.log.lockKept();
      const { people } = transaction;
      const person = (await people.find(requireName(name, 'person'))) ?? (isUuid(name) ? await people.findById(name) : undefined);
      if (!person) throw toError('RESOURCE_UNKNOWN', { type: 'person' });
      return { of: person.id, done: await erasePerson(transaction, person, { names, reason, actor, nowMs: this.clock.now() }) };
    });
    if (!done) return { of, erased: null, entry: null };
    const entry = await untilSequenced(this.metadata, workspaceId, ({ log }) => log.find(done.key), PATIENCE_MS);
    return { of, erased: done.erased, entry };
  }
}

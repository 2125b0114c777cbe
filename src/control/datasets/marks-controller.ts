// /v1/datasets/RUN/hold and /revoke: what somebody says of a version that a run of the service published. The answer comes when the log has it: workers
// go by the log.
import { Controller, Inject, Param, Req } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type DatasetRow, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { type Pending, openApproval, pendingSchema } from '../approvals/approvals.js';
import { CLOCK, SETTINGS, type Permission, type Request, Route, callerOf, parseRequest, requireRight } from '../http/http.js';
import { untilSequenced } from '../until-sequenced.js';
import { findDataset } from './attestation-controller.js';
import { datasetProperties, toDatasetView } from './dataset-view.js';
import type { Lifting } from './hold-consequence.js';
import { tellMark } from './tell-mark.js';

/** Less than what a client waits. */
const PATIENCE_MS = 20_000;

const reason: Schema = {
  ...{ type: 'string', minLength: 1, maxLength: 1000, pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$' },
  description: 'why; the log holds a commitment to it',
};
const until: Schema = {
  ...{ type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$' },
  description: 'an instant as RFC 3339, as in 2031-01-31T00:00:00Z; afterwards it stops nothing',
};
const body = (properties: Readonly<Record<string, Schema>>): Schema => ({
  ...{ type: 'object', additionalProperties: false, required: Object.keys(properties), properties },
  description: Object.keys(properties).join(' and '),
});
const [held, lifted, revoked] = [body({ reason, until }), body({ reason }), body({ reason })];
const answer: Schema = { type: 'object', required: Object.keys(datasetProperties), properties: datasetProperties };
const waiting: Schema = { type: 'object', required: ['approval'], properties: { approval: pendingSchema } };

// Types, not interfaces: they are JSON.
type Why = { readonly reason: string };
type Held = Why & { readonly until: string };

@Controller('v1/datasets')
export class MarksController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'POST', path: ':id/hold', needs: 'datasets:hold', answer, body: held, errors: [404, 409] },
    summary: 'keep a version, by the run that made it, from being dropped until an instant; one that is held can be held for longer',
  })
  async hold(@Req() request: Request, @Param('id') run: string): Promise<object> {
    return this.mark(request, run, 'datasets:hold', async (transaction, row) => {
      const { reason: why, until: wanted } = parseRequest<Held>(request.body, held);
      const end = new Date(wanted);
      const nowMs = this.clock.now();
      if (!(end.getTime() > nowMs)) throw toError('HOLD_PAST', { expected: wanted });
      const standing = await transaction.holds.find(run, new Date(nowMs));
      // What ends it sooner is a lift, and that takes somebody else.
      if (standing && standing.until > end)
        throw toError('HOLD_SHORTER', { name: row.target, amount: String(row.version), expected: standing.until.toISOString() });
      const { personId: actor } = callerOf(request);
      const told = await tellMark(transaction, row, { type: 'hold.placed', actor, reason: why, until: end.toISOString() }, nowMs);
      await transaction.holds.place(run, { reason: told.reason, placedBy: actor, until: end });
      return told.key;
    });
  }

  @Route({
    ...{ method: 'POST', path: ':id/hold/lift', needs: 'datasets:hold', status: 202, answer: waiting, body: lifted, errors: [404, 409] },
    summary: 'end a hold before its time; it waits until an approver agrees',
  })
  async lift(@Req() request: Request, @Param('id') run: string): Promise<{ approval: Pending }> {
    const { workspaceId, personId: requestedBy } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const { environment, target, version } = await this.find(transaction, request, run, 'datasets:hold');
      const { reason: why } = parseRequest<Why>(request.body, lifted);
      const nowMs = this.clock.now();
      const standing = await transaction.holds.find(run, new Date(nowMs));
      if (!standing) throw toError('HOLD_UNKNOWN', { name: target, amount: String(version) });
      const what = { hold: standing.id, run, target, version, until: standing.until.toISOString() };
      const subject: Lifting = { ...what, reason: why };
      const wanted = { kind: 'hold' as const, requestedBy, authorIds: [requestedBy], environments: [environment], subject };
      const term = { nowMs, hours: this.settings.BAUTA_APPROVAL_HOURS };
      return { approval: await openApproval(transaction, { ...wanted, thing: { ...what, requestedBy } }, term) };
    });
  }

  @Route({
    ...{ method: 'POST', path: ':id/revoke', needs: 'datasets:revoke', answer, body: revoked, errors: [404] },
    summary: 'nothing goes back to a version, clones it, hands it out or takes it again from now on; it stays where it is',
  })
  async revoke(@Req() request: Request, @Param('id') run: string): Promise<object> {
    return this.mark(request, run, 'datasets:revoke', async (transaction, row) => {
      const { reason: why } = parseRequest<Why>(request.body, revoked);
      await transaction.datasets.revoke(run);
      const { personId: actor } = callerOf(request);
      return (await tellMark(transaction, row, { type: 'dataset.revoked', actor, reason: why }, this.clock.now())).key;
    });
  }

  /** Throws LOG_NOT_SEQUENCED when nobody signs: then it holds here already, and stands in the log later. */
  private async mark(
    request: Request,
    run: string,
    needs: Permission,
    work: (transaction: Transaction, row: DatasetRow) => Promise<string>,
  ): Promise<object> {
    const { workspaceId } = callerOf(request);
    const key = await this.metadata.within(workspaceId, async (transaction) =>
      work(transaction, await this.find(transaction, request, run, needs)),
    );
    await untilSequenced(this.metadata, workspaceId, ({ log }) => log.find(key), PATIENCE_MS);
    return this.metadata.within(workspaceId, async ({ datasets }) => toDatasetView((await datasets.find(run))!, this.clock.now()));
  }

  /** Locked. What was dropped is not there. */
  private async find(transaction: Transaction, request: Request, run: string, needs: Permission): Promise<DatasetRow> {
    const { environment } = await findDataset(transaction, request, run);
    requireRight(request, needs, [environment]);
    const row = await transaction.datasets.lock(run);
    if (!row || row.droppedAt !== null) throw toError('RESOURCE_UNKNOWN', { type: 'dataset' });
    return row;
  }
}

// /v1/reports: that a package of evidence was made, told to the log that it was made of. The package itself is computed by whoever asks for it, out of the
// log's own files, and needs nobody's word here: this is the one thing that only the log can add.
import { randomUUID } from 'node:crypto';

import { Controller, Inject, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import { rootAt } from '../../pipeline/audit/audit.js';
import { reportNames } from '../../pipeline/report/report.js';
import { Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, Route, callerOf, parseRequest } from '../http/http.js';
import { untilSequenced } from '../runs/runs.js';

const instant: Schema = {
  type: 'string',
  pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$',
  description: 'an instant in UTC',
};
const made: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['report', 'from', 'to', 'manifest', 'upTo'],
  description: 'report, from, to, manifest and upTo',
  properties: {
    ...{ report: { enum: [...reportNames] }, from: instant, to: instant },
    manifest: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$', description: 'digest of the package’s manifest.json' },
    upTo: {
      type: 'object',
      additionalProperties: false,
      required: ['log', 'size', 'root'],
      description: 'what of the log it was made of',
      properties: {
        log: { type: 'string', pattern: '^\\d{4}(-\\d{2})?$', description: 'name of a log' },
        size: { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'a count of entries' },
        root: { type: 'string', pattern: '^[A-Za-z0-9+/]{43}=$', description: 'a root in base64' },
      },
    },
  },
};
const told: Schema = {
  type: 'object',
  required: ['log', 'index'],
  description: 'where the entry stands',
  properties: { log: { type: 'string' }, index: { type: 'integer', minimum: 0 } },
};

type Made = { readonly manifest: string; readonly report: string; readonly from: string; readonly to: string } & {
  readonly upTo: { readonly log: string; readonly size: number; readonly root: string };
};

/** Less than what a client waits. */
const PATIENCE_MS = 20_000;

@Controller('v1/reports')
export class ReportsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'reports:make', body: made, answer: told, errors: [400] },
    summary: 'tell the log of a package of evidence that was made of it; the same one once',
  })
  async tell(@Req() request: Request): Promise<{ log: string; index: number }> {
    const { report, from, to, manifest, upTo } = parseRequest<Made>(request.body, made);
    const { workspaceId, personId: actor } = callerOf(request);
    const key = randomUUID();
    const before = await this.metadata.within(workspaceId, async (transaction) => {
      await requireState(transaction, upTo);
      await transaction.log.lockKept();
      const found = await transaction.log.findReport(manifest);
      if (found) return found;
      const now = this.clock.now();
      const data = { report, from, to, manifest, upTo, actor };
      await transaction.append({ runId: newRunId(now), stage: 'report', type: 'report.made', at: toTimestamp(now), data }, key);
      return undefined;
    });
    if (before) return before;
    const { index, checkpoint } = await untilSequenced(this.metadata, workspaceId, ({ log }) => log.find(key), PATIENCE_MS);
    return { log: checkpoint.origin.slice(checkpoint.origin.lastIndexOf('/') + 1), index };
  }
}

/** The log tells of nothing that was made of another past than its own. Throws REQUEST_INVALID. */
async function requireState({ log }: Transaction, upTo: Made['upTo']): Promise<void> {
  const known = (await log.logs()).find(({ name }) => name === upTo.log);
  const had = known && known.checkpoint.size >= upTo.size && (await rootAt(log.files(), upTo)) === upTo.root;
  if (!had) throw toError('REQUEST_INVALID', { name: 'upTo', expected: 'a state that this log had' });
}

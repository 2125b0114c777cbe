// /v1/reports: a report that the service makes of its own log, and what was made elsewhere, told to that log. Whoever trusts the service less computes it
// himself out of the log's own files (`bauta report … --server`), and with the same trust policy gets the same bytes.
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { Controller, Inject, Optional, Param, Query, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { rootAt } from '../../pipeline/audit/audit.js';
import { type Period, reportNames } from '../../pipeline/report/report.js';
import { Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { readPeriod } from '../asked-period.js';
import { CLOCK, type Request, type Response, Route, callerOf, parseRequest } from '../http/http.js';
import { type ReportFormat, reportFormats } from '../report-order.js';
import { tellReport } from '../tell-report.js';
import { REPORT_MAKER, type MadeReports, type ReportMaker } from './report-maker.js';

/** Whoever was refused asks again after so long. */
const BUSY_SECONDS = 15;

const mediaTypes: Readonly<Record<ReportFormat, string>> = {
  json: 'application/json',
  html: 'text/html; charset=utf-8',
  pdf: 'application/pdf',
  csv: 'text/csv; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  zip: 'application/zip',
};
const moment: Schema = { type: 'string', description: 'a day (UTC) or RFC 3339' };
const askedQuery: Readonly<Record<string, Schema>> = {
  from: { ...moment, description: 'where the period begins: a day (UTC) or RFC 3339' },
  to: { ...moment, description: 'where it ends, without that instant' },
  zone: { type: 'string', default: 'UTC', description: 'the IANA name of the zone that times are shown in' },
  format: { type: 'string', enum: [...reportFormats], description: 'default: zip, the package, for soc2, and json for the others' },
};
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

@Controller('v1/reports')
export class ReportsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(REPORT_MAKER) private readonly maker: ReportMaker | undefined,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'reports:make', body: made, answer: told, errors: [400] },
    summary: 'tell the log of a package of evidence that was made of it; the same one once',
  })
  async tell(@Req() request: Request): Promise<{ log: string; index: number }> {
    const { report, from, to, manifest, upTo } = parseRequest<Made>(request.body, made);
    const telling = { metadata: this.metadata, clock: this.clock, ...whoAsks(request) };
    return tellReport(telling, { report, from, to, manifest, upTo }, (transaction) => requireState(transaction, upTo));
  }

  @Route({
    ...{ method: 'GET', path: ':report', needs: 'reports:make', query: askedQuery, answerType: 'application/octet-stream' },
    ...{ answer: { type: 'string', format: 'binary' }, errors: [400, 404, 409, 413] },
    summary: 'a report (gdpr, soc2, pci, hipaa, iso27001) that the service makes of its own log, in the media type of its format',
  })
  async make(
    @Req() request: Request,
    @Param('report') name: string,
    @Query() query: Record<string, unknown>,
    @Res() response: Response,
  ): Promise<void> {
    const report = reportNames.find((one) => one === name);
    if (!report) throw toError('RESOURCE_UNKNOWN', { type: 'report' });
    const period = readAskedPeriod(query);
    const { format = report === 'soc2' ? 'zip' : 'json' } = query;
    const known = reportFormats.find((one) => one === format);
    if (!known) throw toError('REQUEST_INVALID', { name: 'format', expected: reportFormats.join(', ') });
    if (!this.maker) throw toError('REPORT_NOT_MADE', { name: 'this process makes none' });
    const { workspaceId, actor } = whoAsks(request);
    const workspace = await this.metadata.workspaceName(workspaceId);
    const stop = new AbortController();
    // Who went away waits for nothing.
    response.once('close', () => stop.abort());
    const order = { workspaceId, workspace, actor, period, papers: [{ report, format: known }] };
    await sendMade(await this.maker.make(order, stop.signal).catch((error: unknown) => refuse(error, response)), response);
  }
}

const whoAsks = (request: Request): { workspaceId: string; actor: string } => {
  const { workspaceId, personId: actor } = callerOf(request);
  return { workspaceId, actor };
};

function readAskedPeriod({ from, to, zone }: Readonly<Record<string, unknown>>): Period {
  for (const [name, value] of Object.entries({ from, to }))
    if (typeof value !== 'string') throw toError('REQUEST_INVALID', { name, expected: 'one instant' });
  if (zone !== undefined && typeof zone !== 'string') throw toError('REQUEST_INVALID', { name: 'zone', expected: 'one name' });
  const period = readPeriod({ from: from as string, to: to as string, ...(zone === undefined ? {} : { zone }) });
  if ('expected' in period) throw toError('REQUEST_INVALID', { ...period });
  return period;
}

function refuse(error: unknown, response: Response): never {
  if ((error as { readonly code?: unknown }).code === 'REPORTS_BUSY') response.setHeader('Retry-After', String(BUSY_SECONDS));
  throw error;
}

/** With its digest (RFC 9530), and how the log was that it was made of. */
async function sendMade({ papers: [paper], folder, discard }: MadeReports, response: Response): Promise<void> {
  try {
    if (!paper) throw toError('REPORT_NOT_MADE', { name: 'nothing was made' });
    const { name, format, bytes, sha256, state } = paper;
    response.writeHead(200, {
      'Content-Type': mediaTypes[format],
      'Content-Length': bytes,
      'Content-Disposition': `attachment; filename="${name}"`,
      'Repr-Digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
      'Bauta-Log': state,
    });
    // A caller that is gone is no failure of ours.
    await pipeline(createReadStream(join(folder, name)), response).catch(() => undefined);
  } finally {
    await discard();
  }
}

/** The log tells of nothing that was made of another past than its own. Throws REQUEST_INVALID. */
async function requireState({ log }: Transaction, upTo: Made['upTo']): Promise<void> {
  const known = (await log.logs()).find(({ name }) => name === upTo.log);
  const had = known && known.checkpoint.size >= upTo.size && (await rootAt(log.files(), upTo)) === upTo.root;
  if (!had) throw toError('REQUEST_INVALID', { name: 'upTo', expected: 'a state that this log had' });
}

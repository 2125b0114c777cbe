// /v1/reports: the reports that the service made of each day, and their files as they are kept.
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { toError } from '../../kernel/errors.js';
import { type DailyReportRow, Metadata } from '../../systems/metadata/metadata.js';
import { type Request, type Response, Route, SETTINGS, callerOf, pageSchema, readPage, toPage } from '../http/http.js';
import { openReportStore, toMediaType } from '../report-store.js';

const text: Schema = { type: 'string' };
const instant: Schema = { type: 'string', format: 'date-time' };
const file: Schema = {
  type: 'object',
  required: ['name', 'bytes', 'sha256'],
  properties: { name: text, bytes: { type: 'integer' }, sha256: { type: 'string', description: 'hexadecimal' } },
};
const properties: Readonly<Record<string, Schema>> = {
  day: { type: 'string', description: 'the last day of the period, on the clocks of its zone' },
  ...{ from: instant, to: instant, zone: text },
  state: { enum: ['due', 'failed', 'made'], description: 'failed: the last attempt did; it is tried again' },
  code: { type: ['string', 'null'], description: 'why the last attempt failed' },
  ...{ attempts: { type: 'integer' }, madeAt: { type: ['string', 'null'], format: 'date-time' } },
  files: { type: 'array', items: file, description: 'SHA256SUMS among them, whose digest the log was told' },
};
const list: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: {
    items: { type: 'array', items: { type: 'object', required: Object.keys(properties), properties } },
    next: { type: ['string', 'null'] },
  },
};

@Controller('v1/reports')
export class DailyReportsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'GET', needs: 'reports:make', answer: list, query: pageSchema, errors: [400] },
    summary: 'the reports of each day, the newest first',
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ dailyReports }) => dailyReports.list(limit, after));
    return toPage(found.map(toView), limit, ({ day }) => day);
  }

  @Route({
    ...{ method: 'GET', path: 'daily/:day/:file', needs: 'reports:make', answerType: 'application/octet-stream', errors: [404] },
    ...{ answer: { type: 'string', format: 'binary' }, summary: 'a file of the report of a day, as it is kept, in its own media type' },
  })
  async file(@Req() request: Request, @Param('day') day: string, @Param('file') name: string, @Res() response: Response): Promise<void> {
    const row = isDay(day)
      ? await this.metadata.within(callerOf(request).workspaceId, ({ dailyReports }) => dailyReports.find(day))
      : undefined;
    const found = row?.files?.find((one) => one.name === name);
    if (!row || !found || row.folder === null) throw toError('RESOURCE_UNKNOWN', { type: 'file of a daily report' });
    const store = await openReportStore(this.settings);
    try {
      const bytes = await store.read(join(row.folder, found.name), found.bytes);
      response.writeHead(200, {
        'Content-Type': toMediaType(found.name),
        'Content-Length': found.bytes,
        'Content-Disposition': `attachment; filename="${found.name}"`,
        'Repr-Digest': `sha-256=:${Buffer.from(found.sha256, 'hex').toString('base64')}:`,
      });
      // A caller that is gone is no failure of ours.
      await pipeline(bytes, response).catch(() => undefined);
    } finally {
      store.close();
    }
  }
}

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text);

function toView({ day, from, to, zone, code, attempts, madeAt, files }: DailyReportRow) {
  const state = madeAt ? 'made' : code === null ? 'due' : 'failed';
  const times = { from: from.toISOString(), to: to.toISOString(), madeAt: madeAt?.toISOString() ?? null };
  return { day, zone, state, code, attempts, ...times, files: files ?? [] };
}

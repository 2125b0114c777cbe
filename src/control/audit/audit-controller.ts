// /v1/audit/log/: the workspace's log for auditors, in the layout of c2sp.org/tlog-tiles: what `bauta audit export` writes into a folder, which
// `bauta audit verify` then checks without asking anybody here.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { toError } from '../../kernel/errors.js';
import { formatVerifierKey } from '../../kernel/signed-note.js';
import { type LogEntry, Metadata } from '../../systems/metadata/metadata.js';
import { type Request, type Response, Route, callerOf, pageSchema, readPage, toPage } from '../http/http.js';

const text: Schema = { type: 'string' };
const logName: Schema = {
  type: 'string',
  pattern: '^\\d{4}(-\\d{2})?$',
  description: 'the period that a log began in; default: the newest',
};
const sizeSchema: Schema = { type: 'integer', minimum: 1, maximum: 999_999_999_999_999, description: 'a count of entries' };
const listed: Schema = {
  type: 'object',
  required: ['key', 'logs'],
  properties: {
    key: { type: ['string', 'null'], description: 'the verifier key; get it by another way, too, before you believe it' },
    logs: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'origin', 'size', 'root'],
        properties: { name: text, origin: text, size: { type: 'integer' }, root: text },
      },
    },
  },
};
const entry: Schema = {
  type: 'object',
  required: ['index', 'event'],
  properties: { index: { type: 'integer' }, event: { type: 'object' } },
};
const anchors: Schema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['place', 'at', 'lockedUntil', 'note'],
    properties: { place: text, at: text, lockedUntil: { type: ['string', 'null'] }, note: text },
  },
};
const bytes: Schema = { type: 'string', format: 'binary' };
const octets = { answer: bytes, answerType: 'application/octet-stream', errors: [404] };

@Controller('v1/audit/log')
export class AuditController {
  constructor(@Inject(Metadata) private readonly metadata: Metadata) {}

  @Route({ method: 'GET', needs: 'audit:read', summary: 'the logs of the chain, oldest first, and the key', answer: listed })
  async list(@Req() request: Request): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, async ({ log }) => {
      const [verifier, logs] = [await log.verifier(), await log.logs()];
      return { key: verifier ? formatVerifierKey(verifier) : null, logs: logs.map(({ name, checkpoint }) => ({ name, ...checkpoint })) };
    });
  }

  @Route({
    ...{ method: 'GET', path: 'entries', needs: 'audit:read', summary: 'entries as events, in the order of the log', errors: [400] },
    query: { ...pageSchema, log: logName },
    answer: {
      type: 'object',
      required: ['log', 'items', 'next'],
      properties: { log: { type: ['string', 'null'] }, items: { type: 'array', items: entry }, next: { type: ['string', 'null'] } },
    },
  })
  async entries(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    if (after !== undefined && !/^\d{1,15}$/.test(after))
      throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
    const wanted = query['log'];
    if (wanted !== undefined && !isLogName(wanted))
      throw toError('REQUEST_INVALID', { name: 'log', expected: 'the name of a log, as in 2026' });
    return this.metadata.within(callerOf(request).workspaceId, async ({ log }) => {
      const name = isLogName(wanted) ? wanted : ((await log.logs()).at(-1)?.name ?? null);
      const items: readonly LogEntry[] = name === null ? [] : await log.entries(name, limit, after === undefined ? -1 : Number(after));
      return { log: name, ...toPage(items, limit, ({ index }) => String(index)) };
    });
  }

  @Route({
    ...{ method: 'GET', path: 'checkpoint', needs: 'audit:read', summary: 'the signed checkpoint of the newest log', errors: [404] },
    ...{ answer: text, answerType: 'text/plain' },
  })
  newest(@Req() request: Request, @Res() response: Response): Promise<void> {
    return this.send(request, response, undefined, 'checkpoint');
  }

  @Route({
    ...{
      method: 'GET',
      path: 'cosigned',
      needs: 'audit:read',
      summary: 'its newest checkpoint that witnesses have cosigned',
      errors: [404],
    },
    ...{ answer: text, answerType: 'text/plain' },
  })
  newestCosigned(@Req() request: Request, @Res() response: Response): Promise<void> {
    return this.send(request, response, undefined, 'cosigned');
  }

  @Route({
    ...{ method: 'GET', path: 'anchors', needs: 'audit:read', errors: [404], answer: anchors },
    summary: 'where its checkpoints were put, the newest of each place',
  })
  newestAnchors(@Req() request: Request, @Res() response: Response): Promise<void> {
    return this.send(request, response, undefined, 'anchors');
  }

  @Route({
    ...octets,
    method: 'GET',
    path: 'tile/*path',
    needs: 'audit:read',
    summary: 'a tile of the newest log, or a bundle of its entries',
  })
  newestTile(@Req() request: Request, @Param('path') path: string | string[], @Res() response: Response): Promise<void> {
    return this.send(request, response, undefined, toTile(path));
  }

  @Route({
    ...{ method: 'GET', path: ':log/checkpoint', needs: 'audit:read', errors: [400, 404] },
    ...{ summary: 'the newest signed checkpoint of a log, or the first that covers `size` entries' },
    ...{ answer: text, answerType: 'text/plain', query: { size: sizeSchema } },
  })
  async checkpoint(
    @Req() request: Request,
    @Param('log') log: string,
    @Query() { size }: Record<string, unknown>,
    @Res() response: Response,
  ): Promise<void> {
    if (size === undefined) return this.send(request, response, log, 'checkpoint');
    if (typeof size !== 'string' || !/^[1-9]\d{0,14}$/.test(size))
      throw toError('REQUEST_INVALID', { name: 'size', expected: 'a count of entries, from 1 on' });
    const note = isLogName(log)
      ? await this.metadata.within(callerOf(request).workspaceId, ({ log: store }) => store.noteOf(log, Number(size)))
      : undefined;
    if (note === undefined) throw toError('RESOURCE_UNKNOWN', { type: 'part of the log' });
    response.setHeader('Content-Type', 'text/plain; charset=utf-8');
    response.end(note);
  }

  @Route({
    ...{
      method: 'GET',
      path: ':log/cosigned',
      needs: 'audit:read',
      summary: 'the newest checkpoint of a log that witnesses have cosigned',
    },
    ...{ answer: text, answerType: 'text/plain', errors: [404] },
  })
  cosigned(@Req() request: Request, @Param('log') log: string, @Res() response: Response): Promise<void> {
    return this.send(request, response, log, 'cosigned');
  }

  @Route({
    ...{ method: 'GET', path: ':log/anchors', needs: 'audit:read', errors: [404], answer: anchors },
    summary: 'where checkpoints of a log were put, the newest of each place',
  })
  anchors(@Req() request: Request, @Param('log') log: string, @Res() response: Response): Promise<void> {
    return this.send(request, response, log, 'anchors');
  }

  @Route({ ...octets, method: 'GET', path: ':log/tile/*path', needs: 'audit:read', summary: 'a tile of a log, or a bundle of its entries' })
  tile(
    @Req() request: Request,
    @Param('log') log: string,
    @Param('path') path: string | string[],
    @Res() response: Response,
  ): Promise<void> {
    return this.send(request, response, log, toTile(path));
  }

  @Route({
    ...octets,
    method: 'GET',
    path: ':log/payload/:digest',
    needs: 'audit:read',
    summary: 'the data of an entry that holds its digest',
  })
  payload(@Req() request: Request, @Param('log') log: string, @Param('digest') digest: string, @Res() response: Response): Promise<void> {
    return this.send(request, response, log, `payload/${digest}`);
  }

  private async send(request: Request, response: Response, wanted: string | undefined, path: string): Promise<void> {
    const found = await this.metadata.within(callerOf(request).workspaceId, async ({ log }) => {
      const name = wanted ?? (await log.logs()).at(-1)?.name;
      return isLogName(name) ? log.files().read(`${name}/${path}`) : undefined;
    });
    if (!found) throw toError('RESOURCE_UNKNOWN', { type: 'part of the log' });
    response.setHeader('Content-Type', contentTypes[path] ?? 'application/octet-stream');
    response.end(found);
  }
}

const contentTypes: Readonly<Record<string, string>> = {
  checkpoint: 'text/plain; charset=utf-8',
  cosigned: 'text/plain; charset=utf-8',
  anchors: 'application/json; charset=utf-8',
};

const isLogName = (name: unknown): name is string => typeof name === 'string' && /^\d{4}(-\d{2})?$/.test(name);

const toTile = (path: string | string[]): string => `tile/${typeof path === 'string' ? path : path.join('/')}`;

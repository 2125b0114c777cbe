// What every kind of document answers: the list, the latest, a version, and all versions. A kind's own controller adds its address.
import { Param, Query, Req, Res } from '@nestjs/common';

import type { Schema } from '../documents/documents.js';
import { toError } from '../kernel/errors.js';
import type { DocumentVersion, Metadata } from '../systems/metadata/metadata.js';
import { type Request, type Response, Route, callerOf, etagOf, pageSchema, readPage, requireName, toPage } from './http/http.js';

const head: Readonly<Record<string, Schema>> = {
  ...{ kind: { type: 'string' }, name: { type: 'string' }, version: { type: 'integer' }, digest: { type: 'string' } },
  ...{ author: { type: 'string' }, appliedAt: { type: 'string', format: 'date-time' } },
  erasedAt: {
    type: ['string', 'null'],
    format: 'date-time',
    description: 'names of a person were taken out of its texts then; the digest is still that of what was applied',
  },
};
const one: Schema = {
  type: 'object',
  required: [...Object.keys(head), 'document'],
  properties: { ...head, document: { type: 'object', description: 'as it was written' } },
};
const list: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: {
    items: { type: 'array', items: { type: 'object', required: Object.keys(head), properties: head } },
    next: { type: ['string', 'null'] },
  },
};
const versionSchema: Schema = { type: 'integer', minimum: 1, description: 'this version instead of the latest' };

export abstract class DocumentsController {
  protected abstract readonly kind: string;
  protected abstract readonly metadata: Metadata;

  @Route({
    method: 'GET',
    needs: 'documents:read',
    summary: 'the latest version of each, by name',
    answer: list,
    query: pageSchema,
    errors: [400],
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ documents }) => documents.list(this.kind, limit, after));
    return toPage(found.map(withoutDocument), limit, ({ name }) => name);
  }

  @Route({
    ...{ method: 'GET', path: ':name', needs: 'documents:read', summary: 'one document', answer: one, query: { version: versionSchema } },
    headers: { 'If-None-Match': 'an ETag: 304 when it is still that version' },
    errors: [304, 400, 404],
  })
  async get(
    @Req() request: Request,
    @Param('name') name: string,
    @Query('version') version: unknown,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DocumentVersion | undefined> {
    const document = await this.find(request, name, readVersion(version));
    const etag = etagOf(document);
    response.setHeader('ETag', etag);
    if (request.headers['if-none-match'] !== etag) return document;
    response.status(304);
    return undefined;
  }

  @Route({
    ...{ method: 'GET', path: ':name/versions', needs: 'documents:read', summary: 'all versions, newest first', answer: list },
    ...{ query: pageSchema, errors: [400, 404] },
  })
  async versions(@Req() request: Request, @Param('name') name: string, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const before = after === undefined ? undefined : readVersion(after);
    await this.find(request, name);
    const key = { kind: this.kind, name };
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ documents }) => documents.versions(key, limit, before));
    return toPage(found.map(withoutDocument), limit, ({ version }) => String(version));
  }

  private async find(request: Request, name: string, version?: number): Promise<DocumentVersion> {
    const key = { kind: this.kind, name: requireName(name, this.kind) };
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ documents }) => documents.find(key, version));
    if (!found) throw toError('RESOURCE_UNKNOWN', { type: this.kind });
    return found;
  }
}

function readVersion(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || !/^[1-9]\d{0,8}$/.test(text))
    throw toError('REQUEST_INVALID', { name: 'version', expected: 'a number from 1' });
  return Number(text);
}

function withoutDocument({ document: _, ...rest }: DocumentVersion): Omit<DocumentVersion, 'document'> {
  return rest;
}

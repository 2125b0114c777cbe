// One decorator a route: method, address, the right that it needs, and what OpenAPI says of it.
import { applyDecorators, Delete, Get, HttpCode, Post, Put, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiParam, ApiQuery, ApiResponse } from '@nestjs/swagger';

import type { Schema } from '../../documents/documents.js';
import type { Permission } from './permissions.js';
import { NEEDS } from './tokens.js';

export interface RouteDescription {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path?: string;
  /** `open`: without a token. `anyone`: with any. `signature`: without a token, the route checks who signed what. */
  readonly needs: Permission | 'open' | 'anyone' | 'signature';
  readonly summary: string;
  readonly status?: number;
  /** The successful answer; without it there is no body. */
  readonly answer?: Schema;
  /** 202 with this body: it waits for a second person. */
  readonly waits?: Schema;
  readonly answerType?: string;
  /** 206 with a part of it, where `Range` asks for one. */
  readonly partial?: true;
  readonly body?: Schema;
  readonly bodyTypes?: readonly string[];
  readonly query?: Readonly<Record<string, Schema>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses of errors beside 401, 403, 500 and 503. */
  readonly errors?: readonly number[];
}

const methods = { GET: Get, POST: Post, PUT: Put, DELETE: Delete } as const;

/** What a header has to look like, where it is looked at. */
const forms: Readonly<Record<string, { readonly pattern: string }>> = { 'Idempotency-Key': { pattern: '^[\\x21-\\x7e]{1,200}$' } };

const texts: Readonly<Record<number, string>> = {
  304: 'it is still that version',
  400: 'the request cannot be used',
  401: 'no token, or none that is valid',
  403: 'the caller has no such right',
  404: 'there is no such thing in the caller’s workspace',
  409: 'what is there is in the way',
  410: 'it was there: it was redeemed, destroyed, or its time is up',
  412: 'If-Match names another version',
  413: 'the body is too large, or the answer would be',
  415: 'the body is of a type that is not read here',
  416: 'there is nothing from that byte on',
  422: 'the body says something that cannot be',
  429: 'too many requests; Retry-After says when there is room',
  500: 'a defect of Bauta',
  503: 'the metadata database cannot be reached; try again',
};

export function Route(route: RouteDescription): MethodDecorator {
  const { method, needs, summary, status = 200, answer, body, query = {}, headers = {} } = route;
  const tokenless = needs === 'open' || needs === 'signature';
  const secured = tokenless ? [] : [401, 403];
  const read = body ? [400, 413, 415, 422] : [];
  // A header that is looked at can be wrong.
  const headed = Object.keys(headers).some((name) => name in forms) ? [400] : [];
  const errors = [...new Set([...secured, 429, ...read, ...headed, ...(route.errors ?? []), 500, 503])].sort();
  const answers = answer ? { content: { [route.answerType ?? 'application/json']: { schema: answer as object } } } : {};
  return applyDecorators(
    methods[method](route.path),
    HttpCode(status),
    SetMetadata(NEEDS, needs),
    ApiOperation({ summary, ...(tokenless || needs === 'anyone' ? {} : { description: `Needs the right \`${needs}\`.` }) }),
    ...(tokenless ? [] : [ApiBearerAuth()]),
    ...(body ? [ApiConsumes(...(route.bodyTypes ?? ['application/json'])), ApiBody({ required: true, schema: body as object })] : []),
    // The framework describes a parameter of one segment by itself, but not one of several.
    ...[...(route.path ?? '').matchAll(/\*(\w+)/g)].map(([, name = '']) => ApiParam({ name, schema: { type: 'string' } })),
    ...Object.entries(query).map(([name, schema]) => ApiQuery({ name, required: false, schema: schema as object })),
    ...Object.entries(headers).map(([name, description]) =>
      ApiHeader({ name, required: false, description, schema: { type: 'string', ...forms[name] } }),
    ),
    ApiResponse({ status, description: summary, ...answers }),
    ...(route.partial ? [ApiResponse({ status: 206, description: 'the part of it that `Range` asks for', ...answers })] : []),
    ...(route.waits
      ? [
          ApiResponse({
            status: 202,
            description: 'it waits for a second person',
            content: { 'application/json': { schema: route.waits } },
          }),
        ]
      : []),
    ...errors.map((code) =>
      ApiResponse({
        status: code,
        description: texts[code] ?? 'an error',
        ...(code < 400 ? {} : { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }),
      }),
    ),
  );
}

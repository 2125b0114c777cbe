// What stands on every answer: an id to find the request by, and headers that let a browser do as little as possible with it.
import { randomUUID } from 'node:crypto';

import type { NextFunction, Request, Response } from './exchange.js';

import { accessOf, setAccess } from './access.js';
import { continueTrace } from './trace-context.js';

const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'interest-cohort=()',
  // Heeded behind TLS only, where alone the service is beyond its machine.
  'Strict-Transport-Security': 'max-age=31536000',
  'Cache-Control': 'no-store',
};

export function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  next();
}

/** The caller's own id where it is a plain one, so that a request can be followed through several services. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  const given = request.headers['x-request-id'];
  const id = typeof given === 'string' && /^[A-Za-z0-9-]{8,64}$/.test(given) ? given : randomUUID();
  setAccess(request, { ...accessOf(request), requestId: id, traceparent: continueTrace(request.headers['traceparent']) });
  response.setHeader('X-Request-Id', id);
  next();
}

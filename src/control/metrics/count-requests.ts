// Every answer is counted by the route that gave it, never by the address that was asked: an address is a stranger's text, and there are many.
import type { NextFunction, Request, Response } from '../http/http.js';
import type { ProcessMetrics } from './process-metrics.js';

export function countRequests(metrics: ProcessMetrics): (request: Request, response: Response, next: NextFunction) => void {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('finish', () => {
      const { route } = request as { readonly route?: { readonly path?: unknown } };
      const path = typeof route?.path === 'string' ? route.path : 'none';
      metrics.answered(
        knownMethods.has(request.method) ? request.method : 'other',
        path,
        response.statusCode,
        (performance.now() - startedAt) / 1000,
      );
    });
    next();
  };
}

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);

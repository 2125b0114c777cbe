// The door of what every REST noun shares: who asks, what a route says of itself, how an answer and an error look.
export { type Caller, callerOf, firstTokenOf, requireRight, traceOf } from './access.js';
export type { NextFunction, Request, Response } from './exchange.js';
export { CLOCK, GRANTS, HOOK_SECRETS, type ReadHookSecret, SERVER_KEY, SETTINGS } from './tokens.js';
export { Authentication, isSigned, newSecret, toSecretDigest } from './authentication.js';
export { PermissionGuard } from './permission-guard.js';
export { type Permission, type Role, environmentsOf, hasRight, roles, rightsOf } from './permissions.js';
export { ProblemFilter, toProblem, toStatus } from './problem.js';
export { isUuid, parseRequest, requireName, requireUuid, toPage, readPage, pageSchema, nameSchema, environmentPattern } from './request.js';
export { Route, type RouteDescription } from './route.js';
export { answerOnce } from './answer-once.js';
export { createOpenApi, openApiPages } from './openapi.js';
export { Buckets, RateLimit } from './rate-limit.js';
export { securityHeaders, requestId } from './headers.js';
export { toTraceId } from './trace-context.js';
export { etagOf } from './etag.js';

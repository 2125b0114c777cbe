// An error as RFC 9457 has it: our code, message, place and hint, never another program's text.
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Inject, Logger } from '@nestjs/common';
import type { Request, Response } from './exchange.js';

import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { BautaError, type Finding, toError, toKnownError } from '../../kernel/errors.js';
import type { ErrorClass, ErrorCode } from '../../kernel/messages.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { accessOf } from './access.js';
import { CLOCK } from './tokens.js';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly where: object;
  readonly requestId: string;
  readonly findings?: readonly Finding[];
}

const byClass: Readonly<Record<ErrorClass, number>> = {
  InputError: 422,
  DeniedError: 403,
  DataError: 422,
  UnavailableError: 503,
  InvariantError: 500,
};

const byCode: Partial<Record<ErrorCode, number>> = {
  TOKEN_MISSING: 401,
  TOKEN_INVALID: 401,
  IDENTITY_USED: 401,
  ROUTE_UNKNOWN: 404,
  RESOURCE_UNKNOWN: 404,
  REQUEST_INVALID: 400,
  DOCUMENT_SYNTAX: 400,
  REQUEST_TOO_LARGE: 413,
  REQUEST_TYPE_UNSUPPORTED: 415,
  VERSION_CHANGED: 412,
  NAME_TAKEN: 409,
  CLONE_UNDER_WAY: 409,
  ROTATION_UNDER_WAY: 409,
  HOLD_SHORTER: 409,
  HOLD_UNKNOWN: 409,
  LINK_SPENT: 410,
  RUN_ENDED: 409,
  NOTIFICATION_NOT_DEAD: 409,
  RATE_EXCEEDED: 429,
  REPORTS_BUSY: 429,
  REPORT_PERIOD_EMPTY: 404,
  PACKAGE_TOO_LARGE: 413,
  LOG_NOT_WHOLE: 409,
  APPROVAL_NOT_OPEN: 409,
  APPROVAL_EXPIRED: 409,
  APPROVAL_VOID: 409,
  PERSON_NOT_ERASABLE: 409,
  PERSON_ERASED: 409,
  TRIGGER_CYCLE: 422,
  ARCHIVE_NOT_READY: 409,
  ARCHIVE_RANGE: 416,
  ARCHIVE_NOT_PUBLISHED: 404,
  TOKEN_UNKNOWN: 404,
  TOKEN_SHREDDED: 410,
  KEY_VERSION_DESTROYED: 410,
  TOKEN_RATE_EXCEEDED: 429,
  WAIVER_OVER: 409,
  INCIDENT_FROZEN: 409,
  INCIDENT_UNDER_WAY: 409,
  INCIDENT_CLOSED: 409,
  INCIDENT_NOTHING_FAILED: 409,
  ALERT_REFUSED: 401,
  BREAKGLASS_USED: 409,
  BREAKGLASS_UNUSED: 409,
  BREAKGLASS_REVIEWED: 409,
  ACCESS_REVIEW_OPEN: 409,
  ACCESS_REVIEW_CLOSED: 409,
  ACCESS_REVIEW_DECIDED: 409,
};

export function toStatus({ code, class: kind }: Pick<BautaError, 'code' | 'class'>): number {
  return byCode[code] ?? byClass[kind];
}

export function toProblem(error: unknown, requestId: string): Problem {
  const known = toKnownError(error);
  const { code, message, hint, where, findings } = known;
  return {
    type: `urn:bauta:error:${code}`,
    title: message,
    status: toStatus(known),
    detail: hint,
    code,
    where,
    requestId,
    ...(findings.length > 0 ? { findings } : {}),
  };
}

export function sendProblem(error: unknown, request: Request, response: Response): void {
  const problem = toProblem(error, accessOf(request).requestId);
  if (response.headersSent) return void response.destroy();
  if (problem.status === 503) response.setHeader('Retry-After', '5');
  if (problem.status === 401)
    response.setHeader('WWW-Authenticate', request.path.startsWith('/openapi') ? 'Basic realm="bauta"' : 'Bearer');
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async catch(thrown: unknown, host: ArgumentsHost): Promise<void> {
    const [request, response] = [host.switchToHttp().getRequest<Request>(), host.switchToHttp().getResponse<Response>()];
    const error = await this.audited(toOurs(thrown), request);
    const { code, where, class: kind } = toKnownError(error);
    if (kind === 'InvariantError' || kind === 'UnavailableError')
      this.logger.error({ requestId: accessOf(request).requestId, code, where });
    sendProblem(error, request, response);
  }

  /** A denial that cannot be recorded is not answered as one: then the error is why it cannot. */
  private async audited(error: unknown, request: Request): Promise<unknown> {
    const { caller, route, needs } = accessOf(request);
    if (!caller || !(error instanceof BautaError) || !denials.has(error.code)) return error;
    const event = {
      ...{ type: 'access.denied', at: toTimestamp(this.clock.now()), actor: caller.personId },
      data: { code: error.code, permission: error.where.name ?? needs ?? '', method: request.method, route: route ?? '' },
    };
    return this.metadata
      .within(caller.workspaceId, (transaction) => transaction.audit(event))
      .then(
        () => error,
        (failure: unknown) => failure,
      );
  }
}

/** What is denied to somebody because of who he is: the log has to know. */
const denials: ReadonlySet<ErrorCode> = new Set(['ACCESS_DENIED', 'GRANT_TO_ONESELF', 'APPROVAL_OF_OWN']);

/** What the framework threw by itself: it names a status, and its text may quote the caller. */
function toOurs(thrown: unknown): unknown {
  const status = thrown instanceof HttpException ? thrown.getStatus() : (thrown as { status?: unknown } | null)?.status;
  switch (status) {
    case 400:
      return toError('REQUEST_INVALID', { name: 'address or body', expected: 'well-formed UTF-8 text and a well-formed address' });
    case 404:
      return toError('ROUTE_UNKNOWN');
    case 413:
      return toError('REQUEST_TOO_LARGE', { amount: 'BAUTA_HTTP_BODY_BYTES' });
    case 415:
      return toError('REQUEST_TYPE_UNSUPPORTED', { expected: 'application/json or application/yaml in UTF-8' });
    default:
      return thrown;
  }
}

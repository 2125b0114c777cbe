// What authentication found out about a request, for guards and controllers.
import type { Request } from './exchange.js';

import { toError } from '../../kernel/errors.js';
import type { Identity } from '../../systems/metadata/metadata.js';
import { type Permission, hasRight, rightsOf } from './permissions.js';

export type Caller = Identity;

export interface FirstToken {
  readonly workspaceId: string;
  readonly digest: Uint8Array;
}

export interface Access {
  readonly requestId: string;
  /** W3C trace context of the request. */
  readonly traceparent?: string;
  /** The handler that answers, and the right that it needs: set when it is known, for the audit of a denial. */
  readonly route?: string;
  readonly needs?: string;
  readonly caller?: Caller;
  readonly first?: FirstToken;
}

const known = new WeakMap<object, Access>();

export function setAccess(request: object, access: Access): void {
  known.set(request, access);
}

export function accessOf(request: object): Access {
  return known.get(request) ?? { requestId: '' };
}

/** Throws TOKEN_MISSING: a route that asks for it without a right of its own is open to nobody. */
export function callerOf(request: Request): Caller {
  const { caller } = accessOf(request);
  if (!caller) throw toError('TOKEN_MISSING');
  return caller;
}

/** Throws ACCESS_DENIED unless the caller has the right in each of the environments. The denial is audited where it is answered. */
export function requireRight(request: Request, permission: Permission, environments: readonly string[]): void {
  if (!hasRight(callerOf(request).roles, permission, environments))
    throw toError('ACCESS_DENIED', { name: permission, expected: rightsOf(permission).join(', ') });
}

/** The trace that a request belongs to. */
export function traceOf(request: Request): string | undefined {
  return accessOf(request).traceparent;
}

export function firstTokenOf(request: Request): FirstToken | undefined {
  return accessOf(request).first;
}

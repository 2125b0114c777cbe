// Every route names the right that it needs; who has it not is refused.
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from './exchange.js';

import { toError } from '../../kernel/errors.js';
import { accessOf, setAccess } from './access.js';
import { type Permission, environmentsOf, rightsOf } from './permissions.js';
import { NEEDS } from './tokens.js';

@Injectable()
export class PermissionGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const needs = this.reflector.get<Permission | 'open' | 'anyone' | 'signature' | undefined>(NEEDS, context.getHandler());
    const { caller, first } = accessOf(request);
    if (needs === 'open' || needs === 'signature') return true;
    // What a route forgot to say is not allowed.
    if (needs === undefined) throw toError('UNEXPECTED', { name: 'a route without a right' });
    setAccess(request, { ...accessOf(request), needs, route: `${context.getClass().name}.${context.getHandler().name}` });
    if (first) {
      if (needs === 'apikeys:write' || needs === 'anyone') return true;
      throw toError('ACCESS_DENIED', { name: needs, expected: rightsOf(needs).join(', ') });
    }
    if (!caller) throw toError('TOKEN_MISSING');
    // In some environment: whether it is in this one is known when it is known which one is meant.
    if (needs === 'anyone' || environmentsOf(caller.roles, needs).length > 0) return true;
    throw toError('ACCESS_DENIED', { name: needs, expected: rightsOf(needs).join(', ') });
  }
}

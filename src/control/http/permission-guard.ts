// Every route names the right that it needs; who has it not is refused, and the refusal goes into the log.
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from './exchange.js';

import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { accessOf } from './access.js';
import { type Permission, rightsOf } from './permissions.js';
import { CLOCK, NEEDS } from './tokens.js';

@Injectable()
export class PermissionGuard implements CanActivate {
  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const needs = this.reflector.get<Permission | 'open' | 'anyone' | undefined>(NEEDS, context.getHandler());
    const { caller, first } = accessOf(request);
    if (needs === 'open') return true;
    // What a route forgot to say is not allowed.
    if (needs === undefined) throw toError('UNEXPECTED', { name: 'a route without a right' });
    if (first) {
      if (needs === 'tokens:write' || needs === 'anyone') return true;
      throw toError('ACCESS_DENIED', { name: needs, expected: rightsOf(needs).join(', ') });
    }
    if (!caller) throw toError('TOKEN_MISSING');
    if (needs === 'anyone' || rightsOf(needs).some((role) => caller.roles.includes(role))) return true;
    await this.metadata.within(caller.workspaceId, (transaction) =>
      transaction.audit({
        type: 'access.denied',
        at: toTimestamp(this.clock.now()),
        actor: caller.personId,
        data: { permission: needs, method: request.method, route: `${context.getClass().name}.${context.getHandler().name}` },
      }),
    );
    throw toError('ACCESS_DENIED', { name: needs, expected: rightsOf(needs).join(', ') });
  }
}

// How much one address and one token may ask: buckets that fill again with time. In memory, for this process alone (docs/decisions/0044).
import type { NextFunction, Request, Response } from './exchange.js';

import { toError } from '../../kernel/errors.js';
import { accessOf } from './access.js';
import { sendProblem } from './problem.js';

/** A bucket holds what it gets in so many seconds: so much may come at once. */
const SECONDS_AT_ONCE = 2;
/** Guessing costs more than asking. */
const FAILURE_COSTS = 20;
/** Beyond this many, those that are full again are forgotten. */
const KEPT = 10_000;

/** Per key a bucket. `take` gives the milliseconds to wait, 0 where there is enough. */
export class Buckets {
  private readonly levels = new Map<string, { level: number; atMs: number }>();

  constructor(
    private readonly perSecond: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  take(key: string, cost = 1): number {
    const now = this.nowMs();
    const most = this.perSecond * SECONDS_AT_ONCE;
    const kept = this.levels.get(key) ?? { level: most, atMs: now };
    const level = Math.min(most, kept.level + ((now - kept.atMs) * this.perSecond) / 1000);
    if (level < 1) return Math.ceil(((1 - level) * 1000) / this.perSecond);
    this.levels.set(key, { level: level - cost, atMs: now });
    if (this.levels.size > KEPT) this.forget(now, most);
    return 0;
  }

  private forget(now: number, most: number): void {
    for (const [key, { level, atMs }] of this.levels) if (level + ((now - atMs) * this.perSecond) / 1000 >= most) this.levels.delete(key);
    // A flood of addresses: those that asked longest ago go first.
    for (const key of this.levels.keys()) {
      if (this.levels.size <= KEPT) break;
      this.levels.delete(key);
    }
  }
}

export interface RateLimits {
  /** Requests a second; 0: no limit. */
  readonly perAddress: number;
  readonly perToken: number;
  /** How many proxies of ours stand before us: the address is what the outermost of them saw. */
  readonly proxies: number;
}

export class RateLimit {
  private readonly addresses: Buckets;
  private readonly tokens: Buckets;

  constructor(private readonly limits: RateLimits) {
    this.addresses = new Buckets(limits.perAddress);
    this.tokens = new Buckets(limits.perToken);
  }

  /** Before anything else of a request is looked at. Probes of health are let through: a busy proxy must not end a process. */
  readonly byAddress = (request: Request, response: Response, next: NextFunction): void => {
    if (this.limits.perAddress === 0 || request.path.startsWith('/v1/health/')) return next();
    const wait = this.addresses.take(toAddress(request, this.limits.proxies));
    if (wait > 0) return refuse(wait, request, response);
    response.once('finish', () => {
      if (response.statusCode === 401) this.addresses.take(toAddress(request, this.limits.proxies), FAILURE_COSTS - 1);
    });
    next();
  };

  /** After it is known who asks. */
  readonly byToken = (request: Request, response: Response, next: NextFunction): void => {
    const { caller } = accessOf(request);
    const wait = caller && this.limits.perToken > 0 ? this.tokens.take(caller.tokenId) : 0;
    if (wait > 0) return refuse(wait, request, response);
    next();
  };
}

function refuse(waitMs: number, request: Request, response: Response): void {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  response.setHeader('Retry-After', String(seconds));
  sendProblem(toError('RATE_EXCEEDED', { amount: `${seconds} s` }), request, response);
}

/** IPv6 by its network of 64 bits: one host has all of it. What a stranger says of himself in X-Forwarded-For is not looked at. */
export function toAddress({ headers, socket }: Pick<Request, 'headers' | 'socket'>, proxies: number): string {
  const said = [headers['x-forwarded-for'] ?? '']
    .flat()
    .join(',')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
  const told = proxies > 0 ? said.at(-proxies) : undefined;
  const address = (told ?? socket.remoteAddress ?? '')
    .replace(/^::ffff:/i, '')
    .slice(0, 60)
    .toLowerCase();
  if (!address.includes(':')) return address;
  const [left = '', right] = address.split('%')[0]?.split('::') ?? [];
  const [before, after] = [left.split(':').filter(Boolean), (right ?? '').split(':').filter(Boolean)];
  const filled =
    right === undefined ? before : [...before, ...Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after];
  return filled
    .slice(0, 4)
    .map((part) => part.replace(/^0+(?=.)/, ''))
    .join(':');
}

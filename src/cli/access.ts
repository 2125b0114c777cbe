// `bauta access`: who holds which role, API key and login of a clone at a service, looked through by somebody who does not hold it.
import { InputError, toError } from '../kernel/errors.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { paint, stripControls, toCount, toTable, writeJson } from './print.js';
import { type Server, requireServer } from './server.js';

export interface AccessOptions extends GlobalOptions {
  readonly reason?: string;
  readonly days?: number;
}

interface Review {
  readonly id: string;
  readonly openedAt: string;
  readonly dueAt: string;
  readonly closedAt: string | null;
  readonly items: number;
  readonly kept: number;
  readonly revoked: number;
  readonly exception: boolean;
}

interface Item {
  readonly item: number;
  readonly kind: string;
  readonly person: string;
  readonly holds: string;
  readonly environment: string | null;
  readonly since: string | null;
  readonly lastUsedAt: string | null;
  readonly decision: string | null;
  readonly decidedBy: string | null;
  readonly effect: 'done' | 'waits' | 'gone' | null;
}

const actions = ['review', 'list', 'show', 'keep', 'revoke'] as const;

export async function access(
  action: string,
  { id, item }: { readonly id: string | undefined; readonly item: string | undefined },
  options: AccessOptions,
): Promise<number> {
  const wanted = actions.find((one) => one === action);
  if (!wanted) throw toError('OPTION_INVALID', { name: 'the action', expected: actions.join(', ') });
  const server = await requireServer(options, 'access');
  const path = '/v1/access-reviews';
  if (wanted === 'list') return tell(await server.list<Review>(path), undefined, options);
  if (wanted === 'review')
    return tell([await server.post<Review>(path, options.days === undefined ? {} : { days: options.days })], undefined, options);
  if (id === undefined) throw new InputError('OPTION_MISSING', { name: 'the id of a review', expected: 'bauta access list' });
  const one = `${path}/${encodeURIComponent(id)}`;
  if (wanted === 'show') return tell([await server.ask<Review>('GET', one)], await server.list<Item>(`${one}/items`), options);
  return decide(server, one, { decision: wanted, item }, options);
}

/** Exit code 2: it waits for another administrator. */
async function decide(
  server: Server,
  path: string,
  { decision, item }: { readonly decision: 'keep' | 'revoke'; readonly item: string | undefined },
  options: AccessOptions,
): Promise<number> {
  if (item === undefined) throw new InputError('OPTION_MISSING', { name: 'the number of an item', expected: 'bauta access show ID' });
  if (options.reason === undefined) throw new InputError('OPTION_MISSING', { name: '--reason', expected: 'bauta access --help' });
  const decided = await server.post<Item>(`${path}/items/${encodeURIComponent(item)}`, { decision, reason: options.reason });
  tell([await server.ask<Review>('GET', path)], [decided], options);
  return decided.effect === 'waits' ? 2 : 0;
}

function tell(reviews: readonly Review[], items: readonly Item[] | undefined, options: GlobalOptions): number {
  if (wantsJson(options)) {
    writeJson({ reviews, ...(items ? { items } : {}), findings: [] });
    return 0;
  }
  for (const { id, dueAt, closedAt, items: all, kept, revoked, exception } of reviews) {
    const state = closedAt === null ? `open, due ${dueAt}` : `closed ${closedAt}`;
    const late = exception ? ` ${paint('not in time', 31, process.stdout)}` : '';
    process.stdout.write(
      `${id}  ${toCount(all, 'item')}, ${kept} kept, ${revoked} revoked, ${all - kept - revoked} left; ${state}${late}\n`,
    );
  }
  if (items === undefined) return 0;
  const rows = items.map((one) => [
    ...[String(one.item), one.kind, one.person, one.holds, one.environment ?? '', one.since ?? 'unknown', one.lastUsedAt ?? 'not known'],
    one.decision === null ? '' : `${one.decision}${one.effect === 'done' ? '' : ` (${one.effect ?? ''})`} by ${one.decidedBy ?? ''}`,
  ]);
  const head = ['ITEM', 'KIND', 'PERSON', 'HOLDS', 'ENVIRONMENT', 'SINCE', 'LAST USED', 'DECISION'];
  process.stdout.write(`${toTable([head, ...rows.map((row) => row.map((cell) => stripControls(cell)))], '')}\n`);
  return 0;
}

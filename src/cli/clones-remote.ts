// Clones of a service: asked for there, waited for, and their credentials redeemed from the one-time link.
import { setTimeout as sleep } from 'node:timers/promises';

import { toError } from '../kernel/errors.js';
import { isPassing } from './follow-run.js';
import { type Server, toErrorOf } from './server.js';

/** As `GET /v1/environments/NAME/clones/ID` has it, as far as it is needed here. */
export interface RemoteClone {
  readonly id: string;
  readonly environment: string;
  readonly for: string;
  readonly state: 'making' | 'ready' | 'dropping' | 'dropped' | 'failed';
  readonly version: number | null;
  readonly database: string | null;
  readonly error: unknown;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

const PATIENCE_MS = 10 * 60_000;
const SHORTEST_MS = 100;
const LONGEST_MS = 1000;

const toAddress = (environment: string): string => `/v1/environments/${encodeURIComponent(environment)}/clones`;

export function listThere(server: Server, environment: string): Promise<readonly RemoteClone[]> {
  return server.list<RemoteClone>(toAddress(environment));
}

/** Throws what kept it from being made. */
export async function makeThere(
  server: Server,
  environment: string,
  wanted: { readonly for: string; readonly hours: number | undefined },
): Promise<{ clone: RemoteClone; url: string }> {
  const address = toAddress(environment);
  const body = { for: wanted.for, ...(wanted.hours === undefined ? {} : { hours: wanted.hours }) };
  const { id, link } = await server.post<RemoteClone & { readonly link: string }>(address, body);
  const clone = await untilSettled(server, `${address}/${id}`, 'ready');
  const [path = '', secret = ''] = link.split('#');
  const { connection } = await server.post<{ connection: string }>(path, { secret });
  return { clone, url: connection };
}

/** Throws CLONE_UNKNOWN. */
export async function dropThere(server: Server, environment: string, purpose: string): Promise<RemoteClone> {
  const there = (await listThere(server, environment)).find(
    (one) => one.for === purpose && (one.state === 'ready' || one.state === 'making'),
  );
  if (!there) throw toError('CLONE_UNKNOWN', { name: purpose });
  const address = `${toAddress(environment)}/${there.id}`;
  await server.ask('DELETE', address);
  return untilSettled(server, address, 'dropped');
}

/** In this state, or an end that is none. */
async function untilSettled(server: Server, address: string, wanted: RemoteClone['state']): Promise<RemoteClone> {
  const startedAt = performance.now();
  for (let wait = SHORTEST_MS; ; wait = Math.min(wait * 1.5, LONGEST_MS)) {
    await sleep(wait);
    const clone = await server.ask<RemoteClone>('GET', address).catch((error: unknown) => {
      if (!isPassing(error) || performance.now() - startedAt > PATIENCE_MS) throw error;
      return undefined;
    });
    if (!clone) continue;
    if (clone.error !== null && wanted === 'ready' && clone.state !== 'making') throw toErrorOf(clone.error) ?? server.toTheirs(undefined);
    if (clone.state === wanted) return clone;
    if (clone.state === 'dropped' || clone.state === 'failed') throw toError('CLONE_UNKNOWN', { name: clone.for });
    if (performance.now() - startedAt > PATIENCE_MS) throw toError('CLONE_BUSY', { name: clone.for });
  }
}

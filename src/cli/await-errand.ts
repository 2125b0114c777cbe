// What a worker of the service is asked for, until there is an answer.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { isPassing } from './follow-run.js';
import { type Server, toErrorOf } from './server.js';

/** For so long a service that was there may be away. */
const PATIENCE_MS = 60_000;
const SHORTEST_MS = 50;
const LONGEST_MS = 500;

/** What `GET /v1/plans/ID` and its like tell, as far as it is needed here. */
interface Errand {
  readonly id: string;
  readonly endedAt: string | null;
  readonly result: unknown;
  readonly error: unknown;
}

/** T MUST be what docs/openapi.json says of `result`. Throws what went wrong there as it is thrown here. */
export async function awaitErrand<T>(
  server: Server,
  path: string,
  pipeline: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<T> {
  return (await askErrand<T>(server, path, { pipeline, ...more })).result;
}

/** The same of what is no pipeline's, with the id that it has there. */
export async function askErrand<T>(
  server: Server,
  path: string,
  body: Readonly<Record<string, unknown>>,
  /** `seenAt`: where it is looked at, by its id; `once`: with a key, so that it is carried out once however often it is sent. */
  { seenAt = path, once = true }: { readonly seenAt?: string; readonly once?: boolean } = {},
): Promise<{ readonly id: string; readonly result: T }> {
  const { id } = await server.ask<Errand>('POST', path, {
    headers: { 'Content-Type': 'application/json', ...(once && { 'Idempotency-Key': randomUUID() }) },
    body: JSON.stringify(body),
  });
  return { id, result: await toResult<T>(server, seenAt, id) };
}

/** What came of one that was asked for. Throws what went wrong there. */
export async function toResult<T>(server: Server, seenAt: string, id: string): Promise<T> {
  const { result, error } = await untilEnded(server, `${seenAt}/${encodeURIComponent(id)}`).catch((thrown: unknown) => {
    process.stderr.write(`asked    it may go on there: GET ${seenAt}/${id}\n`);
    throw thrown;
  });
  if (result === null) throw toErrorOf(error) ?? server.toTheirs(undefined);
  return result as T;
}

async function untilEnded(server: Server, path: string): Promise<Errand> {
  let heardAt = performance.now();
  for (let wait = SHORTEST_MS; ; wait = Math.min(wait * 1.5, LONGEST_MS)) {
    try {
      const errand = await server.ask<Errand>('GET', path);
      heardAt = performance.now();
      if (errand.endedAt !== null) return errand;
    } catch (error) {
      if (!isPassing(error) || performance.now() - heardAt > PATIENCE_MS) throw error;
    }
    await sleep(wait);
  }
}

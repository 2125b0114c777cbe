// Sessions of a source: opened with its time-outs, and ended so that nothing goes on at the server.
import type { Socket } from 'node:net';

import type pg from 'pg';

import { type ConnectionTarget, connect } from '../connection.js';
import { toServerError } from '../server-error.js';
import { type SourceSettings, toSessionSettings } from './source-settings.js';

const endWithinMs = 800;

/** A session with the settings of this source; those that the server's version does not know are left out. */
export async function openSession(target: ConnectionTarget, settings: SourceSettings, stage: string): Promise<pg.Client> {
  const client = await connect(target, { stage });
  try {
    const wanted = Object.entries(toSessionSettings(settings));
    await client.query(
      `SELECT pg_catalog.set_config(s.name, w.value, false)
       FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w(name, value)
         JOIN pg_catalog.pg_settings s ON s.name = w.name`,
      [wanted.map(([name]) => name), wanted.map(([, value]) => value)],
    );
    return client;
  } catch (cause) {
    await endSession(client);
    throw toServerError(cause, { connection: target.name, stage });
  }
}

/** Ends a session; one whose server does not answer is cut off. Never throws. */
export async function endSession(client: pg.Client): Promise<void> {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection;
  const timer = setTimeout(() => stream.destroy(), endWithinMs);
  await client.end().catch(() => undefined);
  clearTimeout(timer);
}

/** The session's backend, for pg_blocking_pids and pg_terminate_backend. */
export function toBackendPid(client: pg.Client): number {
  return (client as unknown as { readonly processID: number }).processID;
}

/** Ends other backends of ours, whatever they are busy with or wait for: a cut socket alone is noticed at the next write. Never throws. */
export async function terminateBackends(client: pg.Client, pids: readonly number[]): Promise<void> {
  if (pids.length === 0) return;
  const asked = client
    .query('SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.unnest($1::int[]) AS pid', [[...pids]])
    .catch(() => undefined);
  await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, endWithinMs / 2).unref())]);
}

// A report that the service computed, instead of this machine: its bytes are held against the digest that it sent, and what it says of its own log is all
// that is known of that.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type FileHandle, open, rm } from 'node:fs/promises';

import { toError } from '../kernel/errors.js';
import type { LogState, Period } from '../pipeline/report/report.js';
import { type Server, parseAnswer } from './server.js';

/** Longer than the service may take. */
const PATIENCE_MS = 11 * 60_000;

/** To the file, or to standard output. Throws what the service answers, REPORT_ALTERED or OUTPUT_UNWRITABLE. */
export async function fetchRendered(server: Server, path: string, out: string | undefined): Promise<LogState> {
  const { pieces, close, body, headers } = await server.own.stream(path, {}, PATIENCE_MS);
  if (!pieces) throw server.toTheirs(parseAnswer(body));
  const [, digest] = /^sha-256=:([A-Za-z0-9+/]{43}=):$/.exec(String(headers['repr-digest'])) ?? [];
  const file = out === undefined ? undefined : await create(out);
  const hash = createHash('sha256');
  try {
    for await (const piece of pieces) {
      hash.update(piece);
      if (file) await file.appendFile(piece);
      else if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
    }
  } catch {
    throw toError('SERVER_UNREACHABLE', { name: server.own.host });
  } finally {
    close();
    await file?.close();
  }
  if (hash.digest('base64') !== digest) {
    if (out !== undefined) await rm(out, { force: true });
    throw toError('REPORT_ALTERED', { name: server.own.host });
  }
  return toState(headers['bauta-log']);
}

export const toRenderedPath = (report: string, { from, to, zone }: Period, format: string | undefined): string => {
  const query = new URLSearchParams({ from, to, zone, ...(format === undefined ? {} : { format }) });
  return `/v1/reports/${report}?${query.toString()}`;
};

const toState = (said: unknown): LogState => (said === 'whole' || said === 'signer-unknown' ? said : 'broken');

async function create(path: string): Promise<FileHandle> {
  return open(path, 'w', 0o600).catch(() => {
    throw toError('OUTPUT_UNWRITABLE', { file: path });
  });
}

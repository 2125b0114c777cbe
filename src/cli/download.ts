// A file of a service, from the byte on that is missing, over as many connections as it takes; and only if it is the one that was answered with.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { toError } from '../kernel/errors.js';
import { isPassing } from './follow-run.js';
import { type Server, parseAnswer } from './server.js';

/** For so long nothing more may come. */
const PATIENCE_MS = 60_000;
const AGAIN_MS = 500;

export interface Wanted {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Throws ARCHIVE_PULL_BROKEN, and then keeps nothing; ARCHIVE_UNWRITABLE; or what the service answers. */
export async function download(server: Server, path: string, { file, bytes, sha256 }: Wanted): Promise<void> {
  const handle = await open(file, 'a', 0o600).catch(() => {
    throw toError('ARCHIVE_UNWRITABLE', { file });
  });
  try {
    let heardAt = performance.now();
    for (let have = (await handle.stat()).size; have < bytes;) {
      try {
        const more = await append(server, path, handle, have, bytes);
        if (more > 0) heardAt = performance.now();
        have += more;
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
      if (have < bytes && performance.now() - heardAt > PATIENCE_MS) throw toError('SERVER_UNREACHABLE', { name: server.own.host });
      if (have < bytes) await sleep(AGAIN_MS);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if ((await digestOf(file)) === sha256) return;
  await rm(file, { force: true });
  throw toError('ARCHIVE_PULL_BROKEN', { name: server.own.host });
}

/** What came until the connection ended. */
async function append(server: Server, path: string, handle: FileHandle, from: number, bytes: number): Promise<number> {
  const { status, pieces, close, body } = await server.own.stream(path, { Range: `bytes=${from}-` });
  if (!pieces) throw server.toTheirs(parseAnswer(body));
  // A service that does not know of ranges would begin anew.
  const skip = status === 206 ? 0 : from;
  let [came, written] = [0, 0];
  try {
    for await (const piece of pieces) {
      const rest = piece.subarray(Math.max(0, Math.min(piece.length, skip - came))).subarray(0, bytes - from - written);
      came += piece.length;
      if (rest.length > 0) await handle.appendFile(rest);
      written += rest.length;
      if (written === bytes - from) break;
    }
  } finally {
    close();
  }
  return written;
}

async function digestOf(file: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const chunk of createReadStream(file)) digest.update(chunk as Buffer);
  return digest.digest('hex');
}

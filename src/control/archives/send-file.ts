// A sealed archive as it lies there, or the rest of it from a byte on.
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

import { toError } from '../../kernel/errors.js';
import type { Request, Response } from '../http/http.js';

/** Throws RESOURCE_UNKNOWN where it is gone, and ARCHIVE_RANGE. What breaks later cuts the answer. */
export async function sendFile(path: string, bytes: number, request: Request, response: Response): Promise<void> {
  const [, from] = /^bytes=(\d{1,15})-$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const file = await open(path, 'r').catch(() => {
    throw toError('RESOURCE_UNKNOWN', { type: 'archive' });
  });
  const { size } = await file.stat();
  // Another file by that name is not what was asked for.
  if (size !== bytes || start >= bytes) {
    await file.close();
    throw size === bytes ? toError('ARCHIVE_RANGE', { amount: `${bytes} bytes` }) : toError('RESOURCE_UNKNOWN', { type: 'archive' });
  }
  const part = from === undefined ? {} : { 'Content-Range': `bytes ${start}-${bytes - 1}/${bytes}` };
  const head = { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes - start, 'Accept-Ranges': 'bytes', ...part };
  response.writeHead(from === undefined ? 200 : 206, head);
  // A caller that is gone is no failure of ours; the stream closes the file.
  await pipeline(file.createReadStream({ start, end: bytes - 1 }), response).catch(() => undefined);
}

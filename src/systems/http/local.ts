// To a server on this very machine, over plain HTTP: what never leaves it needs no certificate. No redirect, no proxy, no compression; limits of time and size.
import { request as sendHere } from 'node:http';

import { toError } from '../../kernel/errors.js';
import type { HttpAnswer, HttpRequest } from './exchange.js';

const here = ['127.0.0.1', '[::1]', 'localhost'];

/** Throws HTTP_* like the client for everywhere else. */
export async function sendLocally(request: HttpRequest): Promise<HttpAnswer> {
  const url = new URL(request.url);
  if (url.protocol !== 'http:' || !here.includes(url.hostname)) throw toError('HTTP_ADDRESS_INVALID');
  const { method = 'GET', headers = {}, body, timeoutMs = 10_000, limitBytes = 1_048_576 } = request;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = request.signal === undefined ? limit : AbortSignal.any([limit, request.signal]);
  try {
    return await new Promise((done, failed) => {
      const sent = sendHere(url, {
        method,
        headers: { 'User-Agent': 'bauta', ...headers, 'Accept-Encoding': 'identity' },
        signal,
        agent: false,
      });
      sent.once('error', failed);
      sent.once('response', (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > limitBytes) sent.destroy(new Error('too long'));
          else chunks.push(chunk);
        });
        response.once('error', failed);
        response.once('end', () => done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      });
      sent.end(body);
    });
  } catch {
    if (limit.aborted) throw toError('HTTP_TIMEOUT', { name: url.host, amount: `${timeoutMs} ms` });
    throw toError('HTTP_UNREACHABLE', { name: url.host });
  }
}

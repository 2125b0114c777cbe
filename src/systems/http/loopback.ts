// HTTP without TLS to this very machine: a command line that speaks to the service beside it. To nowhere else, whatever a name says.
import { request as send } from 'node:http';

import { toError } from '../../kernel/errors.js';

export interface LoopbackRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

const LIMIT_BYTES = 1 << 20;

export const isLoopback = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);

/** MUST be given an address that `isLoopback`. Throws SERVER_UNREACHABLE; a redirect is an answer, and is not followed. */
export function sendToLoopback({
  method,
  url: text,
  headers,
  timeoutMs,
}: LoopbackRequest): Promise<{ readonly status: number; readonly body: Buffer }> {
  const url = new URL(text);
  if (!isLoopback(url)) throw toError('HTTP_HOST_NOT_ALLOWED', { name: url.host });
  const failed = (): Error => toError('SERVER_UNREACHABLE', { name: url.host });
  return new Promise((resolve, reject) => {
    const options = {
      ...{ method, headers, port: url.port, path: `${url.pathname}${url.search}`, agent: false as const },
      ...{ host: url.hostname === '[::1]' ? '::1' : '127.0.0.1', signal: AbortSignal.timeout(timeoutMs) },
    };
    const asked = send(options, (answer) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (part: Buffer) => {
        bytes += part.length;
        parts.push(part);
        if (bytes > LIMIT_BYTES) asked.destroy(failed());
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts) }));
      answer.on('error', () => reject(failed()));
    });
    asked.on('error', () => reject(failed()));
    asked.end();
  });
}

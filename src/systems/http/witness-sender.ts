// How a witness is asked: at the address that the operator's own policy file names, which needs no second list. Elsewhere than on this machine by TLS.
import { toError } from '../../kernel/errors.js';
import type { HttpAnswer, HttpRequest } from './exchange.js';
import { sendLocally } from './local.js';

interface Client {
  send(request: HttpRequest): Promise<HttpAnswer>;
}

/** `prefix`: the witness's submission prefix; `name`: what errors call it; `open`: a client for these hosts. Throws WITNESS_UNREACHABLE; an answer of any status is an answer. */
export function toWitnessSender(
  prefix: string,
  name: string,
  open: (hosts: string) => Client,
): (body: string) => Promise<{ status: number; body: string }> {
  const url = new URL(`${prefix.replace(/\/$/, '')}/add-checkpoint`);
  const send = url.protocol === 'http:' ? sendLocally : toSender(url, open);
  return async (body) => {
    try {
      const headers = { 'Content-Type': 'text/plain; charset=utf-8' };
      const answer = await send({ method: 'POST', url: url.href, headers, body, limitBytes: 65_536 });
      return { status: answer.status, body: answer.body.toString('utf8') };
    } catch {
      throw toError('WITNESS_UNREACHABLE', { name });
    }
  };
}

function toSender({ hostname, port }: URL, open: (hosts: string) => Client): (request: HttpRequest) => Promise<HttpAnswer> {
  const client = open(`${hostname}:${port === '' ? 443 : port}=0.0.0.0/0+::/0`);
  return (request) => client.send(request);
}

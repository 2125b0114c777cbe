// The client of a server that the operator names in a setting, such as Vault: no list of hosts has a say, but it is https with a certificate that is
// verified whatever the environment says, or this machine. No redirect, no proxy, no compression; limits of time and size; nothing throws.
import { Agent as HereAgent, type IncomingMessage, request as sendHere } from 'node:http';
import { Agent, request as sendThere } from 'node:https';

const TIMEOUT_MS = 10_000;
const LIMIT_BYTES = 1_048_576;

export interface OperatorRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
}

/**
 * An answer of any status but a redirect, with its JSON (undefined where it is none); or why there is none: `unsent` was certainly not carried out,
 * `cut` may have been; `certificate` and `answer` are refused by us, and asking again changes nothing.
 */
export type OperatorAnswer =
  | { readonly statusCode: number; readonly body: unknown; readonly failed?: never }
  | { readonly failed: 'unsent' | 'cut' | 'certificate' | 'answer' };

export class OperatorServer {
  private readonly there: Agent;
  private readonly here = new HereAgent({ keepAlive: true });

  /** `ca`: certificates of the authority, PEM, instead of those that Node trusts. */
  constructor(ca?: string) {
    // Said in so many words: a variable of the environment could switch the check off for all of Node.
    this.there = new Agent({ keepAlive: true, rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) });
  }

  send({ method, url: text, headers, json }: OperatorRequest): Promise<OperatorAnswer> {
    const body = json === undefined ? undefined : Buffer.from(JSON.stringify(json));
    const url = new URL(text);
    const length = body && { 'Content-Type': headers['Content-Type'] ?? 'application/json', 'Content-Length': body.length };
    const options = {
      method,
      headers: { 'User-Agent': 'bauta', ...headers, 'Accept-Encoding': 'identity', ...length },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    return new Promise((done) => {
      const onAnswer = (answer: IncomingMessage): void => void read(answer).then(done);
      const sent =
        url.protocol === 'https:'
          ? sendThere(url, { ...options, agent: this.there }, onAnswer)
          : sendHere(url, { ...options, agent: this.here }, onAnswer);
      // Node's text may quote the address and what stands in a certificate.
      sent.on('error', ({ code = '' }: NodeJS.ErrnoException) => done({ failed: toFailed(code) }));
      sent.end(body);
    });
  }

  close(): void {
    this.there.destroy();
    this.here.destroy();
  }
}

function toFailed(code: string): NonNullable<OperatorAnswer['failed']> {
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) return 'certificate';
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code) ? 'unsent' : 'cut';
}

async function read(answer: IncomingMessage): Promise<OperatorAnswer> {
  const { statusCode = 0, headers } = answer;
  const refused = (statusCode >= 300 && statusCode < 400) || (headers['content-encoding'] ?? 'identity') !== 'identity';
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    if (!refused)
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > LIMIT_BYTES) break;
        chunks.push(chunk);
      }
  } catch {
    return { failed: 'cut' };
  }
  if (refused || bytes > LIMIT_BYTES) {
    answer.destroy();
    return { failed: 'answer' };
  }
  return { statusCode, body: parse(Buffer.concat(chunks).toString()) };
}

/** What is no JSON is not Vault's: a proxy between may answer in its place, with a status that counts all the same. */
function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

// The log of one's own service, read over its API by whoever has a token for it: an auditor at a command line names the server, so that no list of
// hosts has a say; but it has to be https, or this machine.
import { toError } from '../../kernel/errors.js';
import type { LogFiles } from '../../pipeline/audit/audit.js';

const TIMEOUT_MS = 30_000;

/** Throws HTTP_ADDRESS_INVALID. Reading throws TOKEN_INVALID, ACCESS_DENIED, HTTP_UNREACHABLE or HTTP_ANSWER_REFUSED; what is not there is undefined. */
export function openServiceLog(server: string, token: string): LogFiles {
  const { origin, host } = parseServer(server);
  const get = async (path: string): Promise<Buffer | undefined> => {
    let answer: Response;
    try {
      answer = await fetch(`${origin}/v1/audit/log${path}`, {
        headers: { Authorization: `Bearer ${token}`, 'User-Agent': 'bauta' },
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw toError('HTTP_UNREACHABLE', { name: host });
    }
    if (answer.status === 401) throw toError('TOKEN_INVALID');
    if (answer.status === 403) throw toError('ACCESS_DENIED', { name: 'audit:read', expected: 'auditor' });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw toError('HTTP_ANSWER_REFUSED', { name: host, expected: '200 or 404' });
    return Buffer.from(await answer.arrayBuffer());
  };
  return {
    read: (path) => get(`/${path}`),
    // A server has no folders to look into: only the chain itself is listed.
    list: async (path) => (path === '' ? parseNames(await get(''), host) : []),
  };
}

function parseServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const local = url?.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (!url || (url.protocol !== 'https:' && !local) || url.username !== '' || url.password !== '') throw toError('HTTP_ADDRESS_INVALID');
  return url;
}

function parseNames(body: Buffer | undefined, name: string): readonly string[] {
  try {
    const { logs } = JSON.parse(body?.toString('utf8') ?? '') as { logs: readonly { readonly name: unknown }[] };
    return logs.map((log) => log.name).filter((one) => typeof one === 'string');
  } catch {
    throw toError('HTTP_ANSWER_REFUSED', { name, expected: 'the list of logs' });
  }
}

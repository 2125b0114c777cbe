// The APIs of GitHub, GitLab and Azure DevOps as far as they are answered by a gate, by what their vendors document: what they would not take is a
// problem. TLS on loopback.
import { createVerify } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import type { Authority } from './certificates.js';

export interface Said {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

export interface VendorApis {
  readonly port: number;
  /** What was answered by gates, in order; requests for tokens are not among it. */
  readonly told: Said[];
  readonly problems: string[];
  /** Called before a path is answered; what it gives is answered in its place. */
  before: (path: string) => Promise<{ status: number; headers?: Record<string, string>; answer?: string } | undefined>;
  stop(): Promise<void>;
}

export interface VendorSecrets {
  /** PEM of the App's public key. */
  readonly appKey: string;
  readonly installation: string;
  readonly gitlab: string;
  readonly azure: string;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export async function startVendorApis(authority: Authority, names: readonly string[], secrets: VendorSecrets): Promise<VendorApis> {
  const { key, cert } = authority.issue(names.map((name) => `DNS:${name}`));
  const [told, problems]: [Said[], string[]] = [[], []];
  const requireThat = (isSo: boolean, what: string): void => void (isSo || problems.push(what));
  const server: Server = createServer({ key, cert }, (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const path = request.url ?? '';
      void apis.before(path).then((instead) => {
        const body = JSON.parse(text) as Record<string, unknown>;
        const said = { path, headers: request.headers, body };
        requireThat(
          request.method === 'POST' && /^application\/json/.test(request.headers['content-type'] ?? ''),
          `${path}: no JSON by POST`,
        );
        const { status, headers = {}, answer = '' } = instead ?? answerTo(said);
        response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(answer);
      });
    });
  });
  const apis: { before: VendorApis['before'] } = { before: () => Promise.resolve(undefined) };

  function answerTo(said: Said): { status: number; headers?: Record<string, string>; answer?: string } {
    const { path } = said;
    if (/^\/app\/installations\/\d+\/access_tokens$/.test(path)) return giveToken(said);
    told.push(said);
    if (path.startsWith('/repos/')) return takeReview(said);
    if (path.startsWith('/api/v4/')) return takeStatus(said);
    return takeEvent(said);
  }

  /** docs.github.com, "Create an installation access token for an app". */
  function giveToken({ headers, body }: Said): { status: number; answer?: string } {
    const [head = '', claims = '', signature = ''] = (headers.authorization ?? '').replace(/^Bearer /, '').split('.');
    const isSigned = createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(secrets.appKey, signature, 'base64url');
    const parse = (part: string): Record<string, number> => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, number>;
    const { iat = 0, exp = 0, iss } = parse(claims);
    const now = Date.now() / 1000;
    if (!isSigned || String(iss) !== '1234' || iat > now || exp < now || exp - now > 600) return { status: 401 };
    requireThat(JSON.stringify(body['permissions']) === '{"deployments":"write"}', 'an installation token that may do more than it is for');
    return {
      status: 201,
      answer: JSON.stringify({ token: secrets.installation, expires_at: new Date(Date.now() + 3_600_000).toISOString() }),
    };
  }

  /** docs.github.com, "Review custom deployment protection rules for a workflow run". */
  function takeReview({ path, headers, body }: Said): { status: number } {
    if (headers.authorization !== `Bearer ${secrets.installation}`) return { status: 401 };
    requireThat(/^\/repos\/[\w-]+\/[\w.-]+\/actions\/runs\/\d+\/deployment_protection_rule$/.test(path), `GitHub has no ${path}`);
    requireThat(headers.accept === 'application/vnd.github+json' && headers['x-github-api-version'] !== undefined, 'no version of the API');
    requireThat(Object.keys(body).sort().join() === 'comment,environment_name,state', `GitHub knows no ${Object.keys(body).join()}`);
    requireThat(['approved', 'rejected'].includes(String(body['state'])), 'neither approved nor rejected');
    requireThat(String(body['comment']).length <= 1024, 'a comment of more than 1024 characters');
    return { status: 204 };
  }

  /** docs.gitlab.com, "Set status of an external status check". */
  function takeStatus({ path, headers, body }: Said): { status: number; answer?: string } {
    if (headers['private-token'] !== secrets.gitlab) return { status: 401 };
    requireThat(/^\/api\/v4\/projects\/\d+\/merge_requests\/\d+\/status_check_responses$/.test(path), `GitLab has no ${path}`);
    requireThat(Object.keys(body).sort().join() === 'external_status_check_id,sha,status', `GitLab knows no ${Object.keys(body).join()}`);
    requireThat(['passed', 'failed', 'pending'].includes(String(body['status'])), 'no status of GitLab');
    return { status: 201, answer: '{}' };
  }

  /** learn.microsoft.com, "Invoke Azure Function / REST API checks": the completion event. */
  function takeEvent({ path, headers, body }: Said): { status: number } {
    if (headers.authorization !== `Bearer ${secrets.azure}`) return { status: 401 };
    const form =
      /^\/acme\/[0-9a-f-]{36}\/_apis\/distributedtask\/hubs\/[A-Za-z]+\/plans\/[0-9a-f-]{36}\/events\?api-version=2\.0-preview\.1$/;
    requireThat(form.test(path), `Azure DevOps has no ${path}`);
    requireThat(
      Object.keys(body).sort().join() === 'jobId,name,result,taskId' && body['name'] === 'TaskCompleted',
      'no TaskCompleted event',
    );
    requireThat(['succeeded', 'failed'].includes(String(body['result'])), 'no result of a task');
    requireThat(uuid.test(String(body['taskId'])) && uuid.test(String(body['jobId'])), 'ids that are none');
    return { status: 204 };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(apis, {
    ...{ port: (server.address() as AddressInfo).port, told, problems },
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

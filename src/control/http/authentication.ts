// Who asks: a token of 256 random bits, known to us only as its HMAC under the server's key, or an identity token that a trusted issuer signed. Runs
// before anything else of a request is read.
import { createHmac, randomBytes } from 'node:crypto';

import type { NextFunction, Request, Response } from './exchange.js';

import { toError, toKnownError } from '../../kernel/errors.js';
import type { Identity, Metadata } from '../../systems/metadata/metadata.js';
import { isIdentityToken } from '../../systems/oidc/oidc.js';
import { type Access, accessOf, setAccess } from './access.js';
import { sendProblem } from './problem.js';

const open = new Set(['/v1/health/live', '/v1/health/ready']);
const signed = /^\/v1\/(webhooks\/[^/]+|gates\/[^/]+\/(github|gitlab|kubernetes\/[^/]+\/[^/]+))$/;
const FIRST = 'bauta_first_';
const FORM = /^bauta_(first_)?[A-Za-z0-9_-]{43}$/;

export const newSecret = (kind: 'token' | 'first'): string => (kind === 'first' ? FIRST : 'bauta_') + randomBytes(32).toString('base64url');

export function toSecretDigest(secret: string, serverKey: Uint8Array): Buffer {
  return createHmac('sha256', serverKey).update(secret).digest();
}

/** A delivery comes with a signature of its body instead, which its route looks at. */
export const isSigned = ({ path, method }: Pick<Request, 'path' | 'method'>): boolean => method === 'POST' && signed.test(path);

/** A link says what it opens by the secret that it comes with. */
const link = /^\/v1\/links\/[^/]+$/;

/** Which workspace an identity token is for. A token of ours knows that by itself. */
const WORKSPACE = 'bauta-workspace';

export interface AuthenticationOptions {
  readonly metadata: Metadata;
  readonly serverKey: Uint8Array;
  /** Whom an identity token stands for in a workspace. Throws what is answered then. */
  readonly identify: (token: string, workspace: string) => Promise<Identity>;
  /** Asked while the metadata database is away: true where it has answered, by what it knows without it. */
  readonly away?: (request: Request, response: Response) => Promise<boolean>;
}

/** A review of access needs to know what nobody uses, not the minute: a write for each request would be what a flood needs. */
const NOTED_MS = 3_600_000;
const NOTED = 10_000;

export class Authentication {
  readonly #noted = new Map<string, number>();

  constructor(private readonly options: AuthenticationOptions) {}

  /** Express middleware: 401 for whoever did not say who he is, also where there is nothing. */
  readonly middleware = (request: Request, response: Response, next: NextFunction): void => {
    if (open.has(request.path) && (request.method === 'GET' || request.method === 'HEAD')) return next();
    if (isSigned(request) || link.test(request.path)) return next();
    this.identify(request).then(
      (access) => {
        setAccess(request, { ...accessOf(request), ...access });
        next();
      },
      async (error: unknown) => {
        const isAway = toKnownError(error).code === 'METADATA_UNREACHABLE';
        const answered = isAway && (await this.options.away?.(request, response).catch(() => false));
        if (answered !== true) sendProblem(error, request, response);
      },
    );
  };

  private async noteUse(token: string): Promise<void> {
    const now = performance.now();
    const before = this.#noted.get(token);
    if (before !== undefined && now - before < NOTED_MS) return;
    await this.options.metadata.query('SELECT bauta.note_token_use($1)', [token]);
    if (this.#noted.size >= NOTED) this.#noted.clear();
    this.#noted.set(token, now);
  }

  private async identify(request: Request): Promise<Pick<Access, 'caller' | 'first'>> {
    const secret = toSecret(request);
    if (secret === undefined) throw toError('TOKEN_MISSING');
    const { metadata, serverKey, identify } = this.options;
    if (isIdentityToken(secret)) {
      const workspace = [request.headers[WORKSPACE] ?? 'default'].flat().join();
      return { caller: await identify(secret, workspace) };
    }
    if (!FORM.test(secret)) throw toError('TOKEN_INVALID');
    const digest = toSecretDigest(secret, serverKey);
    if (secret.startsWith(FIRST)) {
      const [row] = await metadata.query<{ id: string | null }>('SELECT bauta.find_first_token($1) AS id', [digest]);
      if (!row?.id) throw toError('TOKEN_INVALID');
      return { first: { workspaceId: row.id, digest } };
    }
    const [row] = await metadata.query<{
      id: string;
      workspace_id: string;
      person_id: string;
      owner_id: string;
      person: string;
      roles: string[];
    }>('SELECT id, workspace_id, person_id, owner_id, person, roles FROM bauta.find_token($1)', [digest]);
    if (!row) throw toError('TOKEN_INVALID');
    await this.noteUse(row.id);
    const { id: tokenId, workspace_id: workspaceId, person_id: personId, owner_id: ownerId, person, roles } = row;
    return { caller: { tokenId, workspaceId, personId, ownerId, person, roles } };
  }
}

/** A browser cannot send a bearer token when it opens a page: the pages about the API take it as a password, and nothing else does. */
function toSecret(request: Request): string | undefined {
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme.toLowerCase() === 'bearer') return value;
  const isPage = request.method === 'GET' && /^\/openapi(\.json|\/|$)/.test(request.path);
  if (scheme.toLowerCase() === 'basic' && isPage) return Buffer.from(value, 'base64').toString('utf8').split(':')[1];
  return undefined;
}

// One process's dealings with Vault: logs in at the first need, keeps its token alive, logs in again when that is gone, and waits for a Vault that is
// sealed or away, so long and no longer. What Vault says in words goes no further than this.
import { setTimeout as sleep } from 'node:timers/promises';

import nodeVault from 'node-vault';

import { type BautaError, toError } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';
import { type ReadOwn, type VaultSettings, readLogin } from './login.js';

/** How HTTP is spoken: node-vault's own client follows redirects with the token, takes a proxy from the environment and reads without a limit. */
export interface VaultHttp {
  send(request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly json?: unknown;
  }): Promise<
    | { readonly statusCode: number; readonly body: unknown; readonly failed?: never }
    | { readonly failed: 'unsent' | 'cut' | 'certificate' | 'answer' }
  >;
  close(): void;
}

export interface SessionOptions {
  readonly settings: VaultSettings;
  readonly readOwn: ReadOwn;
  readonly http: VaultHttp;
}

export interface Ask {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
  /** What it does would be done twice: it is asked again only where it certainly was not carried out. */
  readonly once?: boolean;
  /** How long a Vault that is sealed or away is waited for; default BAUTA_VAULT_WAIT_MS. */
  readonly waitMs?: number;
}

export type Answer = Readonly<Record<string, unknown>>;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;

/** Time can mend it. */
class Away extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly sent: boolean,
  ) {
    super(code);
    this.name = 'Away';
  }
}

/** Vault's status of a request that it did not carry out. */
class Refused extends Error {
  constructor(readonly status: number) {
    super('refused');
    this.name = 'Refused';
  }
}

class Unanswered extends Error {
  constructor(readonly failed: 'unsent' | 'cut' | 'certificate' | 'answer') {
    super(failed);
    this.name = 'Unanswered';
  }
}

/** What node-vault hands over. */
interface NodeVaultRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export class VaultSession {
  private readonly client: ReturnType<typeof nodeVault>;
  private readonly closing = new AbortController();
  private token: Promise<string> | undefined;
  /** What `token` came to. */
  private held: string | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SessionOptions) {
    const { settings, http } = options;
    const send = async (request: NodeVaultRequest): Promise<object> => {
      const { method, uri, headers, json } = request;
      const answer = await http.send({ method, url: uri, headers: { ...headers, 'X-Vault-Request': 'true' }, json });
      if (answer.failed !== undefined) throw new Unanswered(answer.failed);
      return { ...answer, request: { path: new URL(uri).pathname } };
    };
    this.client = nodeVault({
      endpoint: settings.BAUTA_VAULT,
      'request-promise': { defaults: () => send },
      // Its own would print what is written and read wherever DEBUG is set.
      debug: () => undefined,
    });
    // Else it takes what VAULT_TOKEN, VAULT_NAMESPACE and VAULT_PREFIX of the environment say.
    Object.assign(this.client, { token: '', namespace: settings.BAUTA_VAULT_NAMESPACE, pathPrefix: '' });
  }

  /** Undefined where there is nothing. Throws VAULT_*. */
  async ask(ask: Ask): Promise<Answer | undefined> {
    for (let renewed = false; ; renewed = true) {
      const token = await this.logIn(ask.waitMs);
      try {
        return await this.patiently(ask, token);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.status === 404) return undefined;
        if (error.status !== 403) throw toError('VAULT_REQUEST_REFUSED', { path: ask.path });
        // Vault says the same of a token that is gone as of one that may not.
        if (renewed || (await this.isAlive(token))) throw toError('VAULT_DENIED', { path: ask.path });
        this.forget(token);
      }
    }
  }

  /** Ends what it can of what Vault keeps for this process. Never throws: what stays ends by its time. */
  async close(keepToken = false): Promise<void> {
    clearTimeout(this.timer);
    this.closing.abort();
    const token = await this.token?.catch(() => undefined);
    if (token !== undefined && !keepToken && this.options.settings.BAUTA_VAULT_AUTH !== 'token')
      await this.send({ method: 'POST', path: 'auth/token/revoke-self' }, token).catch(() => undefined);
    this.options.http.close();
  }

  private logIn(waitMs: number | undefined): Promise<string> {
    this.token ??= this.obtain(waitMs).catch((error: unknown) => {
      this.token = undefined;
      throw error;
    });
    return this.token;
  }

  private async obtain(waitMs: number | undefined): Promise<string> {
    const login = await readLogin(this.options.settings, this.options.readOwn);
    try {
      if ('token' in login) {
        const known = await this.patiently({ method: 'GET', path: 'auth/token/lookup-self', ...withWait(waitMs) }, login.token);
        const { ttl, renewable } = (known['data'] ?? {}) as Answer;
        return this.hold(login.token, ttl, renewable);
      }
      const { path, body } = login;
      const { auth = {} } = (await this.patiently({ method: 'POST', path, body, ...withWait(waitMs) })) as { auth?: Answer };
      const { client_token: token, lease_duration: ttl, renewable } = auth;
      if (typeof token !== 'string') throw toError('VAULT_ANSWER_REFUSED');
      return this.hold(token, ttl, renewable);
    } catch (error) {
      throw error instanceof Refused ? toError('VAULT_LOGIN_REFUSED', { name: this.options.settings.BAUTA_VAULT_AUTH }) : error;
    }
  }

  private hold(token: string, ttl: unknown, renewable: unknown): string {
    this.held = token;
    this.renewBefore(token, ttl, renewable);
    return token;
  }

  /** At two thirds of its time. A token that cannot be renewed is left; the next need logs in. */
  private renewBefore(token: string, ttl: unknown, renewable: unknown, share = 2 / 3): void {
    clearTimeout(this.timer);
    if (typeof ttl !== 'number' || ttl <= 0 || this.closing.signal.aborted) return;
    const renew = async (): Promise<void> => {
      if (renewable !== true) return this.forget(token);
      try {
        const answer = await this.send({ method: 'POST', path: 'auth/token/renew-self' }, token);
        const { lease_duration: next, renewable: again } = (answer['auth'] ?? {}) as Answer;
        // It nears the end that nobody may put off.
        if (typeof next !== 'number' || next < ttl / 4) this.forget(token);
        else this.renewBefore(token, next, again);
      } catch (error) {
        if (error instanceof Refused) this.forget(token);
        // Away: so often as the rest of its time allows.
        else if (ttl > 1) this.renewBefore(token, ttl / 3, true);
        else this.forget(token);
      }
    };
    this.timer = setTimeout(() => void renew(), Math.min(ttl * share * 1000, 2_000_000_000));
    this.timer.unref();
  }

  private forget(token: string): void {
    if (this.held !== token) return;
    this.held = undefined;
    this.token = undefined;
  }

  private async isAlive(token: string): Promise<boolean> {
    try {
      await this.patiently({ method: 'GET', path: 'auth/token/lookup-self' }, token);
      return true;
    } catch (error) {
      if (error instanceof Refused) return false;
      throw error;
    }
  }

  /** Waits twice as long each time, at random from half of it, until the limit; then it fails. */
  private async patiently(ask: Ask, token?: string): Promise<Answer> {
    const { waitMs = this.options.settings.BAUTA_VAULT_WAIT_MS } = ask;
    const startedAt = performance.now();
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        return await this.send(ask, token);
      } catch (error) {
        if (!(error instanceof Away)) throw error;
        const left = waitMs - (performance.now() - startedAt);
        if (left <= 0 || (ask.once && error.sent) || this.closing.signal.aborted) throw toError(error.code);
        await this.pause(Math.min(left, wait * (0.5 + Math.random() / 2)));
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.closing.signal }).catch(() => undefined);
  }

  /** Throws Away, Refused, or what no time mends. */
  private async send({ method, path, body }: Ask, token?: string): Promise<Answer> {
    try {
      const headers = token === undefined ? {} : { 'X-Vault-Token': token };
      const answer: unknown = await this.client.request({ method, path: `/${path}`, headers, ...(body && { json: body }) });
      return typeof answer === 'object' && answer !== null ? (answer as Answer) : {};
    } catch (error) {
      throw toKnown(error);
    }
  }
}

const withWait = (waitMs: number | undefined): Pick<Ask, 'waitMs'> => (waitMs === undefined ? {} : { waitMs });

function toKnown(error: unknown): Away | Refused | BautaError {
  if (error instanceof Unanswered) {
    if (error.failed === 'certificate') return toError('VAULT_CERTIFICATE_REFUSED');
    return error.failed === 'answer' ? toError('VAULT_ANSWER_REFUSED') : new Away('VAULT_UNREACHABLE', error.failed === 'cut');
  }
  const { statusCode = 0, body } =
    (error as { readonly response?: { readonly statusCode: number; readonly body: unknown } }).response ?? {};
  // 412: what was asked for is not on this node yet; 429, 473: this one does not answer now.
  if (statusCode === 503) return new Away(/sealed/i.test(JSON.stringify(body) ?? '') ? 'VAULT_SEALED' : 'VAULT_UNREACHABLE', false);
  if ([412, 429, 472, 473].includes(statusCode)) return new Away('VAULT_UNREACHABLE', false);
  if (statusCode >= 500 || statusCode === 0) return new Away('VAULT_UNREACHABLE', true);
  return new Refused(statusCode);
}

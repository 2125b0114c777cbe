// How AWS is asked: with limits of time and tries, where the settings say and nowhere else. What it says in words goes no further than this.
import type { Settings } from '../../config/settings.js';
import { toError } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';

export type AwsSettings = Pick<Settings, 'BAUTA_AWS_REGION' | 'BAUTA_AWS_KMS_ENDPOINT' | 'BAUTA_AWS_SECRETS_ENDPOINT'>;

const TRIES = 4;

/** Of every client. Credentials are those of the SDK's own chain: a pod's, an instance's, a profile's, or of the environment. Throws AWS_UNSET. */
export function toClientOptions({ BAUTA_AWS_REGION: region }: AwsSettings, endpoint: string): ClientOptions {
  if (region === '') throw toError('AWS_UNSET');
  // It would say on standard error which Node its later versions need; ours is pinned.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return {
    region,
    ...(endpoint === '' ? {} : { endpoint }),
    // AWS_ENDPOINT_URL and profiles may say http:// to anywhere.
    ignoreConfiguredEndpointUrls: true,
    maxAttempts: TRIES,
    retryMode: 'standard',
    requestHandler: {
      ...{ connectionTimeout: 3000, requestTimeout: 10_000, throwOnRequestTimeout: true },
      // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      httpsAgent: { keepAlive: true, rejectUnauthorized: true },
    },
  };
}

interface ClientOptions {
  readonly region: string;
  readonly endpoint?: string;
  readonly ignoreConfiguredEndpointUrls: true;
  readonly maxAttempts: number;
  readonly retryMode: 'standard';
  readonly requestHandler: object;
}

/** `path`: what it is about, a name or an alias. `useful`: errors of AWS that the caller goes on with, by their names. Throws AWS_*. */
export async function ask<Answer extends object>(path: string, send: () => Promise<Answer>): Promise<Answer>;
export async function ask<Answer extends object, Useful extends string>(
  path: string,
  send: () => Promise<Answer>,
  useful: readonly Useful[],
): Promise<Answer | Useful>;
export async function ask(path: string, send: () => Promise<object>, useful: readonly string[] = []): Promise<object | string> {
  try {
    return await send();
  } catch (error) {
    const { name, status } = readFailure(error);
    if (useful.includes(name)) return name;
    const code = toCode(name, status);
    throw code === undefined ? error : toError(code, { path });
  }
}

const denied = /^(AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken|InvalidClientTokenId|IncompleteSignature|NotAuthorized)/;
const busy = /^(Throttl|TooManyRequests|RequestLimitExceeded|DependencyTimeout|KMSInternal|KeyUnavailable|InternalService)/;
/** Of Node and of the SDK, before there is an answer, or where there is none that can be read. */
const unanswered = /^(TimeoutError|AbortError|NetworkingError|SyntaxError|Error)$/;

function toCode(name: string, status: number | undefined): ErrorCode | undefined {
  if (/^(CredentialsProvider|TokenProvider|ProviderError)/.test(name)) return 'AWS_CREDENTIALS_MISSING';
  if (denied.test(name) || status === 401 || status === 403) return 'AWS_DENIED';
  if (busy.test(name) || status === 429 || (status !== undefined && status >= 500)) return 'AWS_UNREACHABLE';
  if (status !== undefined && status >= 400) return 'AWS_REQUEST_REFUSED';
  // An answer of 200 that is none of AWS, or no answer.
  return status !== undefined || unanswered.test(name) ? 'AWS_UNREACHABLE' : undefined;
}

/** Only its name and its status are looked at. */
function readFailure(error: unknown): { readonly name: string; readonly status?: number } {
  if (typeof error !== 'object' || error === null) return { name: '' };
  const { name, $metadata: metadata } = error as { readonly name?: unknown; readonly $metadata?: { readonly httpStatusCode?: unknown } };
  const status = metadata?.httpStatusCode;
  return { name: typeof name === 'string' ? name : '', ...(typeof status === 'number' ? { status } : {}) };
}

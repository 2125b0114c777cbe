// `bauta pull`: the archive of what an environment has now, from a service. Its key comes sealed to an identity that is made for this pull and kept
// nowhere; its bytes come as they lie there, from where an earlier attempt left off.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { parseSettings } from '../config/settings.js';
import { toError } from '../kernel/errors.js';
import { type Verifier, parseVerifierKey } from '../kernel/signed-note.js';
import type { HandedOut } from '../pipeline/hand-out.js';
import { ArchiveFile, newIdentity, toRecipient, unsealBytes } from '../systems/archive/archive.js';
import { askErrand } from './await-errand.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { download } from './download.js';
import { loadOpened, resolve } from './load.js';
import { type Server, requireServer } from './server.js';
import { readVerifier } from './verifier-key.js';

export interface PullOptions extends GlobalOptions {
  readonly environmentName: string;
  readonly into?: string;
  readonly output?: string;
  readonly recipient?: string;
  readonly pipeline?: string;
  readonly key?: string;
  readonly confirm?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

type Answer = HandedOut & { readonly log: string | null };

export async function pull(options: PullOptions): Promise<number> {
  const { into, output, environmentName, pipeline } = options;
  if ((into === undefined) === (output === undefined))
    throw toError('OPTION_MISSING', { name: 'one of --into and --output', expected: 'bauta pull --help' });
  const environment = options.environment ?? process.env;
  const settings = parseSettings(environment);
  const server = await requireServer(options, 'pull');
  // What is wrong with the place is known before anything is asked for.
  const place = into === undefined ? undefined : await resolve(into, environment, settings);
  const identity = await newIdentity();
  const asked = { environment: environmentName, recipient: await toRecipient(identity), ...(pipeline === undefined ? {} : { pipeline }) };
  const { id, result } = await askErrand<Answer>(server, '/v1/archives', asked);
  const verifier = await toVerifier(options.key, result);
  const keep = output === undefined ? undefined : { file: output, recipients: options.recipient === undefined ? [] : [options.recipient] };
  return withSealed(server, `/v1/archives/${encodeURIComponent(id)}/file`, result, output, async (sealed) => {
    const file = await ArchiveFile.open(sealed, await unsealBytes(Buffer.from(result.key, 'base64'), identity));
    try {
      return await loadOpened(file, { verifier, into: place, confirm: options.confirm, keep, json: wantsJson(options) });
    } finally {
      await file.close();
    }
  });
}

/** The service is who its certificate says; with --key its word is not needed. */
async function toVerifier(key: string | undefined, { log }: Answer): Promise<Verifier | undefined> {
  return key === undefined ? parseVerifierKey(log ?? '') : readVerifier(key);
}

/** Where it is kept, what came so far stays beside it for the next attempt; else it lies in a folder that is gone afterwards. */
async function withSealed(
  server: Server,
  path: string,
  { bytes, sha256 }: Answer,
  output: string | undefined,
  work: (sealed: string) => Promise<number>,
): Promise<number> {
  const folder = output === undefined ? await mkdtemp(join(tmpdir(), 'bauta-pull-')) : dirname(output);
  const sealed = join(folder, `${output === undefined ? 'archive' : `.${basename(output)}`}.${sha256.slice(0, 16)}.part`);
  try {
    await download(server, path, { file: sealed, bytes, sha256 });
    const code = await work(sealed);
    await rm(sealed, { force: true });
    return code;
  } finally {
    if (output === undefined) await rm(folder, { recursive: true, force: true });
  }
}

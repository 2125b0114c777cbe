// Where a bundle of one's own is: a file, a bundle server, a repository or a bucket. A client is loaded where a place needs it.
import { join } from 'node:path';

import type { Settings } from '../config/settings.js';
import { toError } from '../kernel/errors.js';
import { type BundleSource, bundleLimitBytes, fileSource, httpSource, type Send } from '../systems/opa/opa.js';
import { awsOf } from './stores.js';

export interface BundlePlace {
  /** The setting. */
  readonly name: 'BAUTA_POLICY_BUNDLE' | 'BAUTA_GATE_BUNDLE';
  readonly text: string;
  readonly settings: Settings;
  readonly send: Send;
  readonly token: string | undefined;
  /** For what has to lie somewhere while it is read. */
  readonly folder: string;
}

/** Throws SETTING_INVALID. */
export async function openBundleSource(place: BundlePlace): Promise<BundleSource> {
  const { name, text, send, token } = place;
  if (/^https?:\/\//.test(text)) return httpSource(text, send, token);
  if (text.startsWith('git+')) return openGit(place);
  if (!text.startsWith('s3://')) return fileSource(text);
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/([^?#\s]+)$/.exec(text) ?? [];
  if (bucket === undefined || key === undefined) throw toError('SETTING_INVALID', { name, expected: 's3://BUCKET/KEY' });
  return { holds: false, ask: (etag) => awsOf(place.settings).readObject(bucket, key, bundleLimitBytes, etag) };
}

async function openGit({ name, text, send, token, folder }: BundlePlace): Promise<BundleSource> {
  const { parseGitPlace, readGitFile } = await import('../systems/git/git.js');
  const place = parseGitPlace(text);
  if (!place) throw toError('SETTING_INVALID', { name, expected: 'git+https://HOST/REPOSITORY.git#BRANCH-OR-COMMIT:PATH' });
  const options = {
    ...place,
    send,
    folder: join(folder, 'git'),
    limitBytes: bundleLimitBytes,
    ...(token === undefined ? {} : { credential: token }),
  };
  return { holds: false, ask: (etag, _, signal) => readGitFile(options, etag, signal) };
}

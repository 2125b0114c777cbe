// Where checkpoints are anchored: a folder elsewhere, a branch of a repository, a bucket with object lock. A client is loaded where a place needs it.
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Settings } from '../config/settings.js';
import { systemClock } from '../kernel/clock.js';
import { BautaError, toError } from '../kernel/errors.js';
import type { AnchorStore } from '../pipeline/audit/audit.js';
import { parseBucketPlace } from '../systems/aws/aws.js';
import { openAnchorFolder } from '../systems/files/files.js';
import { parseGitPlace } from '../systems/git/git.js';
import { HttpClient, sendLocally } from '../systems/http/http.js';
import { readReference } from './home.js';
import { awsOf } from './stores.js';

const DAY_MS = 86_400_000;
/** Of a checkpoint with all its signatures, and of everything that a repository is fetched as. */
const NOTE_BYTES = 65_536;
const FETCH_BYTES = 256 * 1_048_576;
const expected = 'file:///FOLDER, git+https://HOST/REPOSITORY.git#BRANCH:FOLDER or s3://BUCKET/PREFIX, with spaces between several';

/** Of BAUTA_LOG_ANCHORS or an option; `name`: which. Throws SETTING_INVALID. */
export function parseAnchorPlaces(name: string, text: string): readonly string[] {
  const places = [...new Set(text.split(/\s+/).filter(Boolean))];
  if (!places.every(isPlace)) throw toError('SETTING_INVALID', { name, expected });
  return places;
}

const isPlace = (place: string): boolean =>
  isAbsolute(place) || /^file:\/\/\/[^?#]+$/.test(place) || parseGitPlace(place) !== undefined || parseBucketPlace(place) !== undefined;

/** MUST be closed. Throws ANCHOR_UNREACHABLE, AWS_*, SETTING_INVALID, CONNECTION_REFERENCE_INVALID. */
export async function openAnchorStore(place: string, settings: Settings, environment: NodeJS.ProcessEnv): Promise<AnchorStore> {
  const bucket = parseBucketPlace(place);
  if (bucket) return openBucket(place, bucket, settings);
  if (parseGitPlace(place)) return openGit(place, settings, environment);
  if (!isPlace(place)) throw toError('SETTING_INVALID', { name: place, expected });
  return openAnchorFolder(place, place.startsWith('file:') ? fileURLToPath(place) : place);
}

async function openBucket(
  place: string,
  bucket: NonNullable<ReturnType<typeof parseBucketPlace>>,
  settings: Settings,
): Promise<AnchorStore> {
  const folder = await awsOf(settings).openLocked(bucket);
  const retainUntil = (): Date => new Date(systemClock.now() + settings.BAUTA_LOG_ANCHOR_LOCK_DAYS * DAY_MS);
  const read: AnchorStore['read'] = async (name) => {
    const kept = await folder.get(name, NOTE_BYTES);
    return kept && { bytes: Buffer.from(kept.bytes), lockedUntil: kept.lockedUntil ?? null, covered: kept.covered };
  };
  return {
    ...{ place, read, list: (below) => folder.list(`${below}/`) },
    keep: async (name, note) => {
      try {
        await folder.put(name, note, { retainUntil: retainUntil(), contentType: 'text/plain; charset=utf-8' });
      } catch (error) {
        throw error instanceof BautaError && error.code === 'AWS_OBJECT_DIFFERENT'
          ? toError('ANCHOR_CONTRADICTS', { name: place, file: name })
          : error;
      }
      return { lockedUntil: (await read(name))?.lockedUntil ?? null };
    },
    close: () => Promise.resolve(folder.close()),
  };
}

async function openGit(place: string, settings: Settings, environment: NodeJS.ProcessEnv): Promise<AnchorStore> {
  const { GitFolder } = await import('../systems/git/git.js');
  const client = new HttpClient({ hosts: settings.BAUTA_HTTP_HOSTS });
  const token = settings.BAUTA_LOG_ANCHOR_TOKEN;
  const folder = await GitFolder.open({
    ...{ ...parseGitPlace(place)!, place, folder: join(settings.BAUTA_HOME, 'anchors'), limitBytes: FETCH_BYTES },
    send: (request) => (request.url.startsWith('http:') ? sendLocally(request) : client.send(request)),
    ...(token === '' ? {} : { credential: readReference(token, environment) }),
  });
  const read: AnchorStore['read'] = async (name) => {
    const bytes = await folder.read(name);
    return bytes && { bytes, lockedUntil: null, covered: false };
  };
  return {
    ...{ place, read, list: (below) => folder.list(below), close: () => folder.close() },
    keep: async (name, note) => {
      const there = await folder.read(name);
      if (there?.equals(note) === false) throw toError('ANCHOR_CONTRADICTS', { name: place, file: name });
      if (!there) await folder.add(name, note, { message: `checkpoint ${name}\n`, seconds: Math.floor(systemClock.now() / 1000) });
      return { lockedUntil: null };
    },
  };
}

// Where daily reports are kept: a folder, or a bucket with object lock, where nobody can change or delete them before their time.
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { Readable } from 'node:stream';

import type { Settings } from '../config/settings.js';
import { systemClock } from '../kernel/clock.js';
import { toError } from '../kernel/errors.js';
import { isTimeZone } from '../kernel/zone.js';
import { parseBucketPlace } from '../systems/aws/aws.js';
import { ReportFolder } from '../systems/files/files.js';
import { awsOf } from './stores.js';

const DAY_MS = 86_400_000;

const mediaTypes: Readonly<Record<string, string>> = {
  json: 'application/json',
  html: 'text/html; charset=utf-8',
  pdf: 'application/pdf',
  zip: 'application/zip',
};

export const toMediaType = (name: string): string => mediaTypes[name.split('.').at(-1) ?? ''] ?? 'text/plain; charset=utf-8';

export interface ReportStore {
  /** Never one thing over another. Throws REPORT_STORE_* and AWS_*. */
  readonly put: (name: string, path: string) => Promise<void>;
  readonly read: (name: string, bytes: number) => Promise<Readable>;
  readonly close: () => void;
}

/** Undefined: the settings name none. Throws SETTING_INVALID. */
export function parseReportPlace({
  BAUTA_DAILY_REPORTS: place,
  BAUTA_DAILY_REPORTS_ZONE: zone,
}: Pick<Settings, 'BAUTA_DAILY_REPORTS' | 'BAUTA_DAILY_REPORTS_ZONE'>): string | undefined {
  if (place === '') return undefined;
  if (!isTimeZone(zone))
    throw toError('SETTING_INVALID', { name: 'BAUTA_DAILY_REPORTS_ZONE', expected: 'the IANA name of a zone, such as Europe/Vienna' });
  if (isAbsolute(place) || parseBucketPlace(place)) return place;
  throw toError('SETTING_INVALID', {
    name: 'BAUTA_DAILY_REPORTS',
    expected: '/FOLDER, or s3://BUCKET/PREFIX of a bucket with object lock',
  });
}

/** MUST be closed. Throws SETTING_INVALID and AWS_*. */
export async function openReportStore(settings: Settings): Promise<ReportStore> {
  const place = parseReportPlace(settings);
  if (place === undefined) throw toError('SETTING_MISSING', { name: 'BAUTA_DAILY_REPORTS', expected: '/FOLDER or s3://BUCKET/PREFIX' });
  const bucket = parseBucketPlace(place);
  if (!bucket) {
    const folder = new ReportFolder(place);
    return { put: (name, path) => folder.put(name, path), read: (name, bytes) => folder.read(name, bytes), close: () => undefined };
  }
  const locked = await awsOf(settings).openLocked(bucket);
  return {
    put: async (name, path) => {
      const retainUntil = new Date(systemClock.now() + settings.BAUTA_DAILY_REPORTS_LOCK_DAYS * DAY_MS);
      await locked.put(name, await readFile(path), { retainUntil, contentType: toMediaType(name) });
    },
    read: async (name, bytes) => {
      const kept = await locked.get(name, bytes);
      if (!kept) throw toError('REPORT_STORE_UNREACHABLE', { expected: 'what was put there' });
      return Readable.from([Buffer.from(kept.bytes)]);
    },
    close: () => locked.close(),
  };
}

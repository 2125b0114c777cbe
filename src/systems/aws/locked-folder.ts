// A folder of a bucket with object lock (S3 Object Lock, compliance mode): what is put there can be neither changed nor deleted before its time, by nobody,
// the account's owner included. A delete there only lays a marker over it, so that what is read is always what was put first.
import { GetObjectCommand, GetObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import { ListObjectVersionsCommand, PutObjectCommand, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3';

import { toError } from '../../kernel/errors.js';
import { type AwsSettings, ask, toClientOptions } from './asking.js';
import { readLimited } from './bucket.js';
import type { BucketPlace } from './bucket-place.js';

export interface Kept {
  /** The first version ever put under this name. */
  readonly bytes: Uint8Array;
  /** Until then nobody can delete it, ISO 8601 in UTC; undefined: it is not locked in compliance mode. */
  readonly lockedUntil: string | undefined;
  /** Something else, or a delete marker, was laid over it later. */
  readonly covered: boolean;
}

interface Version {
  readonly key: string;
  readonly version: string;
  readonly isMarker: boolean;
}

export class LockedFolder {
  private constructor(
    private readonly client: S3Client,
    private readonly place: BucketPlace,
    private readonly page: number,
  ) {}

  /** `page`: how many names one answer has at most. Throws AWS_BUCKET_UNLOCKED where the bucket has no object lock, and AWS_*. */
  static async open(
    settings: AwsSettings & { readonly BAUTA_AWS_S3_ENDPOINT: string },
    place: BucketPlace,
    page = 1000,
  ): Promise<LockedFolder> {
    const endpoint = settings.BAUTA_AWS_S3_ENDPOINT;
    const client = new S3Client({ ...toClientOptions(settings, endpoint), forcePathStyle: endpoint !== '' });
    try {
      const path = `s3://${place.bucket}`;
      const question = new GetObjectLockConfigurationCommand({ Bucket: place.bucket });
      const answer = await ask(path, () => client.send(question), ['ObjectLockConfigurationNotFoundError']);
      const isLocked = typeof answer === 'object' && answer.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
      if (!isLocked) throw toError('AWS_BUCKET_UNLOCKED', { path });
      return new LockedFolder(client, place, page);
    } catch (error) {
      client.destroy();
      throw error;
    }
  }

  /**
   * `there`: the same bytes were there, locked at least so long now. Nothing is ever laid over anything. Throws AWS_OBJECT_DIFFERENT where other bytes
   * came first, and AWS_*.
   */
  async put(
    name: string,
    bytes: Uint8Array,
    { retainUntil, contentType }: { readonly retainUntil: Date; readonly contentType: string },
  ): Promise<'stored' | 'there'> {
    const { Bucket, Key, path } = this.at(name);
    const request = new PutObjectCommand({
      ...{ Bucket, Key, Body: bytes, ContentType: contentType, ChecksumAlgorithm: 'SHA256', IfNoneMatch: '*' },
      ...{ ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: retainUntil },
    });
    // Somebody else is putting it at this moment: then it is there, and is looked at.
    const refusals = ['PreconditionFailed', 'ConditionalRequestConflict'] as const;
    const answer = await ask(path, () => this.client.send(request), refusals);
    const first = await this.find(name, bytes.length);
    if (!first || Buffer.compare(first.bytes, bytes) !== 0) throw toError('AWS_OBJECT_DIFFERENT', { path });
    if (first.lockedUntil === undefined || Date.parse(first.lockedUntil) < Math.floor(retainUntil.getTime() / 1000) * 1000)
      await this.lock(name, first.version, retainUntil);
    return typeof answer === 'string' || first.version !== answer.VersionId ? 'there' : 'stored';
  }

  /** What was put first under this name; undefined: nothing ever was. Throws AWS_OBJECT_DIFFERENT for more than so many bytes, and AWS_*. */
  async get(name: string, limitBytes: number): Promise<Kept | undefined> {
    const found = await this.find(name, limitBytes);
    return found && { bytes: found.bytes, lockedUntil: found.lockedUntil, covered: found.covered };
  }

  /** Names below `beginning`, in their order: what is hidden by a delete marker, too. */
  async list(beginning: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const { key } of await this.versions(beginning)) names.add(key.slice(this.place.prefix.length));
    return [...names].sort();
  }

  close(): void {
    this.client.destroy();
  }

  private at(name: string): { readonly Bucket: string; readonly Key: string; readonly path: string } {
    const { bucket, prefix } = this.place;
    return { Bucket: bucket, Key: `${prefix}${name}`, path: `s3://${bucket}/${prefix}${name}` };
  }

  private async find(name: string, limitBytes: number): Promise<(Kept & { readonly version: string }) | undefined> {
    const { Bucket, Key, path } = this.at(name);
    const all = (await this.versions(name, true)).filter(({ key }) => key === Key);
    // Newest first, and a marker has no bytes.
    const version = all.filter(({ isMarker }) => !isMarker).at(-1)?.version;
    if (version === undefined) return undefined;
    const answer = await ask(path, () => this.client.send(new GetObjectCommand({ Bucket, Key, VersionId: version })));
    const bytes = await readLimited(answer.Body as AsyncIterable<Uint8Array>, limitBytes);
    if (!bytes) throw toError('AWS_OBJECT_DIFFERENT', { path });
    // Told only to who may ask for it (s3:GetObjectRetention).
    const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until } = answer;
    return { bytes, version, lockedUntil: mode === 'COMPLIANCE' ? until?.toISOString() : undefined, covered: all.length > 1 };
  }

  /** Every version and delete marker whose name begins so, as S3 lists them: by name, the newest first. `alone`: enough of them for that very name. */
  private async versions(beginning: string, alone = false): Promise<Version[]> {
    const { Bucket, Key, path } = this.at(beginning);
    const found: Version[] = [];
    let next: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } | undefined = {};
    while (next) {
      const request: ListObjectVersionsCommand = new ListObjectVersionsCommand({ Bucket, Prefix: Key, MaxKeys: this.page, ...next });
      const answer = await ask(path, () => this.client.send(request));
      const take = (
        isMarker: boolean,
        list: readonly { readonly Key?: string | undefined; readonly VersionId?: string | undefined }[] = [],
      ): void => {
        for (const { Key: key = '', VersionId: version = '' } of list) found.push({ key, version, isMarker });
      };
      take(false, answer.Versions);
      take(true, answer.DeleteMarkers);
      const goesOn = answer.IsTruncated === true && !(alone && found.some(({ key }) => key !== Key));
      next = goesOn ? { ...toMarker(answer.NextKeyMarker, answer.NextVersionIdMarker) } : undefined;
    }
    return found;
  }

  private async lock(name: string, version: string, until: Date): Promise<void> {
    const { Bucket, Key, path } = this.at(name);
    const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: until } as const;
    await ask(path, () => this.client.send(new PutObjectRetentionCommand({ Bucket, Key, VersionId: version, Retention })));
  }
}

function toMarker(
  key: string | undefined,
  version: string | undefined,
): { readonly KeyMarker?: string; readonly VersionIdMarker?: string } {
  return { ...(key === undefined ? {} : { KeyMarker: key }), ...(version === undefined ? {} : { VersionIdMarker: version }) };
}

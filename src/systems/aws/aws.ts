// The door of AWS: what stands behind `aws:` references, and keys of KMS. Who needs neither does not wait for its clients.
import { toError } from '../../kernel/errors.js';
import type { OpenKeys } from '../../pipeline/ports.js';
import type { AwsSettings } from './asking.js';
import type { Bucket, BucketObject } from './bucket.js';
import type { Kms } from './kms.js';
import { KmsKeyProvider } from './kms-keys.js';
import type { BucketPlace } from './bucket-place.js';
import type { LockedFolder } from './locked-folder.js';
import { parseAwsReference } from './reference.js';
import type { Secrets } from './secrets.js';

export { type BucketPlace, parseBucketPlace } from './bucket-place.js';
export type { Kept, LockedFolder } from './locked-folder.js';
export { parseAwsReference } from './reference.js';

/** Of one process. Asks nobody until something is needed. */
export class Aws {
  private secrets: Promise<Secrets> | undefined;
  private kms: Promise<Kms> | undefined;
  private bucket: Promise<Bucket> | undefined;

  constructor(private readonly settings: AwsSettings & { readonly BAUTA_AWS_S3_ENDPOINT: string }) {}

  /** The text of a secret of Secrets Manager, or of a field of it; undefined: there is none. Throws AWS_*. */
  async read(reference: string): Promise<string | undefined> {
    const named = parseAwsReference(reference);
    if (!named) throw toError('CONNECTION_REFERENCE_INVALID', { name: '[not shown]' });
    this.secrets ??= import('./secrets.js').then(({ Secrets }) => new Secrets(this.settings));
    return (await this.secrets).read(named);
  }

  /** Keys of KMS. Throws AWS_* and KEY_*. */
  readonly openKeys: OpenKeys = (hierarchy) => new KmsKeyProvider(() => this.openKms(), hierarchy);

  /** An object of S3; undefined: it is still the one of this ETag. Throws AWS_*. */
  async readObject(bucket: string, key: string, limitBytes: number, etag?: string): Promise<BucketObject | undefined> {
    this.bucket ??= import('./bucket.js').then(({ Bucket: Opened }) => new Opened(this.settings));
    return (await this.bucket).read(bucket, key, limitBytes, etag);
  }

  /** A folder of a bucket with object lock; who opens it closes it. Throws AWS_BUCKET_UNLOCKED and AWS_*. */
  async openLocked(place: BucketPlace, page?: number): Promise<LockedFolder> {
    const { LockedFolder: Opened } = await import('./locked-folder.js');
    return Opened.open(this.settings, place, page);
  }

  async close(): Promise<void> {
    for (const opened of [this.secrets, this.kms, this.bucket]) (await opened?.catch(() => undefined))?.close();
    this.secrets = this.kms = this.bucket = undefined;
  }

  private openKms(): Promise<Kms> {
    this.kms ??= import('./kms.js').then(({ Kms }) => new Kms(this.settings));
    return this.kms;
  }
}

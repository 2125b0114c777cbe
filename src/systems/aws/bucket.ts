// One object of S3, or of what speaks its language, with the ETag by which it is asked whether there is another.
import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3';

import { toError } from '../../kernel/errors.js';
import { type AwsSettings, ask, toClientOptions } from './asking.js';

export interface BucketObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export class Bucket {
  private readonly client: S3Client;

  constructor(settings: AwsSettings & { readonly BAUTA_AWS_S3_ENDPOINT: string }) {
    const endpoint = settings.BAUTA_AWS_S3_ENDPOINT;
    // Stores of one's own have no name of their own for each bucket.
    this.client = new S3Client({ ...toClientOptions(settings, endpoint), forcePathStyle: endpoint !== '' });
  }

  /** Undefined: it is still the one of this ETag. Throws AWS_*; of more than so many bytes POLICY_BUNDLE_UNREADABLE. */
  async read(bucket: string, key: string, limitBytes: number, etag?: string): Promise<BucketObject | undefined> {
    const request = { Bucket: bucket, Key: key, ...(etag === undefined ? {} : { IfNoneMatch: etag }) };
    const answer = await ask(`s3://${bucket}/${key}`, () => this.client.send(new GetObjectCommand(request)).catch(unchanged));
    if (!('Body' in answer)) return undefined;
    const bytes = await readLimited(answer.Body as AsyncIterable<Uint8Array>, limitBytes);
    if (!bytes) throw toError('POLICY_BUNDLE_UNREADABLE', { expected: `at most ${limitBytes} bytes` });
    return { bytes, etag: answer.ETag ?? '' };
  }

  close(): void {
    this.client.destroy();
  }
}

/** Undefined: there are more. */
export async function readLimited(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > limitBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** To the client an answer without a body is an error. */
function unchanged(error: unknown): Record<never, never> {
  const status = (error as { readonly $metadata?: { readonly httpStatusCode?: unknown } } | null)?.$metadata?.httpStatusCode;
  if (status === 304) return {};
  throw error;
}

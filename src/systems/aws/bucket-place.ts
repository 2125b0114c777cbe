// `s3://BUCKET/PREFIX`: a folder of a bucket.

export interface BucketPlace {
  readonly bucket: string;
  /** Ends in `/`, or is empty. */
  readonly prefix: string;
}

/** `s3://BUCKET` or `s3://BUCKET/PREFIX`; undefined: it is none. */
export function parseBucketPlace(text: string): BucketPlace | undefined {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9!_.*'()/-]{1,512}))?$/.exec(text) ?? [];
  const folder = prefix.replace(/\/$/, '');
  if (bucket === undefined || folder.split('/').includes('..') || (prefix !== '' && folder === '')) return undefined;
  return { bucket, prefix: folder === '' ? '' : `${folder}/` };
}

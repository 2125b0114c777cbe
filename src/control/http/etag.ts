// The ETag of a document: which version it is, and of what.

export function etagOf({ version, digest }: { readonly version: number; readonly digest: string }): string {
  return `"${version}-${digest.slice('sha256:'.length).slice(0, 16)}"`;
}

// Reports, and what is collected about incidents, that are kept: with a file of their digests, under a name that begins with the digest of that file, so that what is there is never laid over.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { StoredPaper } from '../systems/metadata/metadata.js';
import { CHECKSUMS, type ReportOrder, type StoredReport } from './report-order.js';
import { openReportStore } from './report-store.js';

/** Connections stay open: `closeStores`. Throws REPORT_STORE_* and AWS_*. */
export async function storeReports(
  { folder }: Pick<ReportOrder, 'folder'>,
  { settings, below }: NonNullable<ReportOrder['store']>,
  papers: readonly StoredPaper[],
): Promise<StoredReport> {
  const text = papers.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
  await writeFile(join(folder, CHECKSUMS), text, { mode: 0o600 });
  const sha256 = createHash('sha256').update(text).digest('hex');
  const into = `${below}/${sha256.slice(0, 16)}`;
  const files = [
    ...papers.map(({ name, bytes, sha256: digest }) => ({ name, bytes, sha256: digest })),
    { name: CHECKSUMS, bytes: text.length, sha256 },
  ];
  const store = await openReportStore(settings);
  try {
    for (const { name } of files) await store.put(`${into}/${name}`, join(folder, name));
  } finally {
    store.close();
  }
  return { folder: into, files };
}

/** As `storeReports` of one file that is in memory. Stored once more it is the same, and lies there once. */
export async function storeBytes(
  store: NonNullable<ReportOrder['store']>,
  { name, bytes, sha256 }: Omit<StoredPaper, 'bytes'> & { readonly bytes: Buffer },
): Promise<StoredReport> {
  const folder = await mkdtemp(join(tmpdir(), 'bauta-stored-'));
  try {
    await writeFile(join(folder, name), bytes, { mode: 0o600 });
    return await storeReports({ folder }, store, [{ name, bytes: bytes.length, sha256 }]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

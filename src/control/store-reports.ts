// Reports that are kept: with a file of their digests, under a name that begins with the digest of that file, so that what is there is never laid over.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { CHECKSUMS, type MadePaper, type ReportOrder, type StoredReport } from './report-order.js';
import { openReportStore } from './report-store.js';
import { closeStores } from './stores.js';

/** Throws REPORT_STORE_* and AWS_*. */
export async function storeReports(
  { folder }: Pick<ReportOrder, 'folder'>,
  { settings, below }: NonNullable<ReportOrder['store']>,
  papers: readonly MadePaper[],
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
    await closeStores(settings);
  }
  return { folder: into, files };
}

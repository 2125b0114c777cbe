// What the log tells of an incident is collected by a worker: the package of the window with its proof, and the worksheet for whoever weighs the breach.
// Kept in the incident's own table, to which the service's role can add and of which it can change nothing; the digest of each is told to the log.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Settings } from '../../config/settings.js';
import type { Json } from '../../kernel/canonical-json.js';
import { systemClock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { ErrandRow, Metadata } from '../../systems/metadata/metadata.js';
import { makeReports, makeWorksheet } from '../make-reports.js';
import { readPolicyText } from '../report-order.js';

const papers = {
  evidence: { name: 'evidence.zip', mediaType: 'application/zip' },
  worksheet: { name: 'breach-worksheet.html', mediaType: 'text/html' },
} as const;

/** What one row holds; a log of a million entries packs to a fifth of that. */
const LARGEST = 256 * 1024 * 1024;

interface WantedEvidence {
  readonly what: keyof typeof papers;
  readonly incident: string;
  readonly from: string;
  readonly to: string;
}

/** Throws what making a report throws, and INCIDENT_FILE_TOO_LARGE. Once: what was collected already is what there is. */
export async function collectHere(
  { metadata, settings }: { readonly metadata: Metadata; readonly settings: Pick<Settings, 'BAUTA_LOG_WITNESSES'> },
  workspaceId: string,
  row: ErrandRow,
): Promise<Json> {
  const { what, incident, from, to } = row.wanted as unknown as WantedEvidence;
  const { name, mediaType } = papers[what];
  const known = await metadata.within(workspaceId, ({ incidents }) => incidents.findFile(incident, name));
  if (known) return { file: name, digest: known.digest, size: known.bytes.length };
  const workspace = await metadata.workspaceName(workspaceId);
  const of = { workspaceId, workspace, actor: row.requestedBy, policy: await readPolicyText(settings.BAUTA_LOG_WITNESSES) };
  const period = { from, to, zone: 'UTC' };
  const bytes =
    what === 'worksheet'
      ? await makeWorksheet(metadata, systemClock, { ...of, window: period, environment: row.environment })
      : await pack(metadata, { ...of, period });
  if (bytes.length > LARGEST) throw toTooLarge(name);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  await metadata.within(workspaceId, ({ incidents }) => incidents.addFile(incident, { name, mediaType, bytes, digest }));
  return { file: name, digest, size: bytes.length };
}

async function pack(metadata: Metadata, order: Omit<Parameters<typeof makeReports>[2], 'papers' | 'folder'>): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'bauta-incident-'));
  try {
    const [made] = await makeReports(metadata, systemClock, { ...order, papers: [{ report: 'gdpr', format: 'zip' }], folder });
    if (!made || made.bytes > LARGEST) throw toTooLarge(papers.evidence.name);
    return await readFile(join(folder, made.name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const toTooLarge = (file: string): Error => toError('INCIDENT_FILE_TOO_LARGE', { file, amount: `${LARGEST / 1024 / 1024} MiB` });

// What the log tells of an incident is collected by a worker: the package of the window with its proof, and the worksheet for whoever weighs the breach.
// Kept in the incident's own table, to which the service's role can add and of which it can change nothing, and where daily reports go, if the settings
// name a place; the digest of each is told to the log.
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
import { parseReportPlace } from '../report-store.js';
import { storeBytes } from '../store-reports.js';

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

/**
 * Once: what was collected already is what there is. It is kept in the metadata database first, and where daily reports go after that, so that a store
 * that cannot be reached loses nothing. Throws what making a report throws, INCIDENT_FILE_TOO_LARGE, REPORT_STORE_* and AWS_*.
 */
export async function collectHere(
  { metadata, settings }: { readonly metadata: Metadata; readonly settings: Settings },
  workspaceId: string,
  row: ErrandRow,
): Promise<Json> {
  const { what, incident, from, to } = row.wanted as unknown as WantedEvidence;
  const { name, mediaType } = papers[what];
  const workspace = await metadata.workspaceName(workspaceId);
  const known = await metadata.within(workspaceId, ({ incidents }) => incidents.findFile(incident, name));
  if (known) return toTold(known, await putAway(settings, `${workspace}/incidents/${incident}`, known));
  const of = { workspaceId, workspace, actor: row.requestedBy, policy: await readPolicyText(settings.BAUTA_LOG_WITNESSES) };
  const period = { from, to, zone: 'UTC' };
  const bytes =
    what === 'worksheet'
      ? await makeWorksheet(metadata, systemClock, { ...of, window: period, environment: row.environment })
      : await pack(metadata, { ...of, period });
  if (bytes.length > LARGEST) throw toTooLarge(name);
  const file = { name, bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
  await metadata.within(workspaceId, ({ incidents }) => incidents.addFile(incident, { ...file, mediaType }));
  return toTold(file, await putAway(settings, `${workspace}/incidents/${incident}`, file));
}

interface Collected {
  readonly name: string;
  readonly bytes: Buffer;
  /** `sha256:` and hexadecimal. */
  readonly digest: string;
}

/** Gives its folder there; null: the settings name no place. */
async function putAway(settings: Settings, below: string, { name, bytes, digest }: Collected): Promise<string | null> {
  if (parseReportPlace(settings) === undefined) return null;
  return (await storeBytes({ settings, below }, { name, bytes, sha256: digest.slice('sha256:'.length) })).folder;
}

const toTold = ({ name, bytes, digest }: Collected, stored: string | null): Json => ({
  ...{ file: name, digest, size: bytes.length },
  ...(stored === null ? {} : { stored }),
});

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

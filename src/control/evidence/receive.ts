// The report is read while it comes in, and never held as a whole: its digest, its sums and its findings are what stays.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

import { toError } from '../../kernel/errors.js';
import type { Counts, NewEvidence } from '../../systems/metadata/metadata.js';
import { type Attestation, type Scan, type ScanFinding, type ScanFormat, openAttestation, readScan, severities } from '../../systems/scanners/scanners.js'; // prettier-ignore

/** A whole report. */
export const REPORT_LIMIT = 64 * 2 ** 20;
/** An attestation. */
const ENVELOPE_LIMIT = 4 * 2 ** 20;
/** Findings that are kept with their coordinates; all of them are counted. */
const MOST_KEPT = 10_000;
const MOST_FINDINGS = 500_000;

export type Received = Pick<
  NewEvidence,
  'digest' | 'bytes' | 'tool' | 'toolVersion' | 'madeAt' | 'databaseAt' | 'missing' | 'rules' | 'targets' | 'errors' | 'counts'
> &
  Pick<NewEvidence, 'suppressed' | 'findings' | 'fingerprints'>;

/** Throws REQUEST_TOO_LARGE, SCAN_MALFORMED. */
export async function receive(
  format: ScanFormat,
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly scan: Scan; readonly received: Received }> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > REPORT_LIMIT) throw toError('REQUEST_TOO_LARGE', { amount: `${REPORT_LIMIT} bytes` });
      hash.update(chunk);
      yield chunk;
    }
  }
  const scan = await readScan(format, counted());
  return { scan, received: await toReceived(scan, hash.digest(), bytes) };
}

/** An envelope is held as a whole: its signature is looked at before anything of it is read. Throws SCAN_MALFORMED, EVIDENCE_UNSIGNED. */
export async function receiveAttestation(
  body: AsyncIterable<Uint8Array>,
  keys: readonly string[],
): Promise<{ readonly attestation: Attestation; readonly received: Received }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > ENVELOPE_LIMIT) throw toError('REQUEST_TOO_LARGE', { amount: `${ENVELOPE_LIMIT} bytes` });
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const attestation = openAttestation(bytes, keys);
  return { attestation, received: await toReceived(attestation.scan, createHash('sha256').update(bytes).digest(), length) };
}

async function toReceived(scan: Scan, digest: Uint8Array, bytes: number): Promise<Received> {
  const open = scan.findings.filter(({ state }) => state === 'open');
  if (scan.findings.length > MOST_FINDINGS) throw toError('REQUEST_TOO_LARGE', { amount: `${MOST_FINDINGS} findings` });
  const kept = [...scan.findings].sort(worstFirst).slice(0, MOST_KEPT);
  const { tool, madeAt, databaseAt, missing, rules, targets, errors } = scan;
  return {
    ...{ digest, bytes, tool: tool.name, toolVersion: tool.version?.slice(0, 100) ?? null, madeAt, databaseAt, missing },
    ...{ rules, targets, errors, counts: toCounts(open), suppressed: scan.findings.length - open.length },
    findings: await promisify(gzip)(kept.map((one) => `${JSON.stringify(one)}\n`).join('')),
    fingerprints: Buffer.from(open.map(({ fingerprint }) => fingerprint).join(''), 'hex'),
  };
}

/** As they were kept. */
export async function readFindings(kept: Uint8Array): Promise<readonly ScanFinding[]> {
  const lines = (await promisify(gunzip)(kept)).toString('utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ScanFinding);
}

export function toCounts(open: readonly ScanFinding[]): Counts {
  const counts: Record<string, [number, number]> = Object.fromEntries(severities.map((name) => [name, [0, 0]]));
  for (const { severity, fixable } of open) {
    const of = counts[severity] as [number, number];
    of[0] += 1;
    if (fixable) of[1] += 1;
  }
  return counts;
}

/** What would be cut is the least. */
function worstFirst(a: ScanFinding, b: ScanFinding): number {
  return severities.indexOf(a.severity) - severities.indexOf(b.severity);
}

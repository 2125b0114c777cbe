// The door: a report of a scanner or a test, of a format that is named, as one scan.
import { checkov } from './checkov.js';
import { cyclonedx } from './cyclonedx.js';
import { dbt, dbtManifest } from './dbt.js';
import type { Format } from './format.js';
import { grype } from './grype.js';
import { inspec } from './inspec.js';
import { readJson } from './json.js';
import { readJunit } from './junit.js';
import { openvex } from './openvex.js';
import { sarif } from './sarif.js';
import { type Scan, Scanning } from './scan.js';
import { terraform } from './terraform.js';
import { trivy } from './trivy.js';

export { type Attestation, attestationFormats, openAttestation, toFingerprint } from './attestation.js';
export { detectFormat } from './detect.js';
export { type Missing, type Scan, type ScanFinding, type ScanSubject, type Severity, severities } from './scan.js';
export { impactToSeverity, scoreToSeverity, severityWords } from './severity.js';

const inJson = {
  sarif,
  trivy,
  grype,
  checkov,
  inspec,
  cyclonedx,
  'dbt-run-results': dbt,
  'dbt-manifest': dbtManifest,
  'terraform-plan': terraform,
  openvex,
} as const satisfies Record<string, Format>;

export type ScanFormat = keyof typeof inJson | 'junit';
export const scanFormats = [...(Object.keys(inJson) as (keyof typeof inJson)[]), 'junit'] as const satisfies readonly ScanFormat[];

/** Reads the report to its end. Throws SCAN_MALFORMED where it is no document of that notation. */
export async function readScan(format: ScanFormat, chunks: AsyncIterable<Uint8Array>): Promise<Scan> {
  const scanning = new Scanning();
  if (format === 'junit') {
    await readJunit(chunks, scanning);
    return scanning.end();
  }
  const reading = inJson[format](scanning);
  await readJson(
    chunks,
    reading.paths,
    (value, keys) => reading.take(value, keys),
    (name) => reading.key?.(name),
  );
  reading.end?.();
  return scanning.end();
}

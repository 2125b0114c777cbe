// What was loaded against what the service signed: the manifest at the end of the records, and the marker that is to be written.
import { toError } from '../kernel/errors.js';
import { type MarkerRow, openMarker } from '../pipeline/marker.js';
import type { Receipt } from '../pipeline/ports.js';
import type { BeginBody, CompleteBody, DatasetLoading } from '../systems/kafka/kafka.js';

/** Throws AGENT_MANIFEST_DIFFERS with the first table that differs. */
export function requireManifest(begin: BeginBody, complete: CompleteBody, loaded: Awaited<ReturnType<DatasetLoading['sum']>>): void {
  const differs = (expected: string, schema = '', table = ''): never => {
    throw toError('AGENT_MANIFEST_DIFFERS', { stage: 'verify', schema, table, expected });
  };
  const { tables } = begin.plan;
  if (complete.tables.length !== tables.length) differs('the number of tables');
  for (const [at, { schema, name }] of tables.entries()) {
    const [signed, here] = [complete.tables[at]!, loaded.receipts[at]!];
    if (signed.ranges > begin.ranges[at]!) differs('the number of ranges', schema, name);
    if (signed.rows !== here.rows) differs(`${signed.rows} rows, ${here.rows} loaded`, schema, name);
    if (signed.bytes !== here.bytes) differs(`${signed.bytes} bytes, ${here.bytes} loaded`, schema, name);
    if (signed.digest !== here.digest) differs('the digest', schema, name);
  }
  if (complete.records !== loaded.records) differs(`${complete.records} records, ${loaded.records} loaded`);
  if (complete.root !== loaded.root.toString('hex')) differs('the root over all records');
}

export interface MarkerOf {
  readonly begin: BeginBody;
  readonly runId: string;
  readonly environment: string;
  /** What verification saw. */
  readonly receipts: readonly Receipt[];
  readonly nowMs: number;
}

/**
 * The log's own key is not the agent's to know; that the service signed the command is. What the marker says has to be of this version all the same.
 * Throws AGENT_MARKER_DIFFERS.
 */
export function requireMarker(row: MarkerRow, { begin, runId, environment, receipts, nowMs }: MarkerOf): void {
  const differs = (expected: string): never => {
    throw toError('AGENT_MARKER_DIFFERS', { stage: 'deliver', run: runId, expected });
  };
  const opened = openMarker({ row }, []);
  if (opened.state !== 'whole') return differs(opened.state === 'broken' ? opened.part : 'it is missing');
  const { marker, manifest } = opened;
  if (marker.runId !== runId) differs('the run');
  if (marker.environment !== environment) differs('the environment');
  if (marker.version !== begin.version || marker.target !== begin.target) differs('the version');
  if (marker.planDigest !== begin.planDigest) differs('the plan');
  if (marker.nonce !== begin.nonce) differs('the nonce');
  if (Date.parse(marker.expiresAt) <= nowMs) differs('its time is over');
  const signed = new Map(manifest.map((table) => [`${table.schema}\u0000${table.table}`, table]));
  for (const { schema, table, rows, digest } of receipts) {
    const told = signed.get(`${schema}\u0000${table}`);
    if (told?.rows !== rows || told.digest !== digest) differs(`${schema}.${table}`);
  }
  if (manifest.length !== receipts.length) differs('the number of tables');
}

export function isMadeOutTo(row: MarkerRow, server: string): boolean {
  const opened = openMarker({ row }, []);
  return opened.state === 'whole' && opened.marker.systemIdentifier === server;
}

// A home with a log of made-up entries, as runs and people leave them.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Event } from '../../src/pipeline/event.js';
import { openHomeLog } from '../../src/control/home-package.js';
import type { Asked } from '../../src/control/look-at-log.js';
import { FileAuditSink } from '../../src/systems/files/files.js';

export type Told = readonly [type: string, at: string, runId: string, data?: Event['data']];

export const policy = { revision: 'provision-1', digest: `sha256:${'a'.repeat(64)}` };

/** A run that publishes a version which expires after `days`. */
export function run(id: string, day: string, { version = 1, days = 30, errors = 0 } = {}): readonly Told[] {
  const at = (second: number): string => `${day}T00:00:${String(second).padStart(2, '0')}.000Z`;
  const expiresAt = new Date(Date.parse(at(9)) + days * 86_400_000).toISOString();
  const place = { target: 'shop_dev', server: '1', pipeline: 'shop', environment: 'dev', planDigest: 'sha256:p' };
  const columns = [
    {
      table: 'shop.customer',
      column: 'email',
      path: null,
      tag: 'pii.email',
      transform: 'email',
      reveals: ['equality'],
      speaksOfPerson: true,
    },
  ];
  return [
    ['run.started', at(0), id, { pipeline: 'shop', environment: 'dev', actor: 'p-1' }],
    ['plan.decided', at(1), id, { planDigest: 'sha256:p', decision: { decisionId: `d-${id}`, allow: true, reasons: [], policy } }],
    ['table.loaded', at(2), id, { schema: 'shop', table: 'customer', rows: 10, bytes: 100, digest: 'x', seconds: 1 }],
    ['dataset.verified', at(3), id, { tables: 1, verdicts: [{ verdict: 'zero', originals: 0 }], source: { rows: 10 } }],
    ['findings.made', at(4), id, { findings: Array.from({ length: errors }, () => ({ code: 'X', severity: 'error' })) }],
    ['gate.asked', at(5), id, { input: { columns, source: {}, target: {}, stated: { retentionDays: days, purposeLength: 3 } } }],
    ['dataset.published.done', at(6), id, { ...place, version, expiresAt, key: { version: 1 } }],
    ['run.ended', at(7), id, { state: 'published', peakRssBytes: 1 }],
  ];
}

/** In a folder of `parent`, which is the caller's to remove. */
export async function openHome(told: readonly Told[], parent = tmpdir()): Promise<{ home: string; sink: FileAuditSink }> {
  const home = mkdtempSync(join(parent, 'bauta-report-'));
  const sink = new FileAuditSink({ home, period: 'never' });
  await tell(sink, told);
  return { home, sink };
}

export async function tell(sink: FileAuditSink, told: readonly Told[]): Promise<void> {
  await Promise.all(told.map(([type, at, runId, data = {}]) => sink.append({ type, at, runId, data, stage: 'control' })));
}

export const packageLogOf = ({ home, sink }: { home: string; sink: FileAuditSink }): ReturnType<typeof openHomeLog> =>
  openHomeLog(home, sink, () => Promise.resolve('p-1'));

export const asked: Asked = {
  report: 'soc2',
  period: { from: '2026-01-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z', zone: 'UTC' },
  workspace: 'default',
  product: { version: '1', commit: null },
  declared: { organisation: [], pipelines: {} },
};

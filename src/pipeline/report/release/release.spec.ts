import { expect, it } from '@jest/globals';

import type { LoggedEvent } from '../../event.js';
import { type Collected, collect } from '../collect.js';
import type { ReportContext } from '../context.js';
import type { ReportDocument } from '../document.js';
import { toReleaseReport } from './release-report.js';
import { ReleaseReader, findCommits } from './release.js';

type Told = readonly [type: string, at: string, runId: string, data: LoggedEvent['event']['data']];
const period = { from: '2026-01-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z', zone: 'UTC' };
const at = (day: number, second = 0): string => `2026-01-${String(day).padStart(2, '0')}T00:00:${String(second).padStart(2, '0')}.000Z`;
async function* read(told: readonly Told[]): AsyncGenerator<LoggedEvent> {
  await Promise.resolve();
  yield* told.map(([type, when, runId, data], index) => ({ log: '2026', index, event: { type, at: when, runId, data, stage: 'control' as const } })); // prettier-ignore
}
const context = {
  workspace: 'default',
  product: { version: '1', commit: null },
  log: { state: 'whole', checkpoint: { origin: 'o/2026', size: 1, root: 'r' }, findings: [], cosigned: [], anchored: [] },
  declared: { organisation: null, pipelines: {} },
} as unknown as ReportContext;
async function report(told: readonly Told[], tag: string, commit?: string): Promise<ReportDocument> {
  const release = new ReleaseReader(tag, await findCommits(read(told), tag, commit), period);
  const collected: Collected = await collect(release.reading(read(told)), period);
  return toReleaseReport(context, collected, release.end());
}
const rowsOf = (document: ReportDocument, section: string): readonly (readonly unknown[])[] =>
  document.sections.find(({ id }) => id === section)!.blocks.flatMap((block) => (block.kind === 'table' ? block.rows : []));

const [one, other] = ['a'.repeat(40), 'b'.repeat(40)];
const published = (day: number, run: string, version: number): Told[] => [
  ['run.queued', at(day), run, { run, pipeline: 'shop' }],
  ['run.started', at(day, 10), run, { pipeline: 'shop', environment: 'dev' }],
  ['dataset.published.done', at(day, 40), run, { pipeline: 'shop', environment: 'dev', target: 'shop_dev', version }],
  ['run.ended', at(day, 41), run, { state: 'published' }],
];
const decided = (day: number, decision: string, commit: string, more: Told[3] = {}): Told => [
  ...(['deployment.decided', at(day), ''] as const),
  {
    decision,
    gate: 'g',
    environment: 'dev',
    service: 'web',
    commit,
    allow: true,
    enforced: true,
    codes: [],
    score: 91.5,
    threshold: 85,
    ...more,
  },
];
const log: readonly Told[] = [
  ...published(1, 'r1', 1),
  ['gate.called', at(2), '', { gate: 'g', via: 'github', tag: 'v1.0', commit: one }],
  ['evidence.received', at(2), '', { evidence: 'e', subjectKind: 'commit', subject: one, format: 'junit', counts: { high: 1 } }],
  ['evidence.withdrawn', at(3), '', { evidence: 'e', subjectKind: 'commit', subject: one }],
  decided(2, 'd1', one, { allow: false, codes: ['GATE_SCORE_LOW'], score: 60 }),
  ...published(3, 'r2', 2),
  decided(4, 'd2', one, { dataset: 'r2' }),
  decided(4, 'd3', other),
  ['dataset.rolled-back.done', at(5), 'x', { environment: 'dev', target: 'shop_dev', from: 2 }],
  decided(6, 'd4', one),
  ['deployment.flipped', at(7), '', { decision: 'd2', commit: one, environment: 'dev', service: 'web', codes: ['GATE_NEW_FINDING'] }],
  [
    'breakglass.issued',
    at(8),
    '',
    { breakglass: 'b', commit: one, environment: 'dev', service: 'web', actor: 'ada', approvedBy: ['bob', 'max'] },
  ],
  ['breakglass.reviewed', at(9), '', { breakglass: 'b', actor: 'amy' }],
  [
    'breakglass.issued',
    at(8),
    '',
    { breakglass: 'c', commit: other, environment: 'dev', service: 'web', actor: 'ada', approvedBy: ['bob', 'max'] },
  ],
  ['waiver.granted', at(8), '', { waiver: 'w', rule: 'X', scopeKind: 'commit', scope: one, until: at(20), approval: 'p' }],
];

it('tells of a tag what gates decided of its commit, of no other, and by which copy', async () => {
  const document = await report(log, 'v1.0');
  expect(rowsOf(document, 'commits')).toEqual([[one, 'a signed call of a gate', 'evidenced', '2026/4']]);
  const decisions = document.sections
    .find(({ id }) => id === 'decisions')!
    .blocks.flatMap((block) => (block.kind === 'table' ? [block.rows] : []));
  expect(decisions[0]!.map((row) => [row[0], row[4], row[6]])).toEqual([
    [at(2), 'deny', 60],
    [at(4), 'allow', 91.5],
    [at(6), 'allow', 91.5],
  ]);
  expect(decisions[1]!.map((row) => row.slice(1))).toEqual([
    [one, 'GATE_SCORE_LOW', 'none'],
    [one, 'none', 'none'],
    [one, 'none', 'none'],
  ]);
  expect(decisions[2]!.map((row) => [row[2], row[5]])).toEqual([['d2', 'GATE_NEW_FINDING']]);
  expect(decisions[3]!.map((row) => [row[1], row[2]])).toEqual([
    ['breakglass.issued', 'b'],
    ['breakglass.reviewed', 'b'],
  ]);
  // Version, whether the gate was asked with it, seconds to provision and since it was asked for; after the roll-back the one before.
  expect(rowsOf(document, 'copies').map((row) => [row[4], row[5], row[7], row[8]])).toEqual([
    [1, 'no', 30, 40],
    [2, 'yes', 30, 40],
    [1, 'no', 30, 40],
  ]);
  expect(rowsOf(document, 'evidence').map((row) => [row[1], row[2]])).toEqual([
    ['evidence.received', 'e'],
    ['evidence.withdrawn', 'e'],
    ['waiver.granted', 'w'],
  ]);
  const [chart] = document.sections.find(({ id }) => id === 'score')!.blocks;
  expect(chart).toMatchObject({ kind: 'chart', series: [{ name: 'web in dev', values: [60, 91.5, 91.5] }, { values: [85, 85, 85] }] });
  expect(JSON.stringify(document)).not.toMatch(/anonym|complian|certif|\bpassed\b/i);
  expect(JSON.stringify(await report(log, 'v1.0'))).toBe(JSON.stringify(document));
});

it('guesses no commit of a tag, takes what it is told, and says of a tag that was moved that it was', async () => {
  expect(await findCommits(read(log), 'v2.0', undefined)).toEqual([]);
  expect(rowsOf(await report(log, 'v2.0', other), 'commits')).toEqual([[other, 'whoever asked for this report', 'declared', '']]);
  expect(rowsOf(await report(log, other), 'decisions')[1]).toContain(other);
  const moved = await report([...log, ['gate.called', at(10), '', { tag: 'v1.0', commit: other }]], 'v1.0');
  expect(rowsOf(moved, 'commits')).toHaveLength(2);
  expect(JSON.stringify(moved)).toContain('v1.0 was 2 commits');
});

it('says of a commit that nobody asked a gate about that nobody did', async () => {
  const document = await report(log, 'c'.repeat(40));
  expect(JSON.stringify(document)).toContain('No gate was asked about these commits');
});

// Checks over populations, and what reports may not say.
import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { LoggedEvent } from '../event.js';
import { checks } from './checks.js';
import { type Collected, collect } from './collect.js';
import type { ReportContext } from './context.js';
import { frameworks, reportNames } from './frameworks/frameworks.js';
import { populations } from './populations/populations.js';
import { toControlResults, toEntryRanges } from './blocks.js';
import { toAges, toAxis, toCoverageChart } from './charts.js';
import { toReport } from './to-report.js';

type Told = readonly [type: string, at: string, runId: string, data: LoggedEvent['event']['data']];
const period = { from: '2026-01-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z', zone: 'UTC' };

async function* toLog(told: readonly Told[]): AsyncGenerator<LoggedEvent> {
  for (const [index, [type, at, runId, data]] of told.entries()) {
    await Promise.resolve();
    yield { log: '2026', index, event: { type, at, runId, data, stage: 'control' } };
  }
}
const read = (...told: Told[]): Promise<Collected> => collect(toLog(told), period);
const day = (text: string): string => `${text}T00:00:00.000Z`;
const published = (run: string, at: string, expiresAt: string): Told => [
  'dataset.published.done',
  day(at),
  run,
  { target: 'shop_dev', version: 1, expiresAt, environment: 'dev', pipeline: 'shop' },
];
const dropped = (run: string, at: string): Told => [
  'dataset.dropped.done',
  day(at),
  'e',
  { run, why: 'expired', dropped: [{ seen: 'gone' }] },
];
const context: ReportContext = {
  workspace: 'default',
  product: { version: '1', commit: null },
  log: { state: 'whole', checkpoint: { origin: 'o/2026', size: 1, root: 'r' }, findings: [], cosigned: [], anchored: [] },
  declared: { organisation: [], pipelines: {} },
};
const result = ({ checks: found }: Collected, id: string): unknown => {
  const { conclusion, tested, counts } = found.get(id)!;
  return { conclusion, tested, exceptions: counts.exception };
};

it('lets a control without evidence never pass', async () => {
  const collected = await read();
  for (const framework of frameworks)
    expect(toControlResults(framework, collected, 'whole').filter(({ conclusion }) => conclusion !== 'no evidence')).toEqual([]);
});

it('names checks and populations that there are', () => {
  const names = populations.map(({ name }) => name);
  expect(checks.filter(({ population }) => !names.includes(population))).toEqual([]);
  const ids = [...checks.map(({ id }) => id), 'log-verifies'];
  const named = frameworks.flatMap(({ controls }) => controls.flatMap((control) => control.checks));
  expect(named.filter((id) => !ids.includes(id))).toEqual([]);
  expect(ids.filter((id) => !named.includes(id))).toEqual([]);
});

it('asks each check for columns that its population has', () => {
  for (const { id, population, judge } of checks) {
    const columns = populations.find(({ name }) => name === population)!.columns.map(({ name }) => name);
    const asked = new Set<string>();
    const item = (cell: string | number | null): Record<string, string | number | null> =>
      new Proxy({}, { get: (_, name) => (asked.add(String(name)), cell) });
    for (const cell of ['yes', 'used', 'tokens.exchanged', null, 0, 99_999]) judge(item(cell));
    expect([id, [...asked].filter((name) => !columns.includes(name))]).toEqual([id, []]);
  }
});

it('calls a version overdue that nothing says was dropped, and not one whose time is not over', async () => {
  const late = await read(published('a', '2026-01-01', day('2026-02-01')), ['x', day('2026-03-31'), '', {}]);
  expect(result(late, 'versions-end')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
  const inTime = await read(published('a', '2026-01-01', day('2026-02-01')), dropped('a', '2026-02-01'));
  expect(result(inTime, 'versions-end')).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
  expect(result(inTime, 'drops-seen')).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
  const notDue = await read(published('a', '2026-01-01', day('2027-02-01')));
  expect(result(notDue, 'versions-end')).toEqual({ conclusion: 'no evidence', tested: 0, exceptions: 0 });
});

it('asks of a version that is due for no drop before its grace is over, and counts an hour that was begun', async () => {
  const end = '2026-02-01T00:00:00.000Z';
  const until = (at: string, ...more: Told[]): Promise<Collected> => read(published('a', '2026-01-01', end), ...more, ['x', at, '', {}]);
  const drop = (at: string): Told => ['dataset.dropped.done', at, 'e', { run: 'a', dropped: [{ seen: 'gone' }] }];
  expect(result(await until('2026-02-01T23:59:59.000Z'), 'versions-end')).toEqual({ conclusion: 'no evidence', tested: 0, exceptions: 0 });
  const [inTime, late] = ['2026-02-02T00:00:00.000Z', '2026-02-02T00:00:00.001Z'];
  expect(result(await until(inTime, drop(inTime)), 'versions-end')).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
  expect(result(await until(late, drop(late)), 'versions-end')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
  expect(result(await until(late), 'versions-end')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
});

it('takes for evidence nothing that looked at nothing', async () => {
  const silent = { tested: 1, exceptions: 0, conclusion: 'no evidence' };
  // A copy that nobody verified: no finding is no sign.
  const unseen = await read(['run.started', day('2026-01-01'), 'a', { pipeline: 'shop' }], published('a', '2026-01-02', day('2026-02-01')));
  expect(result(unseen, 'no-finding')).toEqual(silent);
  // No column in which no original may stand, or one of which nobody says what was found.
  for (const verdict of [{ verdict: 'rate', originals: 0 }, { verdict: 'zero' }])
    expect(result(await read(['dataset.verified', day('2026-01-01'), 'a', { verdicts: [verdict] }]), 'no-original')).toEqual(silent);
  // A drop that names nothing that was dropped.
  const nothing = await read(published('a', '2026-01-01', day('2026-02-01')), ['dataset.dropped.done', day('2026-01-05'), 'e', { run: 'a', dropped: [] }]); // prettier-ignore
  expect(result(nothing, 'drops-seen')).toEqual(silent);
  // A playbook without a step that keeps people from the copy, and one whose step could not reach it.
  const incident = (step: string, data: Told[3] = {}): Promise<Collected> =>
    read(
      ['incident.opened', day('2026-01-01'), '', { incident: 'i', steps: [step] }],
      ['incident.step', day('2026-01-01'), '', { incident: 'i', step, outcome: 'done', ...data }],
    );
  expect(result(await incident('notify'), 'incidents-isolated')).toEqual(silent);
  expect(result(await incident('quarantine', { outcome: 'skipped', error: 'STREAM_CANNOT' }), 'incidents-isolated')).toEqual(silent);
  expect(result(await incident('quarantine'), 'incidents-isolated')).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
});

it('judges what was under way over the border of two periods in the second, and what is owed in every one until it is done', async () => {
  const before = '2025-12-31T23:59:00.000Z';
  const after = '2026-01-01T00:01:00.000Z';
  const run: Told[] = [
    ['run.started', before, 'a', { pipeline: 'shop', environment: 'dev' }],
    ['dataset.published.done', after, 'a', { version: 1, environment: 'dev', pipeline: 'shop', target: 't' }],
  ];
  const crossing = await read(...run);
  expect(result(crossing, 'plan-allowed')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
  expect(crossing.activities).toMatchObject([{ pipeline: 'shop', runs: 1, published: 1 }]);
  expect([...crossing.days]).toEqual([['before', expect.objectContaining({ runs: 1 })]]);
  const own: Told[] = [
    ['approval.wanted', before, '', { approval: '1', actor: 'ada' }],
    ['approval.approved', after, '', { approval: '1', actor: 'ada' }],
  ];
  expect(result(await read(...own), 'second-person')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
  const last = day('2026-03-31');
  const owed: readonly [string, Told, ...Told[]][] = [
    ['erasures-completed', ['erasure.requested', before, '', { erasure: 'e' }], ['x', last, '', {}]],
    ['reviews-in-time', ['access-review.opened', before, '', { review: 'r' }], ['access-review.overdue', after, '', { review: 'r' }]],
    ['breakglass-reviewed', ['breakglass.issued', before, '', { breakglass: 'b' }], ['breakglass.unreviewed', after, '', { breakglass: 'b' }]], // prettier-ignore
  ];
  for (const [id, ...told] of owed)
    expect([id, result(await read(...told), id)]).toEqual([id, { conclusion: 'exception', tested: 1, exceptions: 1 }]);
  // What came to its end before the period is not of it.
  const ended = ['run.ended', before, 'a', { state: 'failed' }] as const satisfies Told;
  expect((await read(run[0]!, ended, ['x', last, '', {}])).populations.get('runs')!.rows).toBe(0);
});

it('records a copy that stood in the period though no run was, and none that was dropped before', async () => {
  const made: Told[] = [
    ['run.started', day('2025-11-01'), 'a', { pipeline: 'shop', environment: 'dev' }],
    published('a', '2025-11-01', day('2026-02-01')),
    ['run.ended', day('2025-11-01'), 'a', { state: 'published' }],
  ];
  const pipelines = async (...more: Told[]): Promise<unknown> => (await read(...made, ...more)).activities.map(({ runs }) => runs);
  expect(await pipelines()).toEqual([0]);
  expect(await pipelines(dropped('a', '2026-01-02'))).toEqual([0]);
  expect(await pipelines(dropped('a', '2025-12-02'))).toEqual([]);
});

it('counts a version that was made before the period and is there in it, and none that ended before', async () => {
  const collected = await read(
    published('a', '2025-06-01', day('2025-12-01')),
    published('b', '2025-06-01', day('2025-12-01')),
    dropped('b', '2025-12-01'),
    ['x', day('2026-03-31'), '', {}],
  );
  expect(collected.populations.get('versions')!.first.map(({ entries }) => entries)).toEqual([['2026/0']]);
  expect(result(collected, 'versions-end')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
});

it('holds who approved against who asked', async () => {
  const approval = (id: string, by: string): Told[] => [
    ['approval.wanted', day('2026-01-02'), '', { approval: id, kind: 'plan', actor: 'ada' }],
    ['approval.approved', day('2026-01-03'), '', { approval: id, actor: by }],
    ['approval.used', day('2026-01-04'), '', { approval: id }],
  ];
  expect(result(await read(...approval('1', 'bob')), 'second-person')).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
  expect(result(await read(...approval('1', 'bob'), ...approval('2', 'ada')), 'second-person')).toEqual({
    ...{ conclusion: 'exception', tested: 2, exceptions: 1 },
  });
});

it('holds what took place against what was due', async () => {
  const due = (run: string): Told => ['run.queued', day('2026-01-02'), run, { run, pipeline: 'shop', due: day('2026-01-02') }];
  const done = await read(due('a'), ['run.published', day('2026-01-03'), 'a', { run: 'a' }]);
  expect(result(done, 'due-was-done')).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
  const never = await read(due('a'), ['x', day('2026-01-03'), '', {}]);
  expect(result(never, 'due-was-done')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
  // It may be under way: that is known in a day, and until then nothing is.
  expect(result(await read(due('a')), 'due-was-done')).toEqual({ conclusion: 'no evidence', tested: 1, exceptions: 0 });
  const uncounted = await read(['schedule.skipped', day('2026-01-03'), '', { schedule: 's', reason: 'late' }]);
  expect(result(uncounted, 'due-was-done')).toEqual({ conclusion: 'no evidence', tested: 1, exceptions: 0 });
  const skipped = await read(['schedule.skipped', day('2026-01-03'), '', { schedule: 's', count: 3, from: 'x', to: 'y', reason: 'late' }]);
  expect(result(skipped, 'due-was-done')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
});

it('holds the report of each day against that it was due: one that failed and was made in the end was made', async () => {
  const told = (type: string, when: string, of: string): Told => [`daily-report.${type}`, day(when), '', { day: of, to: day(of) }];
  const due = told('due', '2026-01-02', '2026-01-01');
  const failed = told('failed', '2026-01-03', '2026-01-01');
  expect(result(await read(due, failed), 'due-was-done')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
  const made = await read(due, failed, told('due', '2026-01-03', '2026-01-02'), told('made', '2026-01-04', '2026-01-01'));
  expect(result(made, 'due-was-done')).toEqual({ conclusion: 'exception', tested: 2, exceptions: 1 });
  expect(made.populations.get('occurrences')!.first.map(({ cells }) => [cells[0], cells[1], cells.at(-1)])).toEqual([
    ['report', 'daily report 2026-01-01', 'made'],
    ['report', 'daily report 2026-01-02', 'due'],
  ]);
});

it('sees the instants that a schedule was due at and nobody was there', async () => {
  const at = (text: string): string => `2026-01-${text}.000Z`;
  const apply = (when: string, version: number, due: Told[3]): Told => [
    ...(['documents.applied', when, ''] as const),
    { documents: [{ kind: 'Schedule', name: 'nightly', version, due }] },
  ];
  const vienna = { pipeline: 'shop', cron: '30 2 * * *', timeZone: 'Europe/Vienna' };
  const queued = (run: string, due: string): Told => [
    ...(['run.queued', due, run] as const),
    { run, pipeline: 'shop', due, cause: 'Schedule nightly version 1' },
  ];
  const done = (run: string): Told => ['run.published', at('02T09:00:00'), run, { run }];
  const untold = ({ populations: found }: Collected): readonly unknown[] =>
    found.get('occurrences')!.first.flatMap(({ at: when, cells }) => (cells[0] === 'untold' ? [when] : []));
  const silent = await read(apply(at('01T12:00:00'), 1, vienna), queued('a', at('02T01:30:00')), done('a'), [
    'x',
    at('05T00:00:00'),
    '',
    {},
  ]);
  expect(untold(silent)).toEqual([at('03T01:30:00'), at('04T01:30:00')]);
  expect(result(silent, 'due-was-done')).toEqual({ conclusion: 'exception', tested: 3, exceptions: 2 });
  // What was left out is told; what a pause was for was not due.
  const left = await read(
    apply(at('01T12:00:00'), 1, vienna),
    ['schedule.skipped', at('03T09:00:00'), '', { schedule: 'nightly', count: 2, from: at('02T01:30:00'), to: at('03T01:30:00') }],
    ['schedule.paused', at('03T10:00:00'), '', { schedule: 'nightly' }],
    ['schedule.resumed', at('06T10:00:00'), '', { schedule: 'nightly' }],
    ['x', at('07T01:31:00'), '', {}],
  );
  expect(untold(left)).toEqual([]);
  // From when it is applied a new version holds, and the one before is held to what it said until then.
  const changed = await read(
    apply(at('01T12:00:00'), 1, vienna),
    apply(at('02T12:00:00'), 2, { ...vienna, cron: '0 6 * * *', timeZone: 'UTC' }),
    ['x', at('04T00:00:00'), '', {}],
  );
  expect(untold(changed)).toEqual([at('02T01:30:00'), at('03T06:00:00')]);
  // Clocks were set forward over 02:30 on the 29th of March: the instant moves with them.
  const moved = await read(apply('2026-03-28T12:00:00.000Z', 1, vienna), ['x', '2026-03-29T12:00:00.000Z', '', {}]);
  expect(untold(moved)).toEqual(['2026-03-29T01:00:00.000Z']);
  // What a log says of a schedule that is none is nothing to go by.
  expect(untold(await read(apply(at('01T12:00:00'), 1, { cron: 'never', timeZone: 'Mars' }), ['x', at('05T00:00:00'), '', {}]))).toEqual(
    [],
  );
});

it('asks of a break-glass who agreed, whether it was used once, and whether somebody looked in time', async () => {
  const glass = (id: string, approvedBy: string[], ...more: readonly [string, Told[3]?][]): Told[] => [
    ['breakglass.issued', day('2026-01-02'), '', { breakglass: id, actor: 'ada', approvedBy, reason: { committed: `c-${id}` }, expiresAt: day('2026-01-03') }], // prettier-ignore
    ...more.map(([type, data]): Told => [`breakglass.${type}`, day('2026-01-04'), '', { breakglass: id, ...data }]),
  ];
  const good = await read(...glass('a', ['bob'], ['used', { actor: 'eve', misfit: null }], ['reviewed', { actor: 'max' }]));
  for (const id of ['breakglass-agreed', 'breakglass-once', 'breakglass-reviewed'])
    expect(result(good, id)).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
  const bad = await read(
    ...glass('a', ['ada']),
    ...glass('b', ['bob'], ['used', { actor: 'eve' }], ['unreviewed'], ['reviewed', { actor: 'max' }], ['used-again', { actor: 'eve' }]),
  );
  expect(result(bad, 'breakglass-agreed')).toEqual({ conclusion: 'exception', tested: 2, exceptions: 1 });
  for (const id of ['breakglass-once', 'breakglass-reviewed'])
    expect(result(bad, id)).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
  // What the log says of an exception stands beside it.
  expect(bad.checks.get('breakglass-once')!.deviations.map(({ said }) => said)).toEqual([
    { cause: 'c-b', approvedBy: 'bob', until: day('2026-01-03') },
  ]);
});

it('takes who agreed to an exception from the approval that it names, and guesses nobody', async () => {
  const failed: Told = ['key.rotated.failed', day('2026-01-05'), 'k', { actor: 'ada', reason: { committed: 'why' }, code: 'X' }];
  const collected = await read(['approval.approved', day('2026-01-04'), '', { approval: '1', actor: 'bob' }], failed);
  expect(collected.checks.get('keys-changed')!.deviations.map(({ said }) => said)).toEqual([
    { cause: 'why', approvedBy: null, until: null },
  ]);
  const waiver: Told = ['waiver.granted', day('2026-01-05'), '', { waiver: 'w', approval: '1', until: day('2026-02-01') }];
  const agreed = await read(['approval.approved', day('2026-01-04'), '', { approval: '1', actor: 'bob' }], waiver);
  expect(agreed.checks.get('waivers-agreed')!.deviations.map(({ said }) => said)).toEqual([
    { cause: null, approvedBy: 'bob', until: day('2026-02-01') },
  ]);
});

it('names nobody as who agreed to what he asked for himself', async () => {
  const issued: Told = ['breakglass.issued', day('2026-01-02'), '', { breakglass: 'b', actor: 'ada', approvedBy: ['ada'], reason: 'c', expiresAt: day('2026-01-03') }]; // prettier-ignore
  const said = ({ checks: found }: Collected, id: string): unknown => found.get(id)!.deviations.map((one) => one.said);
  expect(said(await read(issued), 'breakglass-agreed')).toEqual([{ cause: 'c', approvedBy: null, until: null }]);
  const own = await read(
    ['approval.wanted', day('2026-01-02'), '', { approval: '1', actor: 'ada' }],
    ['approval.approved', day('2026-01-03'), '', { approval: '1', actor: 'ada' }],
  );
  expect(said(own, 'second-person')).toEqual([{ cause: null, approvedBy: null, until: null }]);
});

it('calls a copy that was published before it was verified not verified first', async () => {
  const start: Told = ['run.started', day('2026-01-01'), 'a', { pipeline: 'shop' }];
  const verified: Told = ['dataset.verified', day('2026-01-02'), 'a', { verdicts: [] }];
  const out = published('a', '2026-01-02', day('2026-02-01'));
  expect(result(await read(start, verified, out), 'verified-first')).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
  expect(result(await read(start, out, verified), 'verified-first')).toEqual({ conclusion: 'exception', tested: 1, exceptions: 1 });
});

it('lets nothing pass that only people can show: a record that is complete, an authority that was told, an assessment, a year of history', async () => {
  const found = await read(
    ['incident.opened', day('2026-01-01'), '', { incident: 'i', steps: [] }],
    ['incident.closed', day('2026-01-02'), '', { incident: 'i', actor: 'ada', outcome: 'resolved', reason: 'c' }],
    ['breach.aware', day('2026-01-02'), '', { environment: 'dev', actor: 'ada', detectedAt: day('2026-01-01') }],
    ['dataset.verified', day('2026-01-02'), 'a', { verdicts: [{ verdict: 'zero', originals: 0 }] }],
  );
  expect(result(found, 'incidents-evaluated')).toMatchObject({ conclusion: 'pass' });
  const conclusions = frameworks.flatMap((framework) =>
    toControlResults(framework, found, 'whole').flatMap(({ control, conclusion }) =>
      ['30', '33', '35', '6.5.6', '10.5.1'].includes(control.id) ? [conclusion] : [],
    ),
  );
  expect(conclusions).toEqual(Array.from({ length: 5 }, () => 'no evidence'));
  const fields = toReport('pci', context, found).front.flatMap((block) => (block.kind === 'fields' ? block.fields : []));
  expect(fields).toContainEqual({ label: 'Oldest entry that was read', value: day('2026-01-01'), standing: 'evidenced' });
});

it('tells of a change that was begun and whose end nobody knows', async () => {
  const begun = (run: string): Told => ['dataset.published.intended', day('2026-01-02'), run, { target: 'shop' }];
  const known = await read(begun('a'), ['dataset.published.undone', day('2026-01-03'), 'a', { target: 'shop' }]);
  expect(result(known, 'changes-settled')).toEqual({ conclusion: 'pass', tested: 1, exceptions: 0 });
  const again = await read(begun('a'), begun('a'), ['dataset.published.done', day('2026-01-03'), 'a', { target: 'shop' }]);
  expect(result(again, 'changes-settled')).toEqual({ conclusion: 'no evidence', tested: 2, exceptions: 0 });
});

it('gives the same report for the same log, and promises nothing in it', async () => {
  const told: Told[] = [
    ['run.started', day('2026-01-01'), 'a', { pipeline: 'shop', environment: 'dev', actor: 'p' }],
    published('a', '2026-01-02', day('2026-02-01')),
    ['run.ended', day('2026-01-03'), 'a', { state: 'published' }],
  ];
  for (const name of reportNames) {
    const text = JSON.stringify(toReport(name, context, await read(...told)));
    expect(JSON.stringify(toReport(name, context, await read(...told)))).toBe(text);
    expect(text).not.toMatch(/anonym|complian|certif|\bpassed\b|safe harbor/i);
    expect(text).toContain('could have rewritten this before');
    expect(text).toContain('are not in the population');
  }
});

it('says on page 1 that the log is broken, and lets no control that rests on it pass', async () => {
  const broken: ReportContext = { ...context, log: { ...context.log, state: 'broken', findings: ['LOG_ENTRY_CHANGED: entry 3'] } };
  const document = toReport('iso27001', broken, await read());
  expect(document.front[0]).toMatchObject({ kind: 'notice', tone: 'broken', text: expect.stringContaining('LOG_ENTRY_CHANGED') });
  const pci = toControlResults(
    frameworks.find(({ name }) => name === 'pci')!,
    await read(),
    'broken',
  );
  expect(pci.find(({ control }) => control.id === '10.3.4')?.conclusion).toBe('exception');
});

it('reads whatever a log holds', async () => {
  const types = [...new Set(populations.flatMap((one) => one.types))];
  const told = fc.tuple(
    fc.constantFrom(...types),
    fc.constantFrom(day('2025-12-31'), day('2026-01-01'), day('2026-03-31'), day('2026-04-01')),
    fc.constantFrom('a', 'b'),
    fc.dictionary(
      fc.constantFrom(
        'run',
        'version',
        'expiresAt',
        'verdicts',
        'findings',
        'documents',
        'dropped',
        'approval',
        'decision',
        'due',
        'erasure',
        'schedule',
        'breakglass',
      ),
      fc.jsonValue(),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(told), async (log) => {
      const collected = await read(...(log as unknown as Told[]));
      for (const name of reportNames) expect(toReport(name, context, collected).report).toBe(name);
    }),
    { numRuns: 400 },
  );
});

it('counts columns by tag: masked, or kept as they are, and none that hold nothing of a person', async () => {
  const columns = [
    { table: 's.t', column: 'a', tag: 'pii.email', transform: 'email' },
    { table: 's.t', column: 'b', tag: 'pii.email', transform: 'email' },
    { table: 's.t', column: 'c', tag: 'pii.ip', transform: 'keep' },
    { table: 's.t', column: 'd', tag: 'none', transform: 'keep' },
  ];
  const found = await read(
    ['run.started', day('2026-01-01'), 'a', { pipeline: 'shop', environment: 'dev' }],
    ['gate.asked', day('2026-01-01'), 'a', { input: { columns } }],
    published('a', '2026-01-01', day('2026-02-01')),
  );
  const chart = toCoverageChart(found);
  expect(chart?.labels).toEqual(['pii.ip', 'pii.email']);
  expect(chart?.series.map(({ values }) => values)).toEqual([[0, 2], [1, 0]]); // prettier-ignore
  expect(toCoverageChart(await read())).toBeNull();
});

it('draws a day of the period on which nothing was, up to what was read last', async () => {
  const verified = (at: string): Told => ['dataset.verified', day(at), 'a', { verdicts: [{ verdict: 'zero', originals: 0 }] }];
  const found = await read(
    published('o', '2025-11-01', day('2025-12-01')),
    ['run.started', day('2026-01-02'), 'a', { pipeline: 'shop' }],
    verified('2026-01-02'),
    ['x', day('2026-01-04'), '', {}],
  );
  const charts = toReport('gdpr', context, found).sections.flatMap(({ id, blocks }) =>
    blocks.flatMap((block) => (block.kind === 'chart' ? [{ id, labels: block.labels, values: block.series[0]?.values }] : [])),
  );
  const days = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];
  expect(charts).toContainEqual({ id: 'effectiveness-tests', labels: days, values: [0, 1, 0, 0] });
  expect(charts).toContainEqual({ id: 'activity', labels: ['before', ...days], values: [0, 0, 1, 0, 0] });
  // Before the log began nobody knows of a run: that is no day without one.
  const young = await read(['run.started', day('2026-02-02'), 'a', {}], ['x', day('2026-02-03'), '', {}]);
  expect(toAxis(young, ['2026-02-02'])).toEqual(['2026-02-02', '2026-02-03']);
});

it('tells the age of what is current: of what was rolled back from or dropped, none', async () => {
  const on = (target: string, version: number, at: string): Told => [
    'dataset.published.done',
    day(at),
    `${target}${version}`,
    { target, version, environment: 'dev' },
  ];
  const chart = toAges(
    await read(
      ...[on('shop', 1, '2026-01-01'), on('shop', 2, '2026-01-03'), on('users', 1, '2026-01-02'), on('old', 1, '2026-01-02')],
      ['dataset.rolled-back.done', day('2026-01-04'), 'r', { environment: 'dev', target: 'shop', from: 2 }],
      ['dataset.dropped.done', day('2026-01-05'), 'e', { run: 'old1' }],
      ['x', '2026-01-11T12:00:00.000Z', '', {}],
    ),
  );
  expect(chart).toMatchObject({ labels: ['dev: shop, version 1', 'dev: users, version 1'], series: [{ values: [10.5, 9.5] }] });
  expect(toAges(await read())).toBeNull();
});

it('names entries that follow each other as a range, each log by itself', () => {
  expect(toEntryRanges(['2026/1', '2026/3', '2026/4', '2026/5', '2027/6'])).toBe('2026/1 2026/3–5 2027/6');
  expect(toEntryRanges([])).toBe('');
});

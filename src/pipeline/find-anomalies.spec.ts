import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { type Counted, addUp, toSigns } from './anomaly.js';
import type { Event } from './event.js';
import { type Anomaly, findAnomalies, findSilence, isWithinHours } from './find-anomalies.js';
import { type WatchRule, defaultWatches } from './watch.js';

const DAY = 86_400_000;
const start = Date.parse('2026-03-02T00:00:00.000Z');
const startedAt = new Date(start).toISOString();
const at = (day: number, hour = 10): string => new Date(start + day * DAY + hour * 3_600_000).toISOString();
const event = (type: string, when: string, data: Event['data']): Event => ({ runId: '', stage: 'control', type, at: when, data });
const reversal = (day: number, hour?: number, actor = 'p1'): Event =>
  event('tokens.exchanged', at(day, hour), { action: 'detokenise', domain: 'mail', environment: 'dev', actor });
const times = (count: number, make: (i: number) => Event): Event[] => Array.from({ length: count }, (_, i) => make(i));
const judging = { watches: defaultWatches, startedAt, since: startedAt };
const find = (events: readonly Event[], more = {}): readonly Anomaly[] =>
  findAnomalies(addUp(events.flatMap(toSigns)), { ...judging, ...more });
const of = (found: readonly Anomaly[], rule: WatchRule): readonly Anomaly[] => found.filter((one) => one.rule === rule);
const shown = ({ rule, subject, environment, pipeline, window }: Anomaly): string =>
  [rule, subject, environment, pipeline, window].join(' ');

describe('a day of more than the mean and three standard deviations of its own history', () => {
  const usual = Array.from({ length: 28 }, (_, day) => times(4 + (day % 3), () => reversal(day))).flat();

  it('is told by person, domain and day, and one of as many as before is not', () => {
    // Mean 4.96, deviation below 1, which counts as 1: 7.96.
    expect(of(find([...usual, ...times(7, () => reversal(28))]), 'detokenisations')).toEqual([]);
    expect(of(find([...usual, ...times(8, () => reversal(28))]), 'detokenisations')).toEqual([
      {
        ...{ rule: 'detokenisations', subject: 'person p1 domain mail', environment: 'dev', pipeline: '' },
        ...{ window: at(28, 0), amount: 8, expected: 7 },
      },
    ]);
  });

  it('counts days without any as 0, and asks for a week of history first', () => {
    const six = times(6, () => reversal(6));
    expect(of(find(six), 'detokenisations')).toEqual([]);
    expect(of(find(times(6, () => reversal(7))), 'detokenisations').map(({ expected }) => expected)).toEqual([3]);
    expect(of(find(times(4, () => reversal(7))), 'detokenisations')).toEqual([]);
  });

  it('is of each person on his own: another one’s history excuses nobody', () => {
    const found = of(find([...usual, ...times(6, () => reversal(28, 10, 'p2')), ...times(6, () => reversal(28))]), 'detokenisations');
    expect(found.map(({ subject }) => subject)).toEqual(['person p2 domain mail']);
  });

  it('is told of clones by who asks for them, and never of tokens that are made', () => {
    const clones = times(6, () => event('clone.requested', at(9), { environment: 'dev', clone: 'c', for: 'x', actor: 'p1' }));
    expect(of(find(clones), 'clones')).toMatchObject([{ subject: 'person p1', environment: 'dev', amount: 6 }]);
    const made = times(60, () => event('tokens.exchanged', at(9), { action: 'tokenise', domain: 'mail', environment: 'dev', actor: 'p1' }));
    expect(find(made)).toEqual([]);
  });
});

it('tells of a reader or a target that was never there before, once, when the log is a week old', () => {
  expect(of(find([reversal(6), reversal(8), reversal(9)]), 'first-seen')).toEqual([]);
  expect(of(find([reversal(8), reversal(9)]), 'first-seen')).toMatchObject([{ subject: 'reader person p1', window: at(8, 0) }]);
  const published = event('dataset.published.done', at(10), { environment: 'qa', server: '7001', target: 'qa_7' });
  expect(of(find([published, published]), 'first-seen')).toMatchObject([{ subject: 'target 7001/qa_7', environment: 'qa', amount: 1 }]);
});

it('tells of a run that a person asked for outside the hours, and of none that a schedule did', () => {
  const asked = (day: number, hour: number, actor?: string): Event =>
    event('run.queued', at(day, hour), { run: 'r', pipeline: 'shop', due: null, ...(actor === undefined ? {} : { actor }) });
  expect(find([asked(0, 3), asked(0, 10, 'p1')])).toEqual([]);
  // A Monday at 03:00 and at 20:00, and a Saturday.
  expect(find([asked(0, 3, 'p1'), asked(0, 20, 'p1'), asked(5, 10, 'p1')])).toMatchObject([
    { rule: 'outside-hours', subject: 'person p1', pipeline: 'shop', window: at(0, 0), amount: 2 },
    { rule: 'outside-hours', subject: 'person p1', pipeline: 'shop', window: at(5, 0), amount: 1 },
  ]);
  const berlin = { ...defaultWatches['outside-hours'].hours, timeZone: 'Europe/Berlin' };
  // 06:00 there: an hour ahead in winter, two in summer.
  const sixThere = ['2026-03-27T05:00:00Z', '2026-03-30T04:00:00Z'];
  for (const first of sixThere)
    expect([isWithinHours(berlin, Date.parse(first)), isWithinHours(berlin, Date.parse(first) - 1)]).toEqual([true, false]);
});

it('tells of originals that were left, of protection that was lowered, of bursts of denials and of log-ins that failed', () => {
  const denied = (minute: number): Event =>
    event('access.denied', new Date(start + minute * 60_000).toISOString(), { code: 'ACCESS_DENIED', actor: 'p1' });
  expect(find(times(9, denied))).toEqual([]);
  // Ten within an hour by the clock; the eleventh is of the next one.
  expect(find(times(10, denied))).toMatchObject([{ rule: 'denials', subject: 'person p1', amount: 10, window: startedAt }]);
  expect(find([...times(9, denied), denied(60)])).toEqual([]);
  const issuer = times(5, () => event('access.denied', at(0), { code: 'IDENTITY_NOT_TRUSTED', issuer: 'github' }));
  expect(find(issuer)).toMatchObject([{ rule: 'failed-log-ins', subject: 'issuer github', amount: 5 }]);
  const forged = times(5, () => event('webhook.refused', at(0), { trigger: 'push', reason: 'forged' }));
  expect(find(forged)).toMatchObject([{ rule: 'failed-log-ins', subject: 'trigger push' }]);
  const no = (allow: boolean): Event => event('deployment.decided', at(0), { gate: 'production', environment: 'prod', allow });
  expect(find(times(30, () => no(true)))).toEqual([]);
  expect(find(times(10, () => no(false)))).toMatchObject([{ rule: 'denials', subject: 'gate production', environment: 'prod' }]);
  expect(find([event('run.withheld', at(0), { run: 'r1' })])).toMatchObject([{ rule: 'residual', subject: 'run r1' }]);
  const drifted = (text: string): Event =>
    event('dataset.drifted', at(0), { run: 'r1', environment: 'dev', pipeline: 'shop', changed: [text] });
  expect(find([drifted('shop.customer: changed')])).toEqual([]);
  expect(find([drifted('shop.customer: changed; outside the reserved space: 3 × email in note')])).toMatchObject([
    { rule: 'residual', subject: 'dataset r1', environment: 'dev', pipeline: 'shop' },
  ]);
  expect(find([event('documents.applied', at(0), { documents: [] })])).toEqual([]);
  const lowered = event('documents.applied', at(0), { documents: [], approval: 'a1' });
  expect(find([lowered])).toMatchObject([{ rule: 'protection-weakened', subject: 'approval a1' }]);
});

it('tells of a schedule that was due and of which nothing is in the log, after the time that it is given', () => {
  const due = [{ schedule: 'nightly', pipeline: 'shop', at: startedAt }];
  const { silence } = defaultWatches;
  expect(findSilence(due, start + 15 * 60_000 - 1, silence)).toEqual([]);
  expect(findSilence(due, start + 15 * 60_000, silence)).toMatchObject([
    { rule: 'silence', subject: 'schedule nightly', window: startedAt },
  ]);
  expect(findSilence(due, start + DAY, { ...silence, on: false })).toEqual([]);
});

it('tells nothing of what a document switched off, and nothing of what is older than the watch', () => {
  const withheld = event('run.withheld', at(3), { run: 'r1' });
  expect(find([withheld], { watches: { ...defaultWatches, residual: { ...defaultWatches.residual, on: false } } })).toEqual([]);
  expect(find([withheld], { since: at(4, 0) })).toEqual([]);
});

describe('laws', () => {
  const types = fc.oneof(
    fc.record({ type: fc.constant('tokens.exchanged'), data: fc.record({ action: fc.constant('detokenise'), domain: fc.constantFrom('a', 'b'), environment: fc.constantFrom('dev', 'qa'), actor: fc.constantFrom('p1', 'p2') }) }), // prettier-ignore
    fc.record({ type: fc.constant('access.denied'), data: fc.record({ code: fc.constant('ACCESS_DENIED'), actor: fc.constantFrom('p1', 'p2') }) }), // prettier-ignore
    fc.record({ type: fc.constant('run.queued'), data: fc.record({ pipeline: fc.constant('shop'), actor: fc.constantFrom('p1', 'p2') }) }),
    fc.record({ type: fc.constantFrom('run.withheld', 'dataset.published.done', 'batch.loaded'), data: fc.record({ run: fc.constantFrom('r1', 'r2') }) }), // prettier-ignore
  );
  /** A log of three weeks as it is written: one entry after the other. Many on few days, so that something is found. */
  const logs = fc
    .array(fc.tuple(types, fc.oneof(fc.integer({ min: 0, max: 20 * 96 }), fc.constant(12 * 96 + 40))), { maxLength: 250 })
    .map((found) => found.sort(([, a], [, b]) => a - b).map(([{ type, data }, quarter]) => event(type, new Date(start + quarter * 900_000).toISOString(), data))); // prettier-ignore
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 });
  const cut = (log: readonly Event[], lengths: readonly number[]): Event[][] => {
    const batches: Event[][] = [];
    for (let from = 0, i = 0; from < log.length; i += 1) {
      const length = lengths[i % lengths.length] ?? 1;
      batches.push(log.slice(from, from + length));
      from += length;
    }
    return batches;
  };

  it('says the same of a log that is read in pieces, however they are cut, as of the whole', () => {
    let told = 0;
    fc.assert(
      fc.property(logs, cuts, (log, lengths) => {
        const seen = new Set<string>();
        let state: readonly Counted[] = [];
        for (const batch of cut(log, lengths)) {
          state = addUp([...state, ...batch.flatMap(toSigns)]);
          for (const one of findAnomalies(state, judging)) seen.add(shown(one));
        }
        const whole = find(log).map(shown);
        told += whole.length;
        expect([...seen].sort()).toEqual([...whole].sort());
      }),
    );
    expect(told).toBeGreaterThan(100);
  });

  it('comes to the same counts in whichever order the pieces come', () => {
    fc.assert(
      fc.property(logs, cuts, fc.integer(), (log, lengths, turn) => {
        const batches = cut(log, lengths).map((batch) => addUp(batch.flatMap(toSigns)));
        const turned = [...batches].sort((a, b) => ((a.length * 7919 + turn) % 13) - ((b.length * 7919 + turn) % 13));
        expect(addUp(turned.flat())).toEqual(addUp(batches.flat()));
        expect(findAnomalies(addUp(turned.flat()), judging)).toEqual(find(log));
      }),
    );
  });

  it('names nobody: what is told is made of ids and names that the entries have', () => {
    fc.assert(
      fc.property(logs, (log) => {
        for (const one of find(log)) expect(Object.keys(one).sort()).toEqual(['amount', 'environment', 'expected', 'pipeline', 'rule', 'subject', 'window']); // prettier-ignore
      }),
    );
  });
});

// The worksheet of a breach: what stood there in the window, of how many people, since when it is known, and nothing of another environment.
import { expect, it } from '@jest/globals';

import type { LoggedEvent } from '../../event.js';
import type { Field, ReportContext, ReportDocument, Table } from '../report.js';
import { toBreachReport } from './breach-report.js';
import { type BreachAsked, readBreach } from './read-breach.js';

type Told = readonly [type: string, at: string, runId: string, data: LoggedEvent['event']['data']];
const day = (date: string, hour = 0): string => `2026-${date}T${String(hour).padStart(2, '0')}:00:00.000Z`;
const window = { from: day('02-01'), to: day('02-11'), zone: 'UTC' };

async function* toLog(told: readonly Told[]): AsyncGenerator<LoggedEvent> {
  for (const [index, [type, at, runId, data]] of told.entries()) {
    await Promise.resolve();
    yield { log: '2026', index, event: { type, at, runId, data, stage: 'control' } };
  }
}

const columnOf = (table: string, column: string, more: object): object => ({
  ...{ table, column, path: null, tag: 'pii.email', transform: 'email', scope: 'value', domain: 'pii.email', reveals: ['equality'] },
  ...{ reversible: false, speaksOfPerson: true, ...more },
});
/** A version of `environment`, with so many customers. */
function run(id: string, at: string, rows: number, { environment = 'staging', target = 'shop', more = {} } = {}): readonly Told[] {
  const columns = [
    columnOf('shop.customer', 'email', more),
    columnOf('shop.order', 'note', { tag: 'pii.free-text', transform: 'replace', reveals: [] }),
    columnOf('shop.country', 'title', { tag: 'none', transform: 'keep', reveals: ['value'], speaksOfPerson: false }),
  ];
  const input = { columns, keyVersion: 1, key: { environment }, tokenKeyVersion: 3 };
  return [
    ['run.started', at, id, { pipeline: 'shop', environment }],
    ...['customer', 'order', 'country'].map((table): Told => [
      'table.loaded',
      at,
      id,
      { schema: 'shop', table, rows: table === 'country' ? 3 : rows },
    ]),
    ['gate.asked', at, id, { input, follows: { 'shop.customer': { subject: [{ table: 'shop.customer', column: 'id' }] } } } as never],
    ['dataset.published.done', at, id, { environment, target, pipeline: 'shop', version: 1, expiresAt: day('03-01') }],
    ['run.ended', at, id, { state: 'published' }],
  ];
}
const dropped = (run: string, at: string): Told => ['dataset.dropped.done', at, 'e', { run, environment: 'staging', version: 1 }];
const context = (acts?: 'controller' | 'processor'): ReportContext => ({
  workspace: 'default',
  product: { version: '1', commit: null },
  log: { state: 'whole', checkpoint: { origin: 'o/2026', size: 1, root: 'r' }, findings: [], cosigned: [], anchored: [] },
  declared: {
    organisation: acts
      ? [
          {
            ...{ from: null, to: null },
            value: { legalName: 'Shop', acts, contact: 'c', representative: null, dataProtectionOfficer: 'dpo', customers: [] },
          },
        ]
      : [],
    pipelines: {},
  },
});
const make = async (told: readonly Told[], acts?: 'controller' | 'processor', asked: Partial<BreachAsked> = {}): Promise<ReportDocument> =>
  toBreachReport(context(acts), await readBreach(toLog(told), { environment: 'staging', window, ...asked }));
const blocksOf = ({ sections }: ReportDocument, id: string) => sections.find((one) => one.id === id)!.blocks;
const fieldOf = (document: ReportDocument, id: string, label: string): Field =>
  blocksOf(document, id).flatMap((block) => (block.kind === 'fields' ? block.fields.filter((one) => one.label.startsWith(label)) : []))[0]!;
const tablesOf = (document: ReportDocument, id: string): readonly Table[] =>
  blocksOf(document, id).filter((block) => block.kind === 'table');
const people = (document: ReportDocument): unknown => fieldOf(document, 'concerned', 'People').value;
const aware: Told = [
  'breach.aware',
  day('02-12', 6),
  '',
  { environment: 'staging', detectedAt: day('02-11', 20), incident: null, actor: 'p-1' },
];

it('counts the people of the versions that stood there in the window: the most of a target, and targets together', async () => {
  const log = [
    ...run('gone', day('01-01'), 900),
    dropped('gone', day('01-20')),
    ...run('a', day('01-10'), 100),
    ...run('b', day('02-03'), 120),
    ...run('other', day('02-04'), 5, { target: 'billing' }),
    ...run('dev', day('02-04'), 7000, { environment: 'dev' }),
    ...run('late', day('02-11'), 9000),
    dropped('a', day('02-02')),
  ];
  const made = await make(log);
  expect(people(made)).toBe('125');
  expect(fieldOf(made, 'concerned', 'Records').value).toBe('250');
  expect(tablesOf(made, 'nature')[0]?.rows.map(([, target, , at]) => [target, at])).toEqual([
    ['shop', day('01-10')],
    ['shop', day('02-03')],
    ['billing', day('02-04')],
  ]);
});

it('starts the clock when a named person is aware, and says when it was detected beside it', async () => {
  const log = [...run('a', day('01-10'), 1), aware];
  const made = await make([...log, ['x', day('02-13'), '', {}]], 'controller');
  expect(fieldOf(made, 'clock', 'Detected')).toMatchObject({ value: day('02-11', 20), standing: 'declared' });
  expect(fieldOf(made, 'clock', 'A named person')).toMatchObject({
    value: expect.stringContaining(`${day('02-12', 6)}, by p-1`),
    standing: 'evidenced',
  });
  expect(fieldOf(made, 'clock', '72 hours end').value).toBe(day('02-15', 6));
  expect(fieldOf(made, 'clock', 'As of what was read').value).toBe(`${day('02-13')}: 54 whole hours are left`);
  expect(fieldOf(await make([...log, ['x', day('02-16', 7), '', {}]], 'controller'), 'clock', 'As of').value).toMatch(/: 25 hours over$/);
  // Read up to an instant before that: nobody was aware yet.
  const before = await make(log, 'controller', { at: day('02-12') });
  expect(fieldOf(before, 'clock', 'A named person').value).toBeNull();
  expect(JSON.stringify(blocksOf(before, 'clock'))).toContain('Nobody has recorded');
});

it('tells a processor that the controller is told without undue delay, and counts no hours', async () => {
  const made = await make([...run('a', day('01-10'), 1), aware], 'processor');
  expect(JSON.stringify(blocksOf(made, 'clock'))).toContain('a processor tells the controller without undue delay');
  expect(fieldOf(made, 'clock', '72 hours end')).toBeUndefined();
  expect(fieldOf(made, 'clock', 'When the controller was told').standing).toBe('unknown');
});

it('says whether the keys of what stood there were still there', async () => {
  const destroyed = (at: string): Told => ['key.destroyed.done', at, '', { purpose: 'masking', environment: 'staging', upTo: 1 }];
  const state = async (...more: Told[]): Promise<unknown> =>
    tablesOf(await make([...run('a', day('01-10'), 1), ...more]), 'keys')[0]?.rows[0]?.[3];
  expect(await state(destroyed(day('01-15')))).toMatch(/^destroyed before the window \(entry /);
  expect(await state(destroyed(day('02-05')))).toMatch(/^destroyed 2026-02-05/);
  expect(await state(['key.destroyed.done', day('01-15'), '', { purpose: 'masking', environment: 'dev', upTo: 1 }])).toMatch(
    /^not destroyed/,
  );
  const reversible = await make(run('a', day('01-10'), 1, { more: { reversible: true, transform: 'token' } }));
  expect(tablesOf(reversible, 'keys')[0]?.rows.map(([purpose, , version]) => [purpose, version])).toEqual([['masking', 1], ['token', 3]]); // prettier-ignore
});

it('names who could reach it in the window: roles, clones, archives, reversals', async () => {
  const made = await make([
    ['roles.granted', day('01-01'), '', { person: 'ada', roles: ['operator@staging', 'viewer@dev'] }],
    ['roles.granted', day('01-01'), '', { person: 'bob', roles: ['viewer@dev'] }],
    ['roles.granted', day('01-02'), '', { person: 'eve', roles: ['detokeniser'] }],
    ['roles.granted', day('01-20'), '', { person: 'eve', roles: [] }],
    ['roles.granted', day('01-03'), '', { person: 'kim', roles: ['auditor'] }],
    ['roles.granted', day('02-05'), '', { person: 'kim', roles: [] }],
    ...run('a', day('01-10'), 1),
    ['dataset.pulled', day('01-12'), '', { environment: 'staging', actor: 'ada' }],
    ['clone.made.done', day('02-02'), '', { environment: 'staging', clone: 'c', actor: 'ada' }],
    ['clone.made.done', day('02-02'), '', { environment: 'dev', clone: 'd', actor: 'bob' }],
    ['tokens.exchanged', day('02-03'), '', { environment: 'staging', action: 'detokenise', count: 4, domain: 'd', actor: 'ada' }],
    ['dataset.revoked', day('02-20'), '', { run: 'a', version: 1 }],
  ]);
  const [roles, given, before, reversals] = tablesOf(made, 'access');
  expect(roles?.rows.map(([who, what, , until]) => [who, what, until])).toEqual([
    ['ada', 'operator@staging', 'beyond the window'],
    ['kim', 'auditor', day('02-05')],
  ]);
  expect(given?.rows.map(([, who, count]) => [who, count])).toEqual([['ada', 1], ['ada', 4]]); // prettier-ignore
  expect(before?.rows.map(([, who]) => who)).toEqual(['ada']);
  expect(reversals?.rows.map(([, , domain, , count, by]) => [domain, count, by])).toEqual([['d', 4, 'ada']]);
  expect(tablesOf(made, 'measures')[0]?.rows.map(([, type]) => type)).toEqual(['dataset.revoked']);
});

it('calls no category absent where the plan of a version, or every version, is unknown', async () => {
  const categories = async (log: readonly Told[]) => {
    const made = await make(log);
    return ['Categories', 'Special'].map((label) => {
      const { value, standing } = fieldOf(made, 'nature', label);
      return [value, standing];
    });
  };
  const unplanned = run('b', day('02-03'), 9).filter(([type]) => type !== 'gate.asked');
  expect(await categories([])).toEqual([[null, 'unknown'], [null, 'unknown']]); // prettier-ignore
  expect(await categories(unplanned)).toEqual([[null, 'unknown'], [null, 'unknown']]); // prettier-ignore
  expect(await categories(run('a', day('01-10'), 1))).toEqual([[expect.any(String), 'evidenced'], ['no column was tagged as one', 'evidenced']]); // prettier-ignore
  const [some, special] = await categories([...run('a', day('01-10'), 1), ...unplanned]);
  expect(some).toEqual([expect.stringMatching(/; of 1 of 2 versions the plan is unknown$/), 'evidenced']);
  expect(special).toEqual([null, 'unknown']);
});

it('says so where nothing of that name stood there, promises nothing, and is the same twice', async () => {
  const log = [...run('a', day('01-10'), 1), aware];
  const none = await make(log, undefined, { environment: 'stagin' });
  expect(JSON.stringify(blocksOf(none, 'nature'))).toContain('No version stood in this environment');
  expect(people(none)).toBeNull();
  const text = JSON.stringify(await make(log));
  expect(JSON.stringify(await make(log))).toBe(text);
  expect(text).not.toMatch(/anonym|complian|certif|\bpassed\b|safe harbor/i);
});

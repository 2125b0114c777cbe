import { expect, it } from '@jest/globals';

import { type Signer, signNote, toSigner } from '../kernel/signed-note.js';
import { Journal } from './audit/audit.js';
import type { Decision, GateInput } from './decision.js';
import type { Event } from './event.js';
import { toMarker, toMarkerRow, toMarkerText } from './marker.js';
import { type Plan, toPlanDigest } from './plan.js';
import type { DatasetVersion, SourceState } from './ports.js';
import { findReusable } from './reuse.js';
import type { Doors } from './run.js';

const hour = 3_600_000;
const nowMs = Date.parse('2026-03-02T12:00:00.000Z');
const ours = toSigner('ours', new Uint8Array(32).fill(1));
const column = { name: 'id', type: { base: 'int4' } };
const plan = {
  environment: 'dev',
  facts: { retentionDays: 1 },
  documents: { 'Pipeline shop': 'sha256:1' },
  tables: [{ schema: 'app', name: 'person', kind: 'r', rows: 'all', columns: [column], hidden: [] }],
} as unknown as Plan;

interface World {
  readonly plan?: Plan;
  readonly dataset?: Partial<DatasetVersion> | null;
  readonly signer?: Signer;
  readonly madeAtMs?: number;
  /** What the attempts of the run said of the source; in the log of another workspace: nothing. */
  readonly told?: readonly (string | null)[];
  readonly state?: Partial<SourceState>;
  readonly revoked?: boolean;
  /** What the policy of today says against it. */
  readonly denied?: readonly string[];
  readonly isAsked?: boolean;
}

/** The part of the policy that is about a version used again. */
const toCodes = ({ again }: GateInput): readonly string[] => ((again as { revoked: boolean }).revoked ? ['DATASET_REVOKED'] : []);

const toDecision = (codes: readonly string[]): Decision => ({
  ...{ decisionId: 'd', allow: codes.length === 0, policy: { revision: 'r', digest: 'sha256:d' } },
  reasons: codes.map((code) => ({ code, controlIds: ['X'], message: 'm', hint: 'h' })),
});

function ask({
  plan: wanted = plan,
  dataset,
  signer = ours,
  madeAtMs = nowMs - hour,
  told = ['sha256:s'],
  state,
  revoked,
  denied,
  isAsked = true,
}: World = {}): ReturnType<typeof findReusable> {
  const current: DatasetVersion = {
    ...{ target: 'copy', version: 3, state: 'current', runId: 'r', database: 'copy', planDigest: toPlanDigest(plan), publishedAt: null },
    ...dataset,
  };
  const facts = { plan, version: { ...current, target: 'copy', version: 3, runId: 'r' }, systemIdentifier: '7', manifest: [], madeAtMs };
  const marker = toMarker({ ...facts, nonce: new Uint8Array(16), log: { origin: 'ours/2026', index: 4 } });
  const toOpened = (runId: string, sourceState: string | null): Event => ({
    ...{ runId, stage: 'extract', type: 'snapshot.opened', at: '2026-03-02T11:00:00.000Z', data: { sourceState } },
  });
  const opened = told.map((sourceState) => toOpened('r', sourceState));
  const input = { planDigest: current.planDigest, key: { version: 1 }, target: { systemIdentifier: '7' }, knownSources: [] };
  const asked = isAsked ? [{ runId: current.runId, stage: 'gate', type: 'gate.asked', at: '', data: { input } } as unknown as Event] : [];
  const another = toOpened('another', 'sha256:another');
  const doors = {
    clock: { now: () => nowMs },
    target: {
      place: () => Promise.resolve({ server: '7', database: 'copy' }),
      datasets: () => Promise.resolve(dataset === null ? [] : [current]),
      marker: () => Promise.resolve({ row: toMarkerRow(marker, [], signNote(toMarkerText(marker), signer)) }),
    },
    sink: {
      standing: () => Promise.resolve(revoked ? [{ type: 'dataset.revoked', data: { run: 'r' } }] : []),
      read: (types: readonly string[], runId: string) =>
        Promise.resolve([...opened, another, ...asked].filter((event) => event.runId === runId && types.includes(event.type))),
      append: () => Promise.resolve({ index: 0, checkpoint: { origin: 'ours/2026', size: 1, root: '' } }),
    },
    keys: { expiresAt: () => Promise.resolve(null) },
    policy: { decide: (input: GateInput) => Promise.resolve(toDecision(denied ?? toCodes(input))) },
    source: { state: () => Promise.resolve({ digest: 'sha256:s', lagMs: 60_000, ...state }) },
  } as unknown as Doors;
  const journal = new Journal(doors.sink, doors.clock, 'now');
  return findReusable(
    doors,
    { plan: wanted, planDigest: toPlanDigest(wanted), catalogue: {} as never },
    { verifiers: [ours.verifier], journal, knownSources: [] },
  );
}

it('offers the current version with its age, and says until when the source is known to be the same', async () => {
  expect(await ask()).toEqual({
    ...{ target: 'copy', version: 3, planDigest: toPlanDigest(plan), runId: 'r' },
    ...{ readAt: '2026-03-02T11:00:00.000Z', ageSeconds: 3600, unchangedUntil: '2026-03-02T11:59:00.000Z' },
    expiresAt: '2026-03-03T11:00:00.000Z',
  });
  // Of its own state it is certain, whatever is counted late.
  expect(await ask({ state: { lagMs: 2 * hour } })).toMatchObject({ unchangedUntil: '2026-03-02T11:00:00.000Z' });
});

const withTable = (more: object): Plan => ({ ...plan, tables: [{ ...plan.tables[0], ...more }] }) as unknown as Plan;
const asOf = (changed: Plan): World => ({ plan: changed, dataset: { planDigest: toPlanDigest(changed) } });
it.each<[string, World]>([
  ['it may look at the clock', asOf(withTable({ rows: { where: 'at > now()' } }))],
  ['after files', asOf({ ...plan, documents: { ...plan.documents, 'after 1': 'sha256:2' } })],
  ['names of the server', asOf(withTable({ columns: [{ name: 'kind', type: { base: 'regclass' } }] }))],
  ['was revoked', { revoked: true }],
  ['a person is to be erased', { denied: ['ERASURE_PENDING', 'OTHER'] }],
  ['denied by the policy of now: TARGET_REGION', { denied: ['TARGET_REGION'] }],
  ['what was allowed', { isAsked: false }],
  ['no version', { dataset: null }],
  ['no version', { dataset: { state: 'previous' } }],
  ['another plan', { plan: { ...plan, keyVersion: 2 } }],
  ['another log', { signer: toSigner('theirs', new Uint8Array(32).fill(2)) }],
  ['another dataset', { dataset: { version: 4 } }],
  ['another dataset', { dataset: { runId: 's' } }],
  ['expired', { madeAtMs: nowMs - 24 * hour }],
  ['yet to be made', { madeAtMs: nowMs + 1 }],
  ['does not say', { told: [] }],
  ['does not say', { told: [null] }],
  ['does not say', { told: ['sha256:s', 'sha256:t'] }],
  ['not known: a replica', { state: { digest: null, lagMs: null, unknown: 'a replica' } }],
  ['not known: hidden', { state: { lagMs: null, unknown: 'hidden' } }],
  ['has changed', { state: { digest: 'sha256:t' } }],
])('offers none, and says why: %s', async (why, world) => {
  expect(await ask(world)).toEqual({ why: expect.stringContaining(why) });
});

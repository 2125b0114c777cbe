// Which items of populations stand as rows in tables of the service, too, and under which ids. What is in no list here the log alone has.
import type { Item, Population } from './populations/population.js';

type Cells = Readonly<Record<string, string>>;

interface Counterpart {
  readonly population: string;
  /** Table of the metadata database, in the schema `bauta`. */
  readonly table: string;
  /** Of one item: ids of the rows that it tells of; of most items one, of what stands nowhere else none. */
  readonly ids: (cells: Cells) => readonly string[];
  /** The service takes older rows away itself: only of items of the last so many days a row is missed. Absent: it takes none away. */
  readonly keptDays?: number;
}

/** Of items of that type alone, where the population has several. */
const named =
  (columns: readonly string[], ...types: readonly string[]): Counterpart['ids'] =>
  (cells) =>
    types.length === 0 || types.includes(cells['type'] ?? '') ? [columns.map((name) => cells[name] ?? '').join(' ')] : [];
const where =
  (column: string, id: string): Counterpart['ids'] =>
  (cells) =>
    (cells[column] ?? '') === '' ? [] : [cells[id] ?? ''];

/** As `….requested` of a request that changes the world. */
const changing = ['expiry', 'rollback', 'key-rotation', 'key-destruction', 'secret-rotation', 'subject-erasure'] as const;

const all = {
  runs: { population: 'runs', table: 'run', ids: named(['run']) },
  'due-runs': { population: 'occurrences', table: 'run', ids: ({ what = '', run = '' }) => (what === 'run' ? [run] : []) },
  versions: { population: 'versions', table: 'dataset_version', ids: named(['run']) },
  clones: { population: 'clones', table: 'clone', ids: named(['clone']) },
  'clone-requests': { population: 'requests', table: 'clone', ids: named(['of'], 'clone.requested') },
  errands: { population: 'requests', table: 'errand', ids: named(['of'], ...changing.map((word) => `${word}.requested`)), keptDays: 0 },
  holds: { population: 'holds', table: 'hold', ids: named(['run', 'until'], 'hold.placed') },
  approvals: { population: 'approvals', table: 'approval', ids: named(['approval']) },
  documents: {
    population: 'changes',
    table: 'document',
    // Each as `kind name version change digest`.
    ids: ({ documents = '' }) => documents.split('; ').filter(Boolean).map((one) => one.split(' ').slice(0, 3).join(' ')), // prettier-ignore
  },
  'api-keys': { population: 'access', table: 'token', ids: named(['token'], 'apikey.issued') },
  'access-reviews': { population: 'access-reviews', table: 'access_review', ids: named(['review']) },
  'access-held': { population: 'access-held', table: 'access_review_item', ids: named(['review', 'item']) },
  evidence: { population: 'evidence', table: 'evidence', ids: named(['evidence'], 'evidence.received') },
  withdrawals: { population: 'evidence', table: 'evidence_withdrawal', ids: named(['evidence'], 'evidence.withdrawn') },
  waivers: { population: 'waivers', table: 'waiver', ids: named(['waiver'], 'waiver.granted') },
  decisions: { population: 'deployment-decisions', table: 'decision', ids: named(['decision']) },
  flips: { population: 'deployment-flips', table: 'flip', ids: named(['decision']) },
  breakglasses: { population: 'breakglasses', table: 'breakglass', ids: named(['breakglass']) },
  'breakglass-uses': { population: 'breakglasses', table: 'breakglass_use', ids: where('usedAt', 'breakglass') },
  'breakglass-reviews': { population: 'breakglasses', table: 'breakglass_review', ids: where('reviewedAt', 'breakglass') },
  'gate-calls': { population: 'gate-calls', table: 'callback', ids: named(['callback'], 'gate.called'), keptDays: 90 },
  'agent-invites': { population: 'agents', table: 'agent_invite', ids: named(['environment', 'token'], 'agent.invited') },
  agents: { population: 'agents', table: 'agent', ids: named(['environment', 'agent'], 'agent.enrolled') },
  notifications: {
    ...{ population: 'notifications', table: 'notification', keptDays: 90 },
    ids: named(['notification'], 'notification.sent', 'notification.dead'),
  },
  'daily-reports': { population: 'log-changes', table: 'daily_report', ids: named(['day'], 'daily-report.due') },
  anomalies: { population: 'anomalies', table: 'anomaly', ids: named(['anomaly']) },
  incidents: { population: 'incidents', table: 'incident', ids: named(['incident']) },
  'incident-steps': { population: 'incident-steps', table: 'incident_step', ids: named(['incident', 'step']) },
} as const satisfies Readonly<Record<string, Counterpart>>;

export type CounterpartName = keyof typeof all;
export const counterparts: Readonly<Record<CounterpartName, Counterpart>> = all;
export const counterpartNames = Object.keys(all) as readonly CounterpartName[];

export function idsOf(name: CounterpartName, { columns }: Population, { cells }: Pick<Item, 'cells'>): readonly string[] {
  return counterparts[name].ids(Object.fromEntries(columns.map((column, at) => [column.name, String(cells[at] ?? '')])));
}

// Which items of populations stand as rows in tables of the service, too: under which ids, and what both say of them. What is in no list here the log
// alone has.
import type { Item, Population } from './populations/population.js';
import { type Say, type Says, ToldRows } from './told-rows.js';

type Cells = Readonly<Record<string, string>>;
type Take = (cells: Cells, at: string) => void;

interface Counterpart {
  /** Whose items tell of the rows: the first is where they are listed. */
  readonly populations: readonly [string, ...string[]];
  /** Table of the metadata database, in the schema `bauta`. */
  readonly table: string;
  /** Columns that are compared. */
  readonly columns: readonly string[];
  /** The service takes older rows away itself: only of items of the last so many days a row is missed. Absent: it takes none away. */
  readonly keptDays?: number;
  /** Items MUST be given in the order of the log. */
  readonly open: (told: ToldRows) => Take;
}

/** A column of the population, which says nothing where it is empty; with ` or `, what is told then (`closedBy or `: nobody). `@`: the item's instant. */
type Cell = string | ((cells: Cells) => Say);

interface Simple extends Pick<Counterpart, 'table' | 'keptDays'> {
  readonly of: string;
  /** By which columns of an item its row is found. */
  readonly by: readonly string[];
  /** Of items of these types alone, where the population has several. */
  readonly types?: readonly string[];
  readonly unless?: (cells: Cells) => boolean;
  readonly says?: Readonly<Record<string, Cell>>;
  /** Type → what it tells of the row from then on. */
  readonly later?: Readonly<Record<string, Readonly<Record<string, Cell>>>>;
}

function simple({ of, by, types, unless = () => false, says = {}, later = {}, ...rest }: Simple): Counterpart {
  return {
    ...{ ...rest, populations: [of] },
    columns: [...new Set([says, ...Object.values(later)].flatMap((one) => Object.keys(one)))],
    open: (told) => (cells, at) => {
      const { type = '' } = cells;
      const id = toId(cells, ...by);
      if ((!types || types.includes(type)) && !unless(cells)) told.add(id, at, toSays(says, cells, at));
      const change = later[type];
      if (change) told.change(id, toSays(change, cells, at));
    },
  };
}

const toId = (cells: Cells, ...names: readonly string[]): string => names.map((name) => cells[name] ?? '').join(' ');
const toSays = (wanted: Readonly<Record<string, Cell>>, cells: Cells, at: string): Says =>
  Object.fromEntries(Object.entries(wanted).map(([column, cell]) => [column, toSay(cell, cells, at)]));

function toSay(cell: Cell, cells: Cells, at: string): Say {
  if (typeof cell === 'function') return cell(cells);
  if (cell === '@') return at;
  const [of = '', otherwise] = cell.split(' or ');
  return (cells[of] ?? '') === '' ? otherwise : cells[of];
}

const same = (...names: readonly string[]): Readonly<Record<string, string>> => Object.fromEntries(names.map((name) => [name, name]));

/** As `….requested` of a request that changes the world. */
const changing = ['expiry', 'rollback', 'key-rotation', 'key-destruction', 'secret-rotation', 'subject-erasure'] as const;

/** Each as `kind name version change digest`. */
const documentsOf = ({ documents = '' }: Cells): readonly (readonly string[])[] => documents.split('; ').filter(Boolean).map((one) => one.split(' ')); // prettier-ignore

/** One row for each, until it is lifted: placed anew it takes the place of the one before, which is over or ends earlier. */
const holds: Counterpart = {
  ...{ populations: ['holds'], table: 'hold', columns: ['reason', 'placed_by', 'lifted_by'] },
  open: (told) => {
    const standing = new Map<string, string>();
    return (cells, at) => {
      const { type, run = '', reason, actor } = cells;
      const before = standing.get(run);
      if (type === 'hold.placed') {
        if (before !== undefined) told.remove(before);
        const id = toId(cells, 'run', 'until');
        standing.set(run, id);
        told.add(id, at, { reason, placed_by: actor || undefined, lifted_by: '' });
      } else if (type === 'hold.lifted' && before !== undefined) {
        standing.delete(run);
        told.change(before, { lifted_by: actor || undefined });
      }
    };
  },
};

/** Of people of earlier versions no entry tells before somebody gives them something, and none their name. A name stands here as its commitment. */
const people: Counterpart = {
  ...{ populations: ['access'], table: 'person', columns: ['erased', 'name', 'owner_id'] },
  open: (told) => (cells, at) => {
    const { type, person = '', of = '', nameCommitment: name, owner = '' } = cells;
    if (type === 'person.made') told.add(person, at, { erased: 'no', name, owner_id: owner });
    if ((type === 'roles.granted' || type === 'apikey.issued') && !told.rows.has(person)) told.add(person, at, { erased: 'no' });
    if (type === 'person.erased.done') told.change(of, { erased: 'yes', name: 'erased' });
  },
};

/** An entry names all that a person has from then on. Whoever issues himself a key administers: in earlier versions nothing else told of the first one. */
const roles: Counterpart = {
  ...{ populations: ['access'], table: 'role_grant', columns: ['granted_by'] },
  open: (told) => {
    const held = new Map<string, readonly string[]>();
    return ({ type, person = '', of = '', roles: now = '', actor = '' }, at) => {
      // To the first one nobody gave it.
      const says = { granted_by: actor === person ? ['', actor] : actor };
      if (type === 'apikey.issued' && person === actor && !held.has(person)) {
        told.add(`${person} administrator`, at, says);
        held.set(person, ['administrator']);
      }
      const whose = type === 'person.erased.done' ? of : type === 'roles.granted' ? person : undefined;
      if (whose === undefined) return;
      for (const one of held.get(whose) ?? []) told.remove(`${whose} ${one}`);
      const granted = type === 'roles.granted' ? now.split(' ').filter(Boolean) : [];
      held.set(whose, granted);
      for (const one of granted) told.add(`${whose} ${one}`, at, says);
    };
  },
};

/** Those of a person who was erased are revoked with him, by that entry. Entries of earlier versions say neither until when nor by which secret. */
const apiKeys: Counterpart = {
  ...{ populations: ['access'], table: 'token', columns: ['person_id', 'revoked', 'expires_at', 'digest'] },
  open: (told) => {
    const held = new Map<string, readonly string[]>();
    return ({ type, token = '', person = '', of = '', expiresAt, tokenDigest }, at) => {
      if (type === 'apikey.issued') {
        told.add(token, at, { person_id: person, revoked: 'no', expires_at: expiresAt || undefined, digest: tokenDigest || undefined });
        held.set(person, [...(held.get(person) ?? []), token]);
      }
      const ended = type === 'apikey.revoked' ? [token] : type === 'person.erased.done' ? (held.get(of) ?? []) : [];
      for (const one of ended) told.change(one, { revoked: 'yes' });
    };
  },
};

/** What a document says is in force by its newest version, and somebody may have paused it. */
const paused = (kind: string, type: 'schedule' | 'trigger'): Counterpart => ({
  ...{ populations: ['requests', 'changes'], table: type, columns: ['version', 'paused_by'] },
  open: (told) => (cells, at) => {
    for (const [of, name = '', version = ''] of documentsOf(cells))
      if (of === kind) told.add(name, at, { paused_by: '', ...told.rows.get(name)?.says, version });
    if (cells['type'] === `${type}.paused`) told.change(cells['of'] ?? '', { paused_by: cells['actor'] || undefined });
    if (cells['type'] === `${type}.resumed`) told.change(cells['of'] ?? '', { paused_by: '' });
  },
});

const documents: Counterpart = {
  ...{ populations: ['changes'], table: 'document', columns: ['digest', 'author_id'] },
  open: (told) => (cells, at) => {
    for (const [kind, name, version, , digest] of documentsOf(cells))
      told.add(`${kind} ${name} ${version}`, at, { digest, author_id: cells['actor'] || undefined });
  },
};

/** How a run ended: what failed may be tried again by the service, and be found frozen or not taken away. */
const runEnds = ({ state = '', endedAt }: Cells): Say => {
  if (endedAt === '') return undefined;
  if (state === 'published' || state === 'reused') return state;
  if (state === 'denied' || state === 'withheld') return [state, 'compensation-failed'];
  return ['failed', 'cancelled', 'denied', 'compensation-failed'];
};

const breakglass = { of: 'breakglasses', by: ['breakglass'] } as const;

const all = {
  runs: simple({
    ...{ of: 'runs', by: ['run'], table: 'run' },
    says: { ...same('pipeline', 'environment'), requested_by: 'actor', state: runEnds },
  }),
  'due-runs': simple({
    ...{ of: 'occurrences', by: ['run'], table: 'run', unless: ({ what }) => what !== 'run' },
    says: { pipeline: 'pipeline', due_at: 'due' },
  }),
  versions: simple({
    ...{ of: 'versions', by: ['run'], table: 'dataset_version' },
    // That a version is gone is told before the service knows of it.
    says: { ...same('pipeline', 'environment', 'target', 'version'), expires_at: 'expiresAt', dropped: ({ endedAt }) => (endedAt === '' ? 'no' : undefined) }, // prettier-ignore
  }),
  clones: simple({
    ...{ of: 'clones', by: ['clone'], table: 'clone' },
    says: { environment: 'environment', requested_by: 'actor', expires_at: ({ endedAt, expiresAt }) => (endedAt === '' ? expiresAt || undefined : undefined) }, // prettier-ignore
  }),
  'clone-requests': simple({
    ...{ of: 'requests', by: ['of'], types: ['clone.requested'], table: 'clone' },
    says: { environment: 'environment', requested_by: 'actor' },
  }),
  errands: simple({ of: 'requests', by: ['of'], types: changing.map((word) => `${word}.requested`), table: 'errand', keptDays: 0 }),
  holds,
  approvals: simple({
    ...{ of: 'approvals', by: ['approval'], table: 'approval' },
    says: { ...same('kind', 'digest', 'state'), run_id: 'run or ', requested_by: 'askedBy or ', decided_by: 'decidedBy or ' },
  }),
  documents,
  people,
  roles,
  'api-keys': apiKeys,
  schedules: paused('Schedule', 'schedule'),
  triggers: paused('Trigger', 'trigger'),
  'access-reviews': simple({
    ...{ of: 'access-reviews', by: ['review'], table: 'access_review' },
    says: { opened_by: 'openedBy or ', due_at: 'dueAt', closed_at: 'closedAt or ' },
  }),
  'access-held': simple({
    ...{ of: 'access-held', by: ['review', 'item'], table: 'access_review_item' },
    says: { ...same('kind', 'holds'), person_id: 'person', decision: 'decision or ', decided_by: 'decidedBy or ', effect: 'effect or ', reason: 'reason or ' }, // prettier-ignore
  }),
  evidence: simple({
    ...{ of: 'evidence', by: ['evidence'], types: ['evidence.received'], table: 'evidence' },
    says: { ...same('digest', 'format', 'subject'), subject_kind: 'subjectKind', missing: 'missing or ', received_by: 'actor' },
  }),
  withdrawals: simple({
    ...{ of: 'evidence', by: ['evidence'], types: ['evidence.withdrawn'], table: 'evidence_withdrawal' },
    says: { reason: 'reason', withdrawn_by: 'actor' },
  }),
  waivers: simple({
    ...{ of: 'waivers', by: ['waiver'], types: ['waiver.granted'], table: 'waiver' },
    says: { ...same('rule', 'reason', 'approval', 'until'), scope_kind: 'scopeKind or ', scope: 'scope or ', asked_by: 'actor', ended_by: () => '' }, // prettier-ignore
    later: { 'waiver.ended': { ended_by: 'actor' } },
  }),
  decisions: simple({
    ...{ of: 'deployment-decisions', by: ['decision'], table: 'decision' },
    says: { ...same('gate', 'environment', 'service', 'enforced'), allow: 'allowed' },
  }),
  flips: simple({ of: 'deployment-flips', by: ['decision'], table: 'flip', says: { flipped_at: '@' } }),
  breakglasses: simple({
    ...{ ...breakglass, table: 'breakglass' },
    says: { ...same('gate', 'environment', 'service', 'commit', 'reason'), asked_by: 'askedBy', approved_by: 'approvedBy', expires_at: 'expiresAt' }, // prettier-ignore
  }),
  'breakglass-uses': simple({
    ...{ ...breakglass, table: 'breakglass_use', unless: ({ usedAt }) => usedAt === '' },
    says: { used_at: 'usedAt', received_by: 'usedBy' },
  }),
  'breakglass-reviews': simple({
    ...{ ...breakglass, table: 'breakglass_review', unless: ({ reviewedAt }) => reviewedAt === '' },
    says: { reviewed_at: 'reviewedAt', reviewed_by: 'reviewedBy' },
  }),
  'gate-calls': simple({
    ...{ of: 'gate-calls', by: ['callback'], types: ['gate.called'], table: 'callback', keptDays: 90 },
    says: same('gate', 'via', 'digest'),
    later: { 'callback.told': { state: () => 'told' }, 'callback.dead': { state: () => 'dead' } },
  }),
  'agent-invites': simple({
    ...{ of: 'agents', by: ['environment', 'token'], types: ['agent.invited'], table: 'agent_invite' },
    says: { invited_by: 'actor' },
  }),
  agents: simple({
    ...{ of: 'agents', by: ['environment', 'agent'], types: ['agent.enrolled'], table: 'agent' },
    ...{ says: { database: 'database', revoked_by: () => '' }, later: { 'agent.revoked': { revoked_by: 'actor' } } },
  }),
  notifications: simple({
    ...{ of: 'notifications', by: ['notification'], types: ['notification.sent', 'notification.dead'], table: 'notification' },
    ...{ keptDays: 90, says: { ...same('channel', 'event'), state: ({ type = '' }) => type.slice('notification.'.length) } },
    later: { 'notification.revived': { state: () => undefined } },
  }),
  'daily-reports': simple({
    ...{ of: 'log-changes', by: ['day'], types: ['daily-report.due'], table: 'daily_report' },
    ...{ says: { made_at: () => '' }, later: { 'daily-report.made': { made_at: '@' } } },
  }),
  anomalies: simple({
    ...{ of: 'anomalies', by: ['anomaly'], table: 'anomaly' },
    says: { ...same('rule', 'subject'), environment: 'environment or ', pipeline: 'pipeline or ', window_at: 'window' },
  }),
  incidents: simple({
    ...{ of: 'incidents', by: ['incident'], table: 'incident' },
    says: { ...same('rule', 'environment'), pipeline: 'dataset', opened_by: 'openedBy or ', closed_at: 'closedAt or ', closed_by: 'closedBy or ', outcome: 'outcome or ', close_reason: 'reason or ', lifted_at: 'liftedAt or ', lift_approved_by: 'liftedBy' }, // prettier-ignore
  }),
  'incident-steps': simple({
    ...{ of: 'incident-steps', by: ['incident', 'step'], table: 'incident_step' },
    says: { state: 'outcome', error: 'error or ' },
  }),
} as const satisfies Readonly<Record<string, Counterpart>>;

export type CounterpartName = keyof typeof all;
export const counterparts: Readonly<Record<CounterpartName, Counterpart>> = all;
export const counterpartNames = Object.keys(all) as readonly CounterpartName[];

/** What items tell of the rows of each table. */
export class Counterparts {
  readonly told: ReadonlyMap<CounterpartName, ToldRows>;
  readonly #takes = new Map<string, Take[]>();

  constructor() {
    const opened = counterpartNames.map((name) => [name, new ToldRows()] as const);
    this.told = new Map(opened);
    for (const [name, told] of opened) {
      const take = counterparts[name].open(told);
      for (const of of counterparts[name].populations) this.#takes.set(of, [...(this.#takes.get(of) ?? []), take]);
    }
  }

  /** MUST be given all items, in the order of the log. */
  take({ name, columns }: Population, { cells, at }: Pick<Item, 'cells' | 'at'>): void {
    const takes = this.#takes.get(name);
    if (!takes) return;
    const named = Object.fromEntries(columns.map((column, index) => [column.name, String(cells[index] ?? '')]));
    for (const take of takes) take(named, at);
  }
}

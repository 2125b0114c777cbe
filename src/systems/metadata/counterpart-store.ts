// Rows of a workspace that the log tells of, too, by the ids that they have there, with what it tells of them: read to be held against the log, and
// nothing else of them.
import type { EntityManager } from 'typeorm';

import { type CounterpartName, type StoredRow, counterparts } from '../../pipeline/report/report.js';

interface Source {
  /** A table, or tables that are joined. */
  readonly from: string;
  /** Columns with their types, in the order of an index: pages go by them. */
  readonly key: readonly (readonly [column: string, type: string])[];
  /** SQL of the id; absent: the key, with spaces between. */
  readonly id?: string;
  readonly at: string;
  /** Which rows the log has to tell of; absent: each. */
  readonly owed?: string;
  /** Which rows are meant; absent: each. */
  readonly only?: string;
  /** Compared columns that are told otherwise than they are stored. */
  readonly as?: Readonly<Record<string, string>>;
  /** Of which rows the log cannot know what stands in a compared column. */
  readonly unknown?: Readonly<Record<string, string>>;
}

export interface CounterpartRow extends StoredRow {
  /** After which the next page begins. */
  readonly key: string;
}

const uuid = (column: string): Source['key'] => [[column, 'uuid']];
const text = (column: string): Source['key'] => [[column, 'text']];

const outOfScope = `EXISTS (SELECT FROM json_array_elements(t.answer -> 'reasons') r WHERE r ->> 'code' = 'GATE_OUT_OF_SCOPE')`;

const sources: Readonly<Record<CounterpartName, Source>> = {
  // A run that failed or was cancelled early may never have begun.
  runs: {
    ...{ from: 'run', key: text('id'), at: 'created_at' },
    owed: `EXISTS (SELECT FROM bauta.run_event e WHERE e.run_id = t.id AND e.state IN ('extracting', 'denied'))`,
    ...{ as: { requested_by: `coalesce(t.requested_by::text, 'service')` }, unknown: { state: 't.ended_at IS NULL' } },
  },
  'due-runs': { from: 'run', key: text('id'), at: 'created_at', only: 'due_at IS NOT NULL' },
  versions: {
    ...{ from: 'dataset_version', key: text('run_id'), at: 'published_at', only: 'published_at IS NOT NULL' },
    // One that was gone when somebody came to drop it has no entry.
    as: { dropped: 't.dropped_as IS NOT NULL' },
  },
  clones: { from: 'clone', key: text('id'), at: 'created_at', owed: 'database IS NOT NULL' },
  'clone-requests': { from: 'clone', key: text('id'), at: 'created_at' },
  errands: {
    ...{ from: 'errand', key: text('id'), at: 'created_at' },
    owed: `kind IN ('expire', 'rollback', 'key-rotation', 'key-destruction', 'secret-rotation', 'erase')`,
  },
  holds: { from: 'hold', key: uuid('id'), id: `run_id || ' ' || ${instant('until')}`, at: 'placed_at' },
  approvals: { from: 'approval', key: uuid('id'), at: 'requested_at' },
  documents: {
    ...{ from: 'document', at: 'applied_at' },
    key: [...text('kind'), ...text('name'), ['version', 'integer']],
  },
  // Whom an earlier version made and gave nothing is in no entry.
  people: {
    ...{ from: 'person', key: uuid('id'), at: 'created_at', as: { erased: 't.erased_at IS NOT NULL', name: nameOf('t') } },
    owed: `t.name_salt IS NOT NULL OR EXISTS (SELECT FROM bauta.role_grant g WHERE g.person_id = t.id) OR EXISTS (SELECT FROM bauta.token k WHERE k.person_id = t.id)`,
  },
  roles: {
    ...{ from: 'role_grant', key: [...uuid('person_id'), ...text('role'), ...text('environment')], at: 'granted_at' },
    id: `concat(person_id, ' ', role, CASE WHEN environment <> '' THEN '@' END, environment)`,
  },
  'api-keys': {
    ...{ from: 'token', key: uuid('id'), at: 'created_at' },
    as: { revoked: 't.revoked_at IS NOT NULL', digest: `'sha256:' || encode(sha256(t.digest), 'hex')` },
  },
  schedules: { from: 'schedule', key: text('name'), at: appliedAt('Schedule') },
  triggers: { from: 'trigger', key: text('name'), at: appliedAt('Trigger') },
  'access-reviews': { from: 'access_review', key: uuid('id'), at: 'opened_at' },
  'access-held': {
    ...{ from: 'access_review_item', key: [...uuid('review_id'), ['item', 'integer']] },
    at: '(SELECT r.opened_at FROM bauta.access_review r WHERE r.workspace_id = t.workspace_id AND r.id = t.review_id)',
  },
  evidence: { from: 'evidence', key: uuid('id'), at: 'received_at', as: { digest: `encode(t.digest, 'hex')` } },
  withdrawals: { from: 'evidence_withdrawal', key: uuid('evidence_id'), at: 'withdrawn_at' },
  waivers: { from: 'waiver', key: uuid('id'), at: 'granted_at' },
  // What a gate does not name a caller may have made up: it is not told.
  decisions: {
    ...{ from: 'decision', key: uuid('id'), at: 'decided_at' },
    unknown: { environment: outOfScope, service: outOfScope },
  },
  flips: { from: 'flip', key: uuid('decision_id'), at: 'flipped_at' },
  breakglasses: { from: 'breakglass', key: uuid('id'), at: 'issued_at' },
  'breakglass-uses': { from: 'breakglass_use', key: uuid('breakglass_id'), at: 'received_at', only: 'first' },
  'breakglass-reviews': { from: 'breakglass_review', key: uuid('breakglass_id'), at: 'reviewed_at' },
  'gate-calls': { from: 'callback', key: uuid('id'), at: 'created_at' },
  'agent-invites': { from: 'agent_invite', key: [...text('environment'), ...text('token_id')], at: 'expires_at' },
  agents: { from: 'agent', key: [...text('environment'), ...text('agent_id')], at: 'enrolled_at' },
  notifications: { from: 'notification', key: uuid('id'), at: 'created_at', owed: `state IN ('sent', 'dead')` },
  'daily-reports': { from: 'daily_report', key: text('day'), at: 'period_to' },
  anomalies: { from: 'anomaly', key: uuid('id'), at: 'found_at' },
  incidents: { from: 'incident', key: text('id'), at: 'opened_at' },
  'incident-steps': {
    ...{ from: 'incident_step', key: [...text('incident_id'), ['position', 'integer']], id: `incident_id || ' ' || step` },
    ...{ at: 'coalesce(ended_at, now())', owed: 'ended_at IS NOT NULL' },
    unknown: { state: 't.ended_at IS NULL', error: 't.ended_at IS NULL' },
  },
};

/** As `Date.toISOString` has it. */
function instant(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** As the log has it: what was committed to, or that it is gone; nothing of a person whom an earlier version made. */
function nameOf(person: string): string {
  return `CASE WHEN ${person}.name = 'erased-person-' || ${person}.id THEN 'erased'
    ELSE 'sha256:' || encode(sha256(${person}.name_salt || convert_to(${person}.name, 'UTF8')), 'hex') END`;
}

function appliedAt(kind: string): string {
  return `(SELECT d.applied_at FROM bauta.document d
    WHERE d.workspace_id = t.workspace_id AND d.kind = '${kind}' AND d.name = t.name AND d.version = t.version)`;
}

const forms: Readonly<Record<string, RegExp>> = {
  ...{ text: /^[^\0 ]*$/, integer: /^\d{1,9}$/ },
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

/** Could a page of these begin after it? */
export function isCounterpartKey(name: CounterpartName, text: string): boolean {
  const { key } = sources[name];
  const parts = text.split(' ');
  return parts.length === key.length && key.every(([, type], index) => forms[type]!.test(parts[index]!));
}

export class CounterpartStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** In the order of the key; `after` is the key of the last one of the page before. */
  async list(name: CounterpartName, limit: number, after?: string): Promise<readonly CounterpartRow[]> {
    const { from, key, at, owed = 'true', only = 'true', id, as = {}, unknown = {} } = sources[name];
    // Of the table: `id` alone would be what is selected under that name, and that has another order.
    const columns = key.map(([column]) => `t."${column}"`).join(', ');
    const joined = `concat_ws(' ', ${columns})`;
    const cut = after?.split(' ') ?? [];
    const places = key.map(([, type], index) => `$${index + 3}::${type}`).join(', ');
    const { columns: compared } = counterparts[name];
    const says = compared.map(
      (column) => `, ${as[column] ?? `t."${column}"`} AS "says ${column}", ${unknown[column] ?? 'false'} AS "unknown ${column}"`,
    );
    const found = await this.manager.query<readonly (Omit<CounterpartRow, 'says'> & Readonly<Record<string, unknown>>)[]>(
      `SELECT ${joined} AS key, ${id ?? joined} AS id, ${instant(at)} AS at, ${owed} AS owed${says.join('')}
       FROM bauta.${from} t WHERE workspace_id = $1 AND ${only} ${after === undefined ? '' : `AND (${columns}) > (${places})`} ORDER BY ${columns} LIMIT $2`,
      [this.workspaceId, limit, ...cut],
    );
    return found.map((row) => ({
      ...{ key: row.key, id: row.id, at: row.at, owed: row.owed },
      says: Object.fromEntries(
        compared.filter((column) => row[`unknown ${column}`] !== true).map((column) => [column, toText(row[`says ${column}`])]),
      ),
    }));
  }
}

/** As the cells of populations have it; nothing: an empty text. */
function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toText).join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

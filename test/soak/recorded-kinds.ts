// Things of every kind that the service keeps rows of, and entries of every kind that it keeps none of: each row with its entry, in one statement, under
// the constraints and the row-level security of the service's own role. All of a day ago.
const at = `now() - interval '1 day'`;
const later = `now() + interval '1 day'`;
const workspace = 'bauta.current_workspace()';
const person = (name: string): string => `(SELECT id FROM bauta.person WHERE name = '${name}')`;
/** As entries have an instant. */
export const json = (instant: string): string => `to_char((${instant}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const runId = `lpad(to_hex(g), 26, '0')`;

/** An entry of each of `from`: its type, and names and SQL of its data. */
export const tell = (type: string, when: string, data: string, from: string, run = 'id'): string => `
  INSERT INTO bauta.outbox (workspace_id, event)
  SELECT ${workspace}, json_build_object('type', '${type}', 'runId', ${run}, 'stage', 'control', 'at', ${json(when)},
    'data', json_build_object(${data})) FROM ${from}`;

/** A row of each with these values, and its entry. */
function made(table: string, values: Readonly<Record<string, string>>, type: string, data: string, from: string): string {
  return `WITH made AS (INSERT INTO bauta.${table} (workspace_id, ${Object.keys(values).join(', ')})
    SELECT ${workspace}, ${Object.values(values).join(', ')} FROM ${from} RETURNING *)
    ${tell(type, at, data, 'made', `'r'`)}`;
}

const told = (types: readonly string[], data: string, many: number): readonly string[] =>
  types.map((type) => tell(type, at, data, `generate_series(1, ${many}) g`, runId));

/** Of what the log alone has. */
const alone: Readonly<Record<string, readonly string[]>> = {
  'effectiveness-tests': ['dataset.verified'],
  'privacy-measures': ['privacy.measured'],
  drift: ['dataset.drifted', 'dataset.recovered'],
  'erasure-requests': ['erasure.requested'],
  erasures: ['text.erased.done', 'person.looked-for'],
  keys: ['key.recorded'],
  'token-exchanges': ['tokens.exchanged', 'tokens.refused'],
  breaches: ['breach.aware'],
  refusals: ['access.denied', 'webhook.refused'],
  archives: ['archive.written', 'dataset.pulled'],
  'policy-bundles': ['opa.received'],
  'copies-watched': ['dataset.expiring', 'dataset.gone'],
  'late-runs': ['run.late'],
};

/** So many of each kind. MUST run after runs were stored; `bob`, `ann` and `cyd` have to be there. */
export function recordKinds(many: number): readonly string[] {
  const series = `generate_series(1, ${many}) g`;
  const versions = `(SELECT * FROM bauta.dataset_version ORDER BY run_id LIMIT ${many}) v`;
  const place = { environment: `'dev'`, pipeline: `'shop-1'` };
  const scope = { gate: `'live'`, environment: `'live'`, service: `'web'` };
  const stopped = { paused_at: at, paused_by: person('bob') };
  const ended = { state: `'done'`, started_at: at, ended_at: at };
  return [
    tell('person.made', at, `'person', id, 'nameCommitment', 'sha256:' || encode(sha256(name_salt || convert_to(name, 'UTF8')), 'hex')`, 'bauta.person', 'id::text'), // prettier-ignore
    tell('roles.granted', at, `'person', p.id, 'roles', (SELECT json_agg(g.role ORDER BY g.role) FROM bauta.role_grant g WHERE g.person_id = p.id)`, 'bauta.person p'), // prettier-ignore
    tell('apikey.issued', at, `'token', id, 'person', person_id, 'expiresAt', ${json('expires_at')}, 'tokenDigest', 'sha256:' || encode(sha256(digest), 'hex')`, 'bauta.token', 'id::text'), // prettier-ignore
    `WITH made AS (INSERT INTO bauta.document (workspace_id, kind, name, version, digest, written, author_id, applied_at)
       SELECT ${workspace}, kind, 'shop-' || g, 1, 'sha256:d', '{}', ${person('bob')}, ${at} FROM ${series}, unnest('{Pipeline,Schedule,Trigger}'::text[]) kind
       RETURNING *)
     INSERT INTO bauta.outbox (workspace_id, event) SELECT ${workspace}, json_build_object('type', 'documents.applied', 'at', ${json(at)}, 'data',
       json_build_object('documents', json_agg(json_build_object('kind', kind, 'name', name, 'version', version, 'change', 'created', 'digest', digest)), 'actor', max(author_id::text)))
       FROM made GROUP BY name`,
    made('schedule', { name: 'd.name', version: '1', pipeline: 'd.name', overlap: 'false', decided_to: at, ...stopped }, 'schedule.paused', `'schedule', name, 'actor', paused_by`, `bauta.document d WHERE d.kind = 'Schedule'`), // prettier-ignore
    made('trigger', { name: 'd.name', version: '1', since: at, ...stopped }, 'trigger.paused', `'trigger', name, 'actor', paused_by`, `bauta.document d WHERE d.kind = 'Trigger'`), // prettier-ignore
    made('hold', { run_id: 'v.run_id', reason: `'sha256:r'`, placed_by: person('bob'), placed_at: at, until: later }, 'hold.placed', `'run', run_id, 'until', ${json('until')}, 'reason', reason, 'actor', placed_by`, versions), // prettier-ignore
    made('clone', { id: runId, ...place, purpose: `'pr-' || g`, hours: '1', requested_by: person('bob'), state: `'ready'`, created_at: at, version: '1', database: `'c'`, expires_at: later }, 'clone.requested', `'clone', id, 'environment', environment, 'actor', requested_by`, series), // prettier-ignore
    tell('clone.made.intended', at, `'clone', id, 'environment', environment`, 'bauta.clone'),
    tell(
      'clone.made.done',
      at,
      `'clone', id, 'environment', environment, 'actor', requested_by, 'expiresAt', ${json('expires_at')}`,
      'bauta.clone',
    ),
    made('errand', { id: `'e' || ${runId}`, kind: `'rollback'`, ...place, documents: `'[]'`, requested_by: person('bob'), created_at: at }, 'rollback.requested', `'rollback', id, 'pipeline', pipeline`, series), // prettier-ignore
    made('access_review', { id: 'gen_random_uuid()', opened_at: at, due_at: later, closed_at: `${at} + interval '1 hour'` }, 'access-review.opened', `'review', id, 'dueAt', ${json('due_at')}, 'items', 2`, series), // prettier-ignore
    made('access_review_item', { review_id: 'r.id', item: 'i', kind: `'role'`, person_id: person('bob'), holds: `'operator'` }, 'access-review.listed', `'review', review_id, 'item', item, 'kind', kind, 'person', person_id, 'holds', holds`, 'bauta.access_review r, generate_series(1, 2) i'), // prettier-ignore
    tell('access-review.completed', 'closed_at', `'review', id, 'kept', 2, 'revoked', 0`, 'bauta.access_review', `'r'`),
    made('evidence', { digest: `sha256(g::text::bytea)`, bytes: '10', format: `'sarif'`, tool: `'t'`, subject_kind: `'environment'`, subject: `'dev'`, line: `'dev'`, subject_stated: 'true', received_at: at, received_by: person('bob'), errors: '0', counts: `'{}'`, suppressed: '0', findings: `''`, fingerprints: `''` }, 'evidence.received', `'evidence', id, 'format', format, 'digest', encode(digest, 'hex'), 'subjectKind', subject_kind, 'subject', subject, 'actor', received_by`, series), // prettier-ignore
    made('evidence_withdrawal', { evidence_id: 'e.id', withdrawn_by: person('bob'), withdrawn_at: at, reason: `'sha256:r'` }, 'evidence.withdrawn', `'evidence', evidence_id, 'reason', reason, 'actor', withdrawn_by`, `(SELECT id FROM bauta.evidence ORDER BY id LIMIT 2) e`), // prettier-ignore
    made('waiver', { rule: `'sast'`, reason: `'sha256:r'`, asked_by: person('bob'), approval: 'gen_random_uuid()', granted_at: at, until: later }, 'waiver.granted', `'waiver', id, 'rule', rule, 'reason', reason, 'approval', approval, 'until', ${json('until')}, 'actor', asked_by`, series), // prettier-ignore
    made('decision', { id: 'gen_random_uuid()', key: 'gen_random_uuid()', ...scope, decided_at: at, allow: 'true', enforced: 'true', answer: `'{}'`, record: `'{}'` }, 'deployment.decided', `'decision', id, 'gate', gate, 'environment', environment, 'service', service, 'allow', allow, 'enforced', enforced`, series), // prettier-ignore
    made('flip', { decision_id: 'd.id', key: 'gen_random_uuid()', flipped_at: at, reasons: `'[]'` }, 'deployment.flipped', `'decision', decision_id`, `(SELECT id FROM bauta.decision ORDER BY id LIMIT 2) d`), // prettier-ignore
    made('breakglass', { id: 'gen_random_uuid()', key: 'gen_random_uuid()', ...scope, commit: `repeat('a', 40)`, reason: `'sha256:r'`, asked_by: person('bob'), approved_by: `ARRAY[${person('ann')}, ${person('cyd')}]`, issued_at: at, expires_at: `${at} + interval '1 hour'` }, 'breakglass.issued', `'breakglass', id, 'gate', gate, 'environment', environment, 'service', service, 'commit', commit, 'reason', reason, 'actor', asked_by, 'approvedBy', array_to_json(approved_by), 'expiresAt', ${json('expires_at')}`, series), // prettier-ignore
    made('breakglass_use', { breakglass_id: 'b.id', use_id: 'gen_random_uuid()', first: 'true', offline: 'false', used_at: at, received_at: at, received_by: person('bob') }, 'breakglass.used', `'breakglass', breakglass_id, 'usedAt', ${json('used_at')}, 'actor', received_by`, `(SELECT id FROM bauta.breakglass ORDER BY id LIMIT 2) b`), // prettier-ignore
    made('breakglass_review', { breakglass_id: 'u.breakglass_id', reviewed_by: person('ann'), reviewed_at: at, comment: `'sha256:r'` }, 'breakglass.reviewed', `'breakglass', breakglass_id, 'actor', reviewed_by`, 'bauta.breakglass_use u'), // prettier-ignore
    made('callback', { gate: `'live'`, via: `'github'`, delivery: 'g::text', digest: `'sha256:' || g`, asked: `'{}'`, place: `'{}'`, state: `'told'`, until_at: later, created_at: at }, 'gate.called', `'callback', id, 'gate', gate, 'via', via, 'digest', digest`, series), // prettier-ignore
    tell('callback.told', at, `'callback', id, 'gate', gate, 'via', via, 'allow', true`, 'bauta.callback', `'r'`),
    `INSERT INTO bauta.agent_stream (workspace_id, environment, pipeline, asked_by) VALUES (${workspace}, 'dev', 'shop-1', ${person('bob')})`,
    made('agent_invite', { environment: `'dev'`, token_id: `lpad(to_hex(g), 16, '0')`, public_key: `repeat('a', 64)`, invited_by: person('bob'), expires_at: at }, 'agent.invited', `'environment', environment, 'token', token_id, 'actor', invited_by`, series), // prettier-ignore
    made('agent', { environment: `'dev'`, agent_id: `'agent-' || g`, public_key: `'k'`, recipient: `'r'`, database: `'d'`, system_identifier: `'1'`, enrolled_at: at, standing: `'{}'` }, 'agent.enrolled', `'environment', environment, 'agent', agent_id, 'database', database`, series), // prettier-ignore
    made('notification', { notice_id: 'g', channel: `'ops'`, event: `'run.failed'`, subject: `'s'`, message: `'{}'`, state: `'sent'`, created_at: at, ended_at: at }, 'notification.sent', `'notification', id, 'channel', channel, 'event', event`, series), // prettier-ignore
    made('daily_report', { day: `(date '2026-01-01' + g::int)::text`, period_from: `${at} - (g + 1) * interval '1 day'`, period_to: `${at} - g * interval '1 day'`, zone: `'UTC'`, key: 'gen_random_uuid()', next_at: at }, 'daily-report.due', `'day', day`, series), // prettier-ignore
    made('anomaly', { rule: `'failed-logins'`, subject: 'g::text', ...place, window_at: at, amount: '9', expected: '1', found_at: at }, 'anomaly.found', `'anomaly', id, 'rule', rule, 'subject', subject, 'environment', environment, 'pipeline', pipeline, 'window', ${json('window_at')}`, series), // prettier-ignore
    made('incident', { id: `lpad(to_hex(g), 16, '0')`, rule: `'r' || g`, ...place, playbook: `'p'`, playbook_version: '0', opened_at: at, answered_by: person('bob'), evidence_from: at, closed_at: at, closed_by: person('bob'), outcome: `'resolved'`, close_reason: `'sha256:c'`, lift_approved_by: person('ann'), lifted_at: at }, 'incident.opened', `'incident', id, 'rule', rule, 'environment', environment, 'dataset', pipeline`, series), // prettier-ignore
    made('incident_step', { incident_id: 'i.id', position: '1', step: `'freeze'`, ...ended }, 'incident.step', `'incident', incident_id, 'step', step, 'outcome', state`, 'bauta.incident i'), // prettier-ignore
    tell(
      'incident.closed',
      'closed_at',
      `'incident', id, 'actor', closed_by, 'outcome', outcome, 'reason', close_reason`,
      'bauta.incident',
    ),
    tell('incident.lifted', 'lifted_at', `'incident', id, 'approvedBy', lift_approved_by`, 'bauta.incident'),
    ...Object.values(alone).flatMap((types) => told(types, `'erasure', gen_random_uuid(), 'environment', 'dev', 'actor', 'p'`, 2)),
  ];
}

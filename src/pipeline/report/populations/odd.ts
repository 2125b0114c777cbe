// What was found odd in the log, and incidents: what was done about each, who closed it and who agreed.
import type { Event } from '../../event.js';
import { isolating } from '../../playbook.js';
import { FollowedReader } from './followed.js';
import { type Cell, type Population, pick, textOf, toldBy } from './population.js';

export const anomalies = toldBy(
  { name: 'anomalies', title: 'What was found odd in the log', types: ['anomaly.found'] },
  {
    anomaly: ['its id', 'anomaly'],
    rule: ['the rule of the watch', 'rule'],
    subject: ['what it is about, by ids and names', 'subject'],
    environment: ['environment; empty: the entries say none', 'environment'],
    pipeline: ['pipeline; empty: the entries say none', 'pipeline'],
    window: ['where the stretch of time begins', 'window'],
    amount: ['how many there were when it was told', 'amount'],
    expected: ['how many would have been none', 'expected'],
  },
);

export const incidentSteps = toldBy(
  { name: 'incident-steps', title: 'Steps that were taken about incidents', types: ['incident.step'] },
  {
    incident: ['id of the incident', 'incident'],
    step: ['the step of its playbook', 'step'],
    outcome: ['done, skipped (there was nothing, or nothing that can be reached) or failed', 'outcome'],
    error: ['code of why', 'error'],
    isolates: ['whether it keeps people from the copy', ({ data }) => (isIsolating(data['step']) ? 'yes' : 'no')],
  },
);

const isIsolating = (step: unknown): boolean => [...isolating].some((one) => one === step);

const incidentColumns = {
  incident: 'its id',
  rule: 'what said that something is wrong',
  environment: 'environment',
  dataset: 'the pipeline whose copy it is about',
  playbook: 'by which it was carried out, with its version; 0: the one of the release',
  openedBy: 'random id of who opened it; empty: an alert or a rule',
  steps: 'how many steps its playbook has',
  ended: 'how many of them came to an end',
  failed: 'steps whose last outcome is failed',
  isolatedAt: 'when the last step that keeps people from the copy was done, or found nothing to do',
  isolationFailed: 'yes: one of these failed, and no later try is told',
  notReached: 'steps that keep people from the copy and could not reach it: skipped with a code',
  closedAt: 'when it was closed; empty: it is not, as far as was read',
  closedBy: 'random id of who closed it',
  outcome: 'resolved or false-alarm',
  reason: 'commitment to why it was closed',
  liftedAt: 'when provisioning was let go on',
  liftedBy: 'random id of who agreed to that',
};

export const incidents: Population = {
  name: 'incidents',
  title: 'Incidents',
  query:
    'every incident that is not closed, whenever it was opened, and every one of which an entry incident.… has a time that lies in the period, with all its entries incident.… up to the end of the period',
  types: ['incident.opened', 'incident.step', 'incident.retried', 'incident.closed', 'incident.lifted'],
  columns: Object.entries(incidentColumns).map(([name, means]) => ({ name, means })),
  open: (period) =>
    new FollowedReader(
      {
        names: Object.keys(incidentColumns),
        begins: ({ type, data }) => (type === 'incident.opened' ? (textOf(data, 'incident') ?? undefined) : undefined),
        goesOn: ({ type, data }) => (type.startsWith('incident.') ? (textOf(data, 'incident') ?? undefined) : undefined),
        take: (cells, event) => {
          takers[event.type]?.(cells, event);
          return event.type === 'incident.lifted';
        },
        isOwed: ({ closedAt }) => (closedAt ?? null) === null,
      },
      period,
    ),
};

const toWords = (cell: Cell | undefined): readonly string[] => String(cell ?? '').split(' ').filter(Boolean); // prettier-ignore

type Take = (cells: Record<string, Cell>, event: Event) => void;

const takers: Readonly<Record<string, Take>> = {
  'incident.opened': (cells, { data }) => {
    for (const name of ['incident', 'rule', 'environment', 'dataset', 'playbook']) cells[name] = pick(data, name);
    const steps = Array.isArray(data['steps']) ? data['steps'].length : null;
    Object.assign(cells, { openedBy: pick(data, 'actor'), steps, ended: 0, failed: null, isolationFailed: 'no' });
  },
  'incident.step': (cells, { at, data }) => {
    const step = textOf(data, 'step') ?? '';
    const failed = new Set(toWords(cells['failed']));
    if (data['outcome'] === 'failed') failed.add(step);
    else failed.delete(step);
    cells['ended'] = Number(cells['ended'] ?? 0) + 1;
    cells['failed'] = failed.size === 0 ? null : [...failed].join(' ');
    cells['isolationFailed'] = [...failed].some(isIsolating) ? 'yes' : 'no';
    if (!isIsolating(step)) return;
    const isUnreached = data['outcome'] === 'skipped' && (pick(data, 'error') ?? null) !== null;
    const unreached = new Set([...toWords(cells['notReached'])].filter((one) => one !== step));
    if (isUnreached) unreached.add(step);
    cells['notReached'] = unreached.size === 0 ? null : [...unreached].join(' ');
    if (!isUnreached && data['outcome'] !== 'failed') cells['isolatedAt'] = at;
  },
  'incident.retried': (cells, { data }) => {
    cells['ended'] = Number(cells['ended'] ?? 0) - (Array.isArray(data['steps']) ? data['steps'].length : 0);
  },
  'incident.closed': (cells, { at, data }) =>
    void Object.assign(cells, {
      ...{ closedAt: at, closedBy: pick(data, 'actor'), outcome: pick(data, 'outcome'), reason: pick(data, 'reason') },
    }),
  'incident.lifted': (cells, { at, data }) => void Object.assign(cells, { liftedAt: at, liftedBy: pick(data, 'approvedBy') }),
};

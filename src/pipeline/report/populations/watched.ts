// What the service turned away, handed out, watched and told somebody of.
import type { Event } from '../../event.js';
import { type Cell, copyWords, toldBy, words } from './population.js';

const { actor, type } = words;

/** The first of these members that the data has. */
const oneOf =
  (...names: readonly string[]) =>
  ({ data }: Event): Cell => {
    const found = names.map((name) => data[name]).find((one) => typeof one === 'string');
    return typeof found === 'string' ? found : null;
  };

export const refusals = toldBy(
  {
    name: 'refusals',
    title: 'What was turned away',
    types: ['access.denied', 'gate.refused', 'webhook.refused', 'agent.refused', 'tokens.refused', 'clone.link-refused'],
  },
  {
    type,
    of: ['the gate, trigger, issuer, agent, domain, link or route that it was turned away from', oneOf('gate', 'trigger', 'issuer', 'agent', 'domain', 'clone', 'route')], // prettier-ignore
    environment: ['of which environment', 'environment'],
    why: [
      'why: a code or one of our words',
      ({ type: of, data }) =>
        of === 'clone.link-refused' ? 'spent or expired' : Array.isArray(data['codes']) ? data['codes'].map(String).join(' ') : oneOf('code', 'reason', 'problem')({ data } as Event), // prettier-ignore
    ],
    amount: ['how many, where they were counted', 'amount'],
    actor,
  },
);

export const agents = toldBy(
  {
    name: 'agents',
    title: 'Agents beside targets, and what they did there',
    types: [
      ...['agent.invited', 'agent.enrolled', 'agent.revoked', 'agent.refused'],
      ...['agent.published', 'agent.failed', 'agent.rolled-back', 'agent.withdrawn', 'agent.expired'],
    ],
  },
  {
    type,
    environment: ['of which environment', 'environment'],
    agent: ['its id', 'agent'],
    token: ['id of the invitation', 'token'],
    database: ['the database that it fills', 'database'],
    run: ['the run whose rows it was', 'ofRun'],
    version: ['number of the version', 'version'],
    codes: ['what the agent said was wrong', 'codes'],
    problem: ['why a message was refused', 'problem'],
    amount: ['how many messages', 'amount'],
    actor,
  },
);

export const archives = toldBy(
  {
    name: 'archives',
    title: 'Archives of copies: written, handed out and dropped',
    types: ['archive.written', 'archive.published', 'archive.dropped', 'archive.described', 'dataset.pulled'],
  },
  {
    type,
    ...copyWords,
    run: ['the run that made it', ({ runId, data }) => (typeof data['run'] === 'string' ? data['run'] : runId)],
    bytes: ['size of the archive', 'bytes'],
    sha256: ['of its bytes', 'sha256'],
    recipient: ['public key that what was handed out is sealed to', 'recipient'],
    names: ['names of what was dropped', 'names'],
    actor,
  },
);

export const policyBundles = toldBy(
  {
    name: 'policy-bundles',
    title: 'Policies that were refused, and what OPA servers sent',
    types: ['policy.bundle-refused', 'opa.received'],
  },
  {
    type,
    question: ['what it was to decide about', 'question'],
    code: ['why it was refused', 'code'],
    digest: ['of what was sent', 'digest'],
    inForce: ['revision that went on deciding', 'inForce.revision'],
    count: ['how many records were received', 'count'],
    actor,
  },
);

export const copiesWatched = toldBy(
  {
    name: 'copies-watched',
    title: 'Copies that were due, gone or could not be dropped or looked at',
    types: ['dataset.expiring', 'dataset.expired', 'dataset.not-dropped', 'dataset.gone', 'dataset.ended', 'dataset.look-failed'],
    query: 'every entry dataset.expiring, …expired, …not-dropped, …gone, …ended and …look-failed whose time lies in the period',
  },
  {
    type,
    ...copyWords,
    code: ['why it could not be done', 'code'],
  },
);

export const notifications = toldBy(
  {
    name: 'notifications',
    title: 'What channels were told, or could not be',
    types: ['notification.sent', 'notification.dead', 'notification.revived'],
  },
  {
    type,
    channel: ['which channel', 'channel'],
    event: ['type of what it was told of', 'event'],
    notification: ['its id', 'notification'],
    attempts: ['how often it was tried', 'attempts'],
    code: ['why it could not be told', oneOf('code', 'error')],
    actor,
  },
);

const errandWords = ['expiry', 'rollback', 'key-rotation', 'key-destruction', 'secret-rotation', 'subject-erasure'] as const;
const errandEnds = ['requested', 'resumed', 'done', 'failed'] as const;

export const requests = toldBy(
  {
    name: 'requests',
    title: 'What people and triggers asked the service to do, and how it ended',
    types: [
      ...errandWords.flatMap((word) => errandEnds.map((end) => `${word}.${end}`)),
      ...['plan', 'datasets', 'clone', 'unclone', 'archive', 'agents'].map((kind) => `${kind}.resumed`),
      ...['clone.requested', 'clone.drop-requested', 'erasure.receipt'],
      ...['run.cancel-requested', 'run.pause-requested', 'trigger.answered', 'trigger.paused', 'trigger.resumed'],
      ...['schedule.paused', 'schedule.resumed'],
    ],
    query:
      'every entry of a request to the service (….requested, paused, resumed) and of the end of what it carried out (….done, ….failed, erasure.receipt) whose time lies in the period',
  },
  {
    type,
    of: ['id of the request, or what it is about', oneOf(...errandWords, 'run', 'schedule', 'trigger', 'clone')],
    pipeline: ['of which pipeline', 'pipeline'],
    environment: ['of which environment', 'environment'],
    code: ['why it failed', 'code'],
    reason: ['commitment to why it was asked', 'reason'],
    actor,
  },
);

export const troubles = toldBy(
  {
    name: 'late-runs',
    title: 'Runs that were late, or after which something was left',
    types: ['run.late', 'run.compensation-failed'],
  },
  {
    type,
    run: ['id of the run', 'run'],
    pipeline: ['the pipeline', 'pipeline'],
    state: ['how far it was', 'state'],
    deadline: ['when it was to be at its end', 'deadline'],
  },
);

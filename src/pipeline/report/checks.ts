// Checks: of each item of a population one attribute, which it has, has not, or nobody can tell. An item that a check is not about counts for neither.
import { type Check, knownIf, passIf } from './check.js';
import { checksAround } from './checks-around.js';
import { checksOfIncidents } from './checks-of-incidents.js';
import type { Cell } from './populations/population.js';

export type { Check } from './check.js';

/** What may pass between an expiry and the drop: `bauta expire` and workers look from time to time. */
export const GRACE_HOURS = 24;
/** Art. 12(3): one month, here the shortest of them. */
export const ERASURE_DAYS = 28;

const published = 'runs that published a version';
const isPublished = ({ version }: Readonly<Record<string, Cell>>): boolean => version !== null;

/** What is due and still has time to go is in the population of the next period, too. */
const endsInTime: Check['judge'] = ({ overdueHours, endedAt }) => {
  const isInTime = Number(overdueHours) <= GRACE_HOURS;
  return overdueHours === null || (endedAt === null && isInTime) ? undefined : passIf(isInTime);
};

export const checks: readonly Check[] = [
  {
    ...{ id: 'plan-allowed', title: 'A gate allowed the plan first', population: 'runs', about: published },
    attribute: 'the gate’s decision about the plan of this run allowed it',
    judge: (run) => (isPublished(run) ? passIf(run['allowed'] === 'yes') : undefined),
  },
  {
    ...{ id: 'denied-stays-out', title: 'What the gate denied was not published', population: 'runs', about: 'runs that the gate denied' },
    attribute: 'no version was published by this run',
    judge: (run) => (run['allowed'] === 'no' ? passIf(!isPublished(run)) : undefined),
  },
  {
    ...{ id: 'verified-first', title: 'The copy was verified first', population: 'runs', about: published },
    attribute: 'the copy was read again and verified before it was published',
    judge: (run) => (isPublished(run) ? passIf(run['verified'] === 'yes') : undefined),
  },
  {
    ...{ id: 'no-finding', title: 'Nothing was found in what was published', population: 'runs', about: published },
    attribute: 'no stage of this run found anything of severity error',
    // Where nobody looked nothing is found.
    judge: (run) => {
      if (!isPublished(run)) return undefined;
      return Number(run['verifyErrors']) > 0 ? 'exception' : knownIf(run['verified'] === 'yes');
    },
  },
  {
    ...{ id: 'own-checks-hold', title: 'The pipeline’s own checks held', population: 'runs', about: `${published} and have checks` },
    attribute: 'none of the pipeline’s checks failed or could not be made',
    judge: (run) =>
      isPublished(run) && run['checksHeld'] !== null ? passIf(run['checksBroken'] === 0 && run['checksNotRun'] === 0) : undefined,
  },
  {
    ...{ id: 'has-expiry', title: 'What was published has an expiry', population: 'runs', about: published },
    attribute: 'the entry of the publication says until when the version may be there',
    judge: (run) => (isPublished(run) ? passIf(run['expiresAt'] !== null) : undefined),
  },
  {
    ...{
      id: 'runs-succeed',
      title: 'Runs came to their end',
      population: 'runs',
      about: 'runs that nobody refused, denied, withheld or cancelled',
    },
    attribute: 'the run published a version or took one that was there',
    judge: ({ state, error }) => {
      if (state === 'open') return 'no evidence';
      if (['denied', 'withheld', 'cancelled'].includes(String(state)) || error === 'PLAN_REFUSED') return undefined;
      return passIf(state === 'published' || state === 'reused');
    },
  },
  {
    ...{
      id: 'versions-end',
      title: 'Versions were dropped when their time was over',
      population: 'versions',
      about: 'versions that ended, or were overdue',
    },
    attribute: `the version was dropped at most ${GRACE_HOURS} hours after its expiry`,
    judge: endsInTime,
  },
  {
    ...{ id: 'drops-seen', title: 'What was dropped was looked for again', population: 'versions', about: 'versions that were dropped' },
    attribute: 'everything that was dropped was looked for afterwards and not found',
    judge: ({ endedAt, seenGone }) => (endedAt === null ? undefined : seenGone === null ? 'no evidence' : passIf(seenGone === 'yes')),
  },
  {
    ...{
      id: 'clones-end',
      title: 'Clones were dropped when their time was over',
      population: 'clones',
      about: 'clones that ended, or were overdue',
    },
    attribute: `the clone was dropped at most ${GRACE_HOURS} hours after its expiry`,
    judge: endsInTime,
  },
  {
    ...{
      id: 'no-original',
      title: 'No original stood where none may',
      population: 'effectiveness-tests',
      about: 'verifications of copies',
    },
    attribute: 'in columns where no original may stand each was looked for and none was found',
    // A copy without such a column says nothing, however many others it has.
    judge: ({ zero, originals }) => (Number(originals) > 0 ? 'exception' : knownIf(Number(zero) > 0 && originals !== null)),
  },
  {
    ...{
      id: 'masking-tested',
      title: 'Masking was tested against the originals',
      population: 'effectiveness-tests',
      about: 'verifications of copies',
    },
    attribute: 'at least one personal column was tested, and fewer were not testable than were',
    judge: ({ zero, rate, notTestable }) => knownIf(Number(zero) + Number(rate) > Number(notTestable)),
  },
  {
    ...{ id: 'second-person', title: 'Another person decided', population: 'approvals', about: 'approvals that were decided' },
    attribute: 'who approved or refused is not who asked',
    judge: ({ state, askedBy, decidedBy }) => {
      if (!['approved', 'used', 'refused'].includes(String(state))) return undefined;
      return decidedBy === null ? 'no evidence' : passIf(askedBy !== decidedBy);
    },
  },
  {
    ...{ id: 'changes-named', title: 'Who changed documents is known', population: 'changes', about: 'changes of documents' },
    attribute: 'the entry names the person who did it, by an id, and the digest of every document',
    judge: ({ actor, documents }) => knownIf(actor !== null && documents !== ''),
  },
  {
    ...{
      id: 'grants-named',
      title: 'Who granted access is known',
      population: 'access',
      about: 'roles that were granted and keys that were issued',
    },
    attribute: 'the entry names who granted it and to whom, by ids',
    judge: ({ type, actor, person }) =>
      type === 'roles.granted' || type === 'apikey.issued' ? knownIf(actor !== null && person !== null) : undefined,
  },
  {
    ...{ id: 'waivers-agreed', title: 'Waivers were agreed to and end', population: 'waivers', about: 'waivers that were granted' },
    attribute: 'the waiver names an approval, a reason and an end; that another person agreed is asked of the approval (second-person)',
    judge: ({ type, approval, reason, until }) =>
      type === 'waiver.granted' ? passIf(approval !== null && reason !== null && until !== null) : undefined,
  },
  {
    ...{ id: 'gates-bind', title: 'Gates of deployments bound', population: 'deployment-decisions', about: 'decisions of gates' },
    attribute: 'the answer was meant to bind; that whoever asked did as it said is not known here',
    judge: ({ enforced }) => passIf(enforced === 'yes'),
  },
  {
    ...{
      id: 'evidence-whole',
      title: 'Reports of scanners say what they are of',
      population: 'evidence',
      about: 'reports that were received',
    },
    attribute: 'the report names its subject and lacks nothing that was asked of it',
    judge: ({ type, subject, missing }) =>
      type === 'evidence.received' ? knownIf(subject !== null && (missing === null || missing === '')) : undefined,
  },
  {
    ...{
      id: 'reversals-justified',
      title: 'Reversals of tokens have a purpose, a reason and a person',
      population: 'token-exchanges',
      about: 'calls that gave back values',
    },
    attribute: 'the entry names one of the domain’s purposes, a reason and who called',
    judge: ({ type, action, purpose, reason, actor }) =>
      type === 'tokens.exchanged' && action === 'detokenise' ? passIf(purpose !== null && reason !== null && actor !== null) : undefined,
  },
  {
    ...{
      id: 'erasures-completed',
      title: 'Requests for erasure were completed',
      population: 'erasure-requests',
      about: 'requests that were completed, or older than they may get',
    },
    attribute: `nothing of before was left on the target within ${ERASURE_DAYS} days`,
    judge: ({ completedAt, days }) =>
      completedAt === null && Number(days) <= ERASURE_DAYS ? undefined : passIf(Number(days) <= ERASURE_DAYS),
  },
  {
    ...{
      id: 'copies-unchanged',
      title: 'Copies stayed what was published',
      population: 'drift',
      about: 'copies that were seen to have changed',
    },
    attribute: 'a copy was seen to be other than what was published',
    judge: ({ type }) => (type === 'dataset.drifted' ? 'exception' : undefined),
  },
  {
    ...{ id: 'keys-recorded', title: 'Keys are known by a check value', population: 'keys', about: 'keys that were recorded' },
    attribute: 'the entry holds the check value by which a key that was replaced is found',
    judge: ({ type, check }) => (type === 'key.recorded' ? knownIf(check !== null) : undefined),
  },
  {
    ...{ id: 'due-was-done', title: 'What schedules were to do was done', population: 'occurrences', about: 'instants that were due' },
    attribute: 'as many took place as were due',
    judge: ({ expected, actual }) => (expected === null || actual === null ? 'no evidence' : passIf(Number(actual) >= Number(expected))),
  },
  ...checksAround,
  ...checksOfIncidents,
];

// Checks of what happens around the copies: gates and who goes past them, agents, archives, policies, keys, and what people were told.
import type { Check } from './check.js';
import { knownIf, passIf } from './check.js';

export const checksAround: readonly Check[] = [
  {
    ...{
      id: 'breakglass-agreed',
      title: 'Break-glasses were agreed to by somebody else',
      population: 'breakglasses',
      about: 'break-glasses',
    },
    attribute: 'it names who asked, who agreed, and nobody agreed to his own',
    judge: ({ askedBy, approvedBy, reason }) => {
      const agreed = String(approvedBy ?? '').split(' ').filter(Boolean); // prettier-ignore
      return passIf(reason !== null && askedBy !== null && agreed.length > 0 && !agreed.includes(String(askedBy)));
    },
  },
  {
    ...{
      id: 'breakglass-once',
      title: 'Break-glasses were used once, and for what they were for',
      population: 'breakglasses',
      about: 'break-glasses that were used',
    },
    attribute: 'it was used once, and nothing of that use was other than what was agreed to',
    judge: ({ uses, misfit }) => (Number(uses) === 0 ? undefined : passIf(Number(uses) === 1 && misfit === null)),
  },
  {
    ...{
      id: 'breakglass-reviewed',
      title: 'The use of break-glasses was looked at afterwards',
      population: 'breakglasses',
      about: 'break-glasses that were reviewed, or whose review was due',
    },
    attribute: 'somebody looked at its use before that was due',
    judge: ({ overdue, reviewedBy }) => (overdue === 'yes' ? 'exception' : reviewedBy === null ? undefined : 'pass'),
  },
  {
    ...{
      id: 'reviews-in-time',
      title: 'Access was reviewed in time',
      population: 'access-reviews',
      about: 'reviews that were decided, or that were due',
    },
    attribute: 'all that was held was decided of before the review was due',
    judge: ({ overdue, closedAt }) => (overdue === 'yes' ? 'exception' : closedAt === null ? undefined : 'pass'),
  },
  {
    ...{ id: 'reviews-by-others', title: 'Somebody else reviewed it', population: 'access-held', about: 'what was decided of' },
    attribute: 'who decided is known, says why, and does not hold it',
    judge: ({ decision, decidedBy, person, reason }) =>
      decision === null
        ? undefined
        : decidedBy === null || reason === null || person === null
          ? 'no evidence'
          : passIf(decidedBy !== person),
  },
  {
    ...{ id: 'revocations-done', title: 'What was not to be kept was taken away', population: 'access-held', about: 'what was revoked' },
    attribute: 'it was taken away with the decision, or was gone by then',
    judge: ({ decision, effect }) => (decision === 'revoke' ? knownIf(effect === 'done' || effect === 'gone') : undefined),
  },
  {
    ...{ id: 'flips-explained', title: 'Decisions that were taken back say why', population: 'deployment-flips', about: 'flips' },
    attribute: 'the entry names the decision, where it had gone, and the codes of the new reasons',
    judge: ({ decision, environment, codes }) => knownIf(decision !== null && environment !== null && codes !== null && codes !== ''),
  },
  {
    ...{ id: 'callers-told', title: 'Who asked a gate was told', population: 'gate-calls', about: 'answers to callers' },
    attribute: 'the caller took the answer',
    judge: ({ type }) => (type === 'callback.told' ? 'pass' : type === 'callback.dead' ? 'exception' : undefined),
  },
  {
    ...{ id: 'refusals-explained', title: 'What was turned away is known', population: 'refusals', about: 'refusals' },
    attribute: 'the entry says of what and why it was turned away',
    judge: ({ of, why }) => knownIf(of !== null && why !== null && why !== ''),
  },
  {
    ...{ id: 'withdrawals-named', title: 'Who withdrew evidence is known', population: 'evidence', about: 'evidence that was withdrawn' },
    attribute: 'the entry names who withdrew it, and why',
    judge: ({ type, actor, reason }) => (type === 'evidence.withdrawn' ? knownIf(actor !== null && reason !== null) : undefined),
  },
  {
    ...{ id: 'agents-invited', title: 'Agents came in by an invitation', population: 'agents', about: 'agents that were enrolled' },
    attribute: 'the entry names the invitation and who gave it',
    judge: ({ type, token, actor }) => (type === 'agent.enrolled' ? knownIf(token !== null && actor !== null) : undefined),
  },
  {
    ...{
      id: 'agents-trusted',
      title: 'No agent was told what nobody had signed',
      population: 'agents',
      about: 'messages that an agent refused',
    },
    attribute: 'a message was refused: somebody sent what he was not to send',
    judge: ({ type }) => (type === 'agent.refused' ? 'exception' : undefined),
  },
  {
    ...{ id: 'pulls-named', title: 'Who took a copy away is known', population: 'archives', about: 'archives that were handed out' },
    attribute: 'the entry names who pulled it, the key that it was sealed to, and its digest',
    judge: ({ type, actor, recipient, sha256 }) =>
      type === 'dataset.pulled' ? knownIf(actor !== null && recipient !== null && sha256 !== null) : undefined,
  },
  {
    ...{
      id: 'bundles-fail-closed',
      title: 'A policy that was refused left one in force',
      population: 'policy-bundles',
      about: 'policies that were refused',
    },
    attribute: 'the policy before went on deciding',
    judge: ({ type, inForce }) => (type === 'policy.bundle-refused' ? passIf(inForce !== null && inForce !== '') : undefined),
  },
  {
    ...{
      id: 'keys-changed',
      title: 'Keys that were to be rotated or destroyed were',
      population: 'keys',
      about: 'rotations and destructions of keys',
    },
    attribute: 'the log says that it was done, and who did it and why',
    judge: ({ type, actor, reason }) => {
      if (type === 'key.recorded') return undefined;
      if (!/\.(done|completed)$/.test(String(type))) return 'exception';
      return knownIf(actor !== null && reason !== null);
    },
  },
  {
    ...{
      id: 'requests-named',
      title: 'Who asked for a change is known',
      population: 'requests',
      about: 'requests for keys, secrets, expiries, roll-backs and erasures, and pauses',
    },
    attribute: 'the entry names who asked',
    judge: ({ type, actor }) => {
      const isAsked =
        /^(expiry|rollback|key-rotation|key-destruction|secret-rotation|subject-erasure|clone)\.requested$|^(schedule|trigger)\.(paused|resumed)$/;
      return isAsked.test(String(type)) ? knownIf(actor !== null) : undefined;
    },
  },
  {
    ...{
      id: 'requests-carried-out',
      title: 'What was asked for was carried out',
      population: 'requests',
      about: 'requests that came to an end',
    },
    attribute: 'it did not fail',
    judge: ({ type }) => (/\.(done|failed)$/.test(String(type)) ? passIf(String(type).endsWith('.done')) : undefined),
  },
  {
    ...{
      id: 'drops-succeed',
      title: 'Copies went when they were to, and by Bauta',
      population: 'copies-watched',
      about: 'copies that could not be dropped, or that were gone',
    },
    attribute: 'the copy could not be dropped, or was gone without Bauta having dropped it',
    judge: ({ type }) => (type === 'dataset.not-dropped' || type === 'dataset.gone' ? 'exception' : undefined),
  },
  {
    ...{
      id: 'runs-in-time',
      title: 'Runs were in time and left nothing',
      population: 'late-runs',
      about: 'runs that were late or left something',
    },
    attribute: 'the run was later than its deadline, or what it left could not be taken away',
    judge: () => 'exception',
  },
  {
    ...{ id: 'changes-settled', title: 'What was begun came to a known end', population: 'intents', about: 'changes told before' },
    attribute: 'the log says what came of it',
    judge: ({ outcome }) => knownIf(outcome !== null),
  },
  {
    ...{ id: 'channels-reached', title: 'Who was to be told was told', population: 'notifications', about: 'messages to channels' },
    attribute: 'the channel took it',
    judge: ({ type }) => (type === 'notification.sent' ? 'pass' : type === 'notification.dead' ? 'exception' : undefined),
  },
];

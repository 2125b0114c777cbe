// Checks of what was odd and of incidents (SOC 2 CC7.2 to CC7.5, GDPR Art. 33).
import { type Check, knownIf, passIf } from './check.js';

export const checksOfIncidents: readonly Check[] = [
  {
    ...{
      id: 'breaches-told',
      title: 'The authority was told of breaches in time',
      population: 'breaches',
      about: 'breaches that somebody became aware of',
    },
    attribute: 'the authority, or for a processor the controller, was told in time: no entry says so, and it is for people to show',
    judge: () => 'no evidence',
  },
  {
    ...{
      id: 'no-residual',
      title: 'No original was found where it may not be',
      population: 'anomalies',
      about: 'anomalies of the rule residual',
    },
    attribute: 'verification withheld a run, or a published copy held values that can be no fake',
    judge: ({ rule }) => (rule === 'residual' ? 'exception' : undefined),
  },
  {
    ...{ id: 'incidents-isolated', title: 'The copy was kept from people', population: 'incidents', about: 'incidents' },
    attribute:
      'every step of the playbook came to an end; of those that keep people from the copy there was one, none failed, and none had something that it could not reach',
    judge: ({ steps, ended, isolationFailed, isolatedAt, notReached }) =>
      isolationFailed === 'yes'
        ? 'exception'
        : knownIf(steps !== null && Number(ended) >= Number(steps) && isolatedAt !== null && notReached === null),
  },
  {
    ...{ id: 'incidents-evaluated', title: 'Somebody evaluated the incident', population: 'incidents', about: 'incidents' },
    attribute: 'a named person closed it, with an outcome and a reason',
    judge: ({ closedBy, outcome, reason }) => knownIf(closedBy !== null && outcome !== null && reason !== null),
  },
  {
    ...{
      id: 'freezes-lifted-by-two',
      title: 'Two people let provisioning go on',
      population: 'incidents',
      about: 'incidents whose freeze was lifted',
    },
    attribute: 'who agreed to it is not who closed the incident',
    judge: ({ liftedAt, liftedBy, closedBy }) =>
      liftedAt === null ? undefined : passIf(liftedBy !== null && closedBy !== null && liftedBy !== closedBy),
  },
];

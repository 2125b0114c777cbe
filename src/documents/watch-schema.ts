// The forms of a Watch, what the log is watched for, and of a Playbook, what is done about it.
import { playbookSteps } from '../pipeline/playbook.js';
import { startsPlaybook, watchMembers, watchRules, weekdays } from '../pipeline/watch.js';
import { type Schema, documentName, head, list, members, oneOf, reason, text } from './schema-words.js';

const time = text('a time such as 06:00', { pattern: '^(([01]\\d|2[0-3]):[0-5]\\d|24:00)$' });
const ways: Readonly<Record<string, Schema>> = {
  sigmas: { type: 'number', minimum: 1, maximum: 10, description: 'standard deviations, from 1 to 10' },
  atLeast: { type: 'integer', minimum: 1, maximum: 1_000_000, description: 'a count from 1 on' },
  hours: members(
    {
      timeZone: text('a time zone such as Europe/Berlin', { maxLength: 64 }),
      days: { ...list(oneOf(...weekdays), 'a list of days of the week'), minItems: 1, uniqueItems: true },
      ...{ from: time, until: time },
    },
    {},
    'timeZone, days, from and until',
  ),
  graceMinutes: { type: 'integer', minimum: 1, maximum: 1440, description: 'minutes from 1 to 1440' },
};

export const watch: Schema = {
  ...members(
    { kind: { const: 'Watch', description: 'Watch' }, name: oneOf(...watchRules) },
    { ...ways, playbook: documentName, off: members({ reason }, {}, 'reason') },
    'a Watch',
  ),
  allOf: watchRules.map((rule) => ({
    if: { properties: { name: { const: rule } } },
    then: {
      properties: Object.fromEntries(
        Object.keys(ways)
          .filter((name) => !watchMembers[rule].some((one) => one === name))
          .concat(startsPlaybook.has(rule) ? [] : ['playbook'])
          .map((name) => [name, false]),
      ),
    },
  })),
};

export const playbook: Schema = members(
  {
    ...head('Playbook'),
    steps: { ...list(oneOf(...playbookSteps), 'a list of steps'), minItems: 1, uniqueItems: true },
  },
  { evidenceHours: { type: 'integer', minimum: 1, maximum: 8784, description: 'hours from 1 to 8784' } },
  'a Playbook',
);

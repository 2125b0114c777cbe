// The form of a Channel: who is told of what.
import { type Schema, documentName, head, imports, list, members, oneOf, reference, text } from './schema-words.js';

const secretUrl = text('env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD of an address', { pattern: reference['pattern'] ?? '' });
const key = text('env:NAME, file:PATH, vault:PATH#FIELD or aws:NAME#FIELD of a secret that was granted for that host and port', {
  pattern: reference['pattern'] ?? '',
});
const address = text('an e-mail address', { maxLength: 254, pattern: '^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$' });

/** By `via`, which member says how. */
const ways: Readonly<Record<string, Schema>> = {
  slackWebhook: members({ url: secretUrl }, {}, 'url'),
  slack: members({ channel: text('the id of a channel', { pattern: '^[A-Z0-9]{2,30}$' }), token: key }, {}, 'channel and token'),
  teams: members({ url: secretUrl }, {}, 'url'),
  webhook: members(
    { url: text('https://HOST[:PORT]/…', { pattern: '^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\\s@]*)?$' }), secret: key },
    {},
    'url and secret',
  ),
  email: members({ to: { ...list(address, 'a list of addresses'), minItems: 1, maxItems: 20 } }, {}, 'to'),
};

/** `noticeEvents`, said here for the form; a test holds the two together. */
export const channelEvents = [
  ...(['run-failed', 'run-withheld', 'run-denied', 'run-late', 'run-recovered', 'approval-wanted'] as const),
  ...(['dataset-drifted', 'dataset-expiring', 'dataset-expired', 'dataset-dropped', 'dataset-not-dropped'] as const),
  ...(['deployment-flipped', 'breakglass-issued', 'breakglass-used', 'breakglass-unreviewed'] as const),
  'policy-refused',
  'agent-refused',
  'anchor-refused',
  'anomaly-found',
  'access-review-overdue',
  'report-failed',
  ...(['incident-opened', 'incident-step-failed', 'incident-carried-out', 'incident-closed', 'incident-lifted'] as const),
] as const;

/** Exactly one of the ways: the one that `via` names. */
export const channel: Schema = {
  ...members(
    {
      ...head('Channel'),
      via: oneOf(...Object.keys(ways)),
      events: { ...list(oneOf(...channelEvents), 'a list of events'), minItems: 1, uniqueItems: true },
    },
    { ...imports, ...ways, pipelines: { ...list(documentName, 'a list of pipelines'), minItems: 1 } },
    'a Channel',
  ),
  allOf: Object.entries(ways).map(([name, form]) => ({
    if: { properties: { via: { const: name } } },
    then: { required: [name], properties: { [name]: form } },
    else: { properties: { [name]: false } },
  })),
};

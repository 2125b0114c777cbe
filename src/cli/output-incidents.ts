// The forms of `bauta anomalies` and `bauta incidents`.
import { playbookSteps } from '../pipeline/playbook.js';
import { watchRules } from '../pipeline/watch.js';
import { type Schema, count, flag, list, object, oneOf, orNull, text } from './schema-words.js';

/** `findings` and `error`: as every answer has them. */
export function toIncidentSchemas({
  findings,
  error,
}: Readonly<Record<'findings' | 'error', Schema>>): Readonly<Record<'anomalies' | 'incidents', Schema>> {
  const anomaly = object({
    ...{ id: text('of the anomaly'), rule: oneOf(...watchRules), subject: text('what it is about, by ids and names') },
    ...{ environment: orNull(text('its name')), pipeline: orNull(text('its name')) },
    window: text('RFC 3339: where the stretch of time begins'),
    ...{ amount: count('that there were'), expected: count('that would have been none'), foundAt: text('RFC 3339') },
  });
  const instant = orNull(text('RFC 3339'));
  const head: Readonly<Record<string, Schema>> = {
    ...{ id: text('of the incident'), rule: text('what says that something is wrong'), environment: text('its name') },
    ...{ pipeline: text('the dataset'), playbook: text('its name'), playbookVersion: count('0: the one of the release') },
    ...{ openedAt: instant, openedBy: orNull(text('id of the person')), anomaly: orNull(text('id')), reason: orNull(text('why')) },
    ...{ state: oneOf('under-way', 'open', 'closed'), frozen: flag('nothing is provisioned') },
    ...{ closedAt: instant, closedBy: orNull(text('id of the person')), outcome: orNull(oneOf('resolved', 'false-alarm')) },
    ...{ closeReason: orNull(text('why')), liftApprovedBy: orNull(text('id of the person')), liftedAt: instant },
  };
  const step = object({
    ...{ step: oneOf(...playbookSteps), state: oneOf('waiting', 'asked', 'done', 'skipped', 'failed'), tries: count('that went wrong') },
    ...{ error: orNull(text('a code')), detail: orNull({ type: 'object', description: 'what was done, in ids, counts and digests' }) },
    ...{ startedAt: instant, endedAt: instant },
  });
  const file = object({ name: text('of the file'), mediaType: text('of it'), digest: text('sha256:…'), size: count('bytes') });
  const whole = object({ ...head, steps: list(step, 'in their order'), files: list(file, 'by name') });
  return {
    anomalies: object({ findings }, { anomalies: list(anomaly, 'newest first'), error }),
    // One, a list of them, or a file of one.
    incidents: object(
      { findings },
      { incident: whole, incidents: list(object(head), 'newest first'), file: text('where it was written'), bytes: count('of it'), error },
    ),
  };
}

// The form of `bauta anomalies`.
import { watchRules } from '../pipeline/watch.js';
import { type Schema, count, list, object, oneOf, orNull, text } from './schema-words.js';

/** `findings` and `error`: as every answer has them. */
export function toIncidentSchemas({
  findings,
  error,
}: Readonly<Record<'findings' | 'error', Schema>>): Readonly<Record<'anomalies', Schema>> {
  const anomaly = object({
    ...{ id: text('of the anomaly'), rule: oneOf(...watchRules), subject: text('what it is about, by ids and names') },
    ...{ environment: orNull(text('its name')), pipeline: orNull(text('its name')) },
    ...{
      window: text('RFC 3339: where the stretch of time begins'),
      amount: count('that there were'),
      expected: count('that would have been none'),
    },
    foundAt: text('RFC 3339'),
  });
  return { anomalies: object({ findings }, { anomalies: list(anomaly, 'newest first'), error }) };
}

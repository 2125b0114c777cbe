// The forms of `bauta evidence` and `bauta waivers`.
import { attestationFormats, scanFormats, severities } from '../systems/scanners/scanners.js';
import { type Schema, count, flag, list, object, oneOf, orNull, text } from './schema-words.js';

/** `findings` and `error`: as every answer has them. */
export function toEvidenceSchemas({
  findings,
  error,
}: Readonly<Record<'findings' | 'error', Schema>>): Readonly<Record<'evidence' | 'waivers', Schema>> {
  const counts = object({ open: count('that count'), fixable: count('of these') });
  const sent: Schema = {
    ...object({
      ...{
        id: text('of the evidence'),
        digest: text('SHA-256 of the report'),
        bytes: count('of it'),
        format: oneOf(...scanFormats, ...attestationFormats),
      },
      tool: object({ name: text('as the report says'), version: orNull(text('as the report says')) }),
      subject: object({
        kind: oneOf('commit', 'image', 'environment'),
        name: text('of it'),
        stated: flag('the report itself names it'),
      }),
      ...{ receivedAt: text('RFC 3339'), receivedBy: text('id of the person') },
      producer: orNull({ type: 'object', description: 'the job that sent it, as its identity token says' }),
      ...{ madeAt: orNull(text('RFC 3339')), databaseAt: orNull(text('RFC 3339')) },
      missing: orNull(text('why it is no evidence')),
      ...{ rules: orNull(count('that ran')), targets: orNull(count('that were looked at')), errors: count('of the tool') },
      counts: object({}, Object.fromEntries(severities.map((severity) => [severity, counts]))),
      suppressed: count('set aside by the report'),
      ...{ newFindings: orNull(count('against the last one')), fixedFindings: orNull(count('against the last one')) },
      withdrawnAt: orNull(text('RFC 3339: it counts no more since then')),
    }),
  };
  const found = object({
    ...{ rule: text('as the tool names it'), severity: oneOf(...severities), fixable: flag('there is a way'), place: text('coordinates') },
    ...{ fingerprint: text('the same in other reports'), state: oneOf('open', 'suppressed') },
  });
  const waiver = object({
    ...{ id: text('of the waiver'), rule: text('as the tool names it'), fingerprint: orNull(text('of one finding')) },
    scope: orNull({ type: 'object', description: 'null: everywhere' }),
    ...{
      reason: text('why'),
      askedBy: text('id of the person'),
      approval: text('id'),
      grantedAt: text('RFC 3339'),
      until: text('RFC 3339'),
    },
    state: oneOf('standing', 'over', 'ended'),
  });
  const approval = object({ id: text('of the approval that it waits for'), expiresAt: text('RFC 3339') });
  return {
    // One report, or a list of them.
    evidence: object({ findings }, { evidence: { anyOf: [sent, list(sent, 'newest first')] }, items: list(found, 'worst first'), error }),
    waivers: object({ findings }, { waivers: list(waiver, 'newest first'), approval, ended: text('id'), error }),
  };
}

// What `bauta gate` and `bauta decisions` write with --json.
import { type Schema, count, flag, list, object, oneOf, orNull, text } from './schema-words.js';

export function toGateSchemas(error: Schema): Readonly<Record<'decisions' | 'gate' | 'breakglass', Schema>> {
  const headOfDecision = {
    ...{ id: text('of the decision'), gate: text('name'), environment: text('where it shall go'), service: text('what shall go there') },
    ...{ decidedAt: text('RFC 3339'), allow: flag('what was answered'), enforced: flag('false: the gate only advised') },
    ...{ codes: list(text('see docs/policies.md'), 'of every reason against it'), score: { type: 'number', minimum: 0, maximum: 100 } },
    flipped: orNull(
      object({
        at: text('RFC 3339'),
        codes: list(text('see docs/policies.md'), 'why'),
        revoked: orNull(text('run of the version that was revoked')),
      }),
    ),
  };
  const answerAgain: Schema = { type: 'object', description: 'as of the record, and as of now' };
  /** Of `list`, of `show`, and of `replay`. */
  const decisions = object(
    {},
    {
      decisions: list(object(headOfDecision), 'newest first'),
      decision: object({ ...headOfDecision, answer: { type: 'object' }, record: { type: 'object' } }),
      ...{ decisionId: text('of the record'), same: flag('the answer is the same'), then: answerAgain, now: answerAgain, error },
    },
  );
  const reasonOfGate = object({
    ...{ code: text('see docs/policies.md'), controlIds: list(text('a control'), 'that the rule serves'), message: text('what') },
    ...{ points: count('that it costs of the score'), evidenceId: orNull(text('the evidence that it is about')), hint: text('what to do') },
  });
  /** As POST /v1/gates/{name}/decisions answers. */
  const gate = object(
    {
      ...{ allow: flag('the answer'), status: oneOf('SUCCEEDED', 'TERMINAL'), score: { type: 'number' }, threshold: { type: 'number' } },
      ...{ reasons: list(reasonOfGate, 'every rule against it'), missing: list(text('a name'), 'evidence that there is none of') },
      items: list(
        object({ code: text('name'), points: count('there are'), earned: { type: 'number' }, evidenceId: orNull(text('by which')) }),
        'of the score',
      ),
      waived: list(
        object({ evidenceId: text('of the report'), findings: count('taken out'), until: orNull(text('RFC 3339')) }),
        'what waivers took out',
      ),
      ...{
        decisionId: orNull(text('of the record; null: the gate could not be asked, and a break-glass let it through')),
        policy: object({ revision: text('of the rules') }, { bundle: text('name'), digest: text('of them') }),
      },
      expiresAt: text('RFC 3339'),
    },
    {
      others: list(
        object(
          { name: text('name'), revision: text('of its rules'), digest: text('of its rules') },
          { refused: text('see docs/errors.md') },
        ),
        'bundles of your own that were asked beside it',
      ),
      ...{ enforced: flag('false: the gate only advised, or a break-glass was used'), wouldDeny: list(text('a code'), 'why it would not') },
      ...{ evaluatedAt: text('RFC 3339'), inputsDigest: text('of the question') },
      log: object({ origin: orNull(text('which')), index: orNull(count('the entry')) }),
      kept: flag('true: the metadata database was away, and this is what was decided before'),
      breakglass: object({
        ...{ id: text('of the break-glass'), use: text('of this use'), offline: flag('true: it is still to be handed in') },
        expiresAt: text('RFC 3339'),
      }),
    },
  );

  const broken = object({
    ...{ id: text('of the break-glass'), gate: text('name'), environment: text('name'), service: text('name'), commit: text('in full') },
    ...{ reason: text('why'), askedBy: text('a person'), approvedBy: list(text('a person'), 'two') },
    ...{ issuedAt: text('RFC 3339'), expiresAt: text('RFC 3339'), state: oneOf('issued', 'used', 'expired') },
    ...{ usedAt: orNull(text('RFC 3339')), offline: orNull(flag('it was handed in later')), usedAgain: count('further uses') },
    ...{ reviewedBy: orNull(text('a person')), reviewedAt: orNull(text('RFC 3339')), comment: orNull(text('of the review')) },
    ...{ reviewUntil: orNull(text('RFC 3339')), exception: flag('it was used, and nobody reviewed it in time') },
  });
  const approval = object({ id: text('of the approval'), expiresAt: text('RFC 3339') });
  const handedIn = list(object({ id: text('of the break-glass'), use: text('of the use'), usedAt: text('RFC 3339') }), 'told now');
  /** Of `ask`, `list`, `show` and `review`, `fetch`, and `hand-in`. */
  const breakglass = object(
    {},
    {
      ...{ approval, breakglasses: list(broken, 'newest first'), output: text('a file'), expiresAt: text('RFC 3339') },
      ...{ handedIn, left: count('still to be handed in'), findings: list(error, 'none'), error },
    },
  );
  return { decisions, gate, breakglass };
}

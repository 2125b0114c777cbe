// The form of what `bauta agents --json` writes.
import { type Schema, count, list, object, oneOf, orNull, text } from './schema-words.js';

export function toAgentSchemas({
  findings,
  error,
}: {
  readonly findings: Schema;
  readonly error: Schema;
}): Readonly<Record<string, Schema>> {
  const agent = object({
    agentId: text('of the agent'),
    publicKey: text('with which it signs, in hex'),
    recipient: text('to which versions are sealed, age1…'),
    place: object({ database: text('where it delivers to'), systemIdentifier: text('of that server') }),
    state: text('of its last receipt that is of a run; silent: there was none'),
    runId: orNull({ ...text('of that receipt'), description: 'null: there was none' }),
    lastSeenAt: orNull({ ...text('RFC 3339, by its own clock'), description: 'null: it has said nothing yet' }),
    progress: orNull({
      ...object({
        ...{ rows: count('loaded'), bytes: count('loaded'), lag: count('records that it is behind'), bytesPerSecond: count('loaded') },
        secondsLeft: orNull({ ...count('by an estimate'), description: 'null: nobody knows' }),
      }),
      description: 'null: it has loaded nothing of that run',
    }),
    refused: list(
      object({ topic: oneOf('control', 'bulk'), problem: text('why'), amount: count('of messages or records') }),
      'what it did not act on',
    ),
    enrolledAt: text('RFC 3339'),
    revokedAt: orNull({ ...text('RFC 3339'), description: 'null: it may load' }),
  });
  const agents = list(agent, 'all that were ever enrolled');
  const invites = list(object({ tokenId: text('of a token'), expiresAt: text('RFC 3339') }), 'tokens that nobody has used');
  return {
    agents: object(
      { findings },
      {
        agents,
        invites,
        token: text('with invite: shown once'),
        environment: text('of the token'),
        expiresAt: text('of the token'),
        error,
      },
    ),
  };
}

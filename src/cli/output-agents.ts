// The form of what `bauta agents --json` writes.
import { type Schema, list, object, orNull, text } from './schema-words.js';

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

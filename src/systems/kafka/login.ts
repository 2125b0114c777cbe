// The login as kafkajs takes it. Its own way with tokens does not read the broker's answer, so that a refused one looks like a connection that breaks.
import { setTimeout as sleep } from 'node:timers/promises';

import type { KafkaConfig, Mechanism } from 'kafkajs';

import { toError } from '../../kernel/errors.js';
import type { BrokerLogin } from './address.js';

export function toSasl(name: string, login: BrokerLogin): NonNullable<KafkaConfig['sasl']> {
  if (login.mechanism === 'oauthbearer') return toBearer(name, login.readToken);
  const { user: username, password } = login;
  return { mechanism: login.mechanism, username, password } as NonNullable<KafkaConfig['sasl']>;
}

/** Before the end of a session, which is that of its token: from then on each request begins with a login. */
export const renewBeforeMs = 5000;
/** A broker refuses a second login of a connection within a second (KIP-368). */
const betweenLoginsMs = 1100;

/** RFC 7628: nothing follows a token that was taken; one that was refused is answered by JSON, which says nothing to us. */
function toBearer(name: string, readToken: () => Promise<string>): Mechanism {
  const refused = (): never => {
    // As kafkajs reads it: the same token is not offered again for as long as anybody has patience.
    throw Object.assign(toError('BROKER_AUTH', { connection: name }), { retriable: false });
  };
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: ({ saslAuthenticate }) => ({
      authenticate: async () => {
        const token = await readToken();
        // RFC 6750: anything else could end the message and begin another.
        if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) refused();
        const text = Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`);
        const message = Buffer.alloc(4 + text.length);
        message.writeInt32BE(text.length);
        text.copy(message, 4);
        const answer: unknown = await saslAuthenticate({
          request: { encode: () => message },
          response: {
            decode: (data) => data,
            parse: (data) => data.readInt32BE(0) > 0,
          },
        });
        if (answer === true) refused();
        // The next request asks again for a token that nobody has renewed yet.
        if (toEndMs(token) - Date.now() < renewBeforeMs + betweenLoginsMs) await sleep(betweenLoginsMs);
      },
    }),
  };
}

/** When a JSON Web Token ends, by what it says of itself (RFC 7519, 4.1.4); others end when the broker says so. */
function toEndMs(token: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { readonly exp?: unknown };
    return typeof exp === 'number' ? exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}

// A role that changes its own password. The server gets the verifier: a password in clear would stand in its log.
import { randomBytes } from 'node:crypto';

import { toKnownError } from '../../kernel/errors.js';
import { type ConnectionTarget, connect } from './connection.js';
import { toServerError } from './server-error.js';
import { toVerifier } from './target/run-login.js';

export async function setOwnPassword(target: ConnectionTarget, password: string): Promise<void> {
  const client = await connect(target);
  try {
    // Of letters, digits and $+/=: nothing in it could end the literal.
    await client.query(`ALTER ROLE CURRENT_USER PASSWORD '${toVerifier(password, randomBytes(16))}'`);
  } catch (error) {
    throw toServerError(error, { connection: target.name, stage: 'source' });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** By a real connection that asks the server something. Throws what is not about the login. */
export async function canLogIn(target: ConnectionTarget): Promise<boolean> {
  try {
    const client = await connect(target);
    await client.query('SELECT 1').finally(() => client.end().catch(() => undefined));
    return true;
  } catch (error) {
    if (toKnownError(error).code === 'CONNECTION_REFUSED_LOGIN') return false;
    throw error;
  }
}

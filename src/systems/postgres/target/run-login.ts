// The run's own login. What runs as a role that was only SET can reset it and be the provisioning role again; what logged in as the run's
// role can be nothing else. The password lives in this process's memory, the server gets its SCRAM verifier only (RFC 5802, RFC 7677).
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

export interface RunLogin {
  readonly password: string;
  /** `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as pg_authid stores it: a password in clear would stand in the server's log. */
  readonly verifier: string;
}

const iterations = 4096;

/** Without a password a random one, which nobody else has. */
export function createRunLogin(shared?: string): RunLogin {
  // Base64url is ASCII: SASLprep (RFC 4013) leaves it as it is.
  const password = shared ?? randomBytes(32).toString('base64url');
  return { password, verifier: toVerifier(password, randomBytes(16)) };
}

export function toVerifier(password: string, salt: Uint8Array): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const mac = (text: string): Buffer => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(mac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey}:${mac('Server Key').toString('base64')}`;
}

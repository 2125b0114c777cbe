// Is one of the hosts a broker, with a certificate that is trusted, and does it take ours? kafkajs would try a wrong one again and again, and say less.
import { toError } from '../../kernel/errors.js';
import { type BrokerTarget, type Host } from './address.js';
import { openSocket } from './client.js';
import { toBrokerError, toSocketCode } from './failure.js';

/** Throws BROKER_UNREACHABLE, BROKER_TIMEOUT, BROKER_TLS_MISSING, BROKER_CERTIFICATE_REFUSED, BROKER_AUTH. */
export async function probe(target: BrokerTarget, timeoutMs: number): Promise<void> {
  let first: unknown;
  for (const host of target.hosts) {
    try {
      return await probeOne(target, host, timeoutMs);
    } catch (error) {
      first ??= error;
    }
  }
  throw toBrokerError(first, { connection: target.name });
}

/** ApiVersions, version 0, from client `bauta`: what a broker answers before any login. */
const question = Buffer.from([0, 0, 0, 15, 0, 18, 0, 0, 0, 0, 0, 1, 0, 5, ...Buffer.from('bauta')]);
const answerBytes = 8;

function probeOne(target: BrokerTarget, host: Host, timeoutMs: number): Promise<void> {
  const where = { connection: target.name };
  return new Promise((resolve, reject) => {
    let reached = false;
    let secure = false;
    let answer = Buffer.alloc(0);
    const socket = openSocket(target, host, () => {
      secure = true;
      socket.write(question);
    });
    const end = (error?: Error): void => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.setTimeout(timeoutMs, () => end(toError('BROKER_TIMEOUT', { ...where, amount: `${timeoutMs} ms` })));
    socket.once('connect', () => (reached = true));
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length >= answerBytes) end(answer.readInt32BE(4) === 1 ? undefined : toError('BROKER_UNREACHABLE', where));
    });
    // Reached, and cut before TLS stands: whoever listens does not speak it.
    const silent = (): Error => toError(target.tls && reached && !secure ? 'BROKER_TLS_MISSING' : 'BROKER_UNREACHABLE', where);
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      const known = toSocketCode(code);
      end(known === 'BROKER_UNREACHABLE' ? silent() : toError(known, where));
    });
    socket.once('close', () => end(silent()));
  });
}

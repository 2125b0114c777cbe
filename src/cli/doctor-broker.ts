// `bauta doctor`: does the broker of a setting answer, take the login, and keep rights?
import type { Settings } from '../config/settings.js';
import { readReference } from '../control/home.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { openBroker, resolveBroker } from '../systems/kafka/kafka.js';

/** Throws BROKER_*, SETTING_*. */
export async function checkBroker(
  reference: string,
  settings: Pick<Settings, 'BAUTA_CONNECT_TIMEOUT_MS' | 'BAUTA_EVENTS_PREFIX'>,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly detail: string; readonly findings: readonly Finding[] }> {
  const read = (one: string): Promise<string> => Promise.resolve(readReference(one, environment));
  const target = await resolveBroker(reference, await read(reference), read);
  const broker = await openBroker(target, { connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS, patienceMs: 3000 });
  try {
    const admin = await broker.admin();
    const topics = await admin.list(`${settings.BAUTA_EVENTS_PREFIX}.`);
    const how = [target.tls ? 'TLS' : 'clear text', target.login?.mechanism ?? (target.tls?.cert ? 'a certificate' : 'no login')].join(
      ', ',
    );
    const findings = (await admin.hasAuthorizer()) ? [] : [toFinding('BROKER_AUTHORIZER_MISSING', { connection: reference }, 'warning')];
    return { detail: `answers (${how}), ${topics.length} topics of ours are to be seen`, findings };
  } finally {
    await broker.close();
  }
}

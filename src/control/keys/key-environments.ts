// Whose keys are whose, by the documents that hold now.
import type { KeysDefinition } from '../../pipeline/definition.js';
import { isInForce } from '../../pipeline/choose-key.js';
import { toError } from '../../kernel/errors.js';
import type { Transaction } from '../../systems/metadata/metadata.js';
import { DocumentSet } from '../protection/protection.js';

interface Said {
  readonly document: string;
  readonly environment: string;
  readonly keys: KeysDefinition;
}

/** Every environment that has these keys: their own, and those that join it. Throws RESOURCE_UNKNOWN where no document speaks of it. */
export async function findEnvironmentsOf(transaction: Transaction, environment: string): Promise<readonly string[]> {
  const said = await readSaid(transaction, environment);
  if (said.length === 0) throw toError('RESOURCE_UNKNOWN', { type: 'environment' });
  return [...new Set([environment, ...said.map((one) => one.environment)])].sort();
}

/** Throws KEY_NEEDED while a document keeps one of these versions. */
export async function requireUnneeded(transaction: Transaction, environment: string, upTo: number, nowMs: number): Promise<void> {
  for (const { document, keys } of await readSaid(transaction, environment)) {
    const { previous } = keys;
    if (previous && previous.version <= upTo && isInForce(previous, nowMs))
      throw toError('KEY_NEEDED', { amount: String(previous.version), name: document, expected: previous.until });
  }
}

async function readSaid(transaction: Transaction, environment: string): Promise<readonly Said[]> {
  const { after } = await DocumentSet.read(transaction, []);
  const environments = after
    .all('Environment')
    .map(({ name, keys = {} }) => ({ document: `Environment ${name}`, environment: name, keys }));
  const pipelines = after.all('Pipeline').flatMap(
    ({ name, target }) =>
    typeof target === 'string'
      ? []
      : [{ document: `Pipeline ${name}`, environment: target.environment, keys: target.keys ?? {} }], // prettier-ignore
  );
  return [...environments, ...pipelines].filter((one) => (one.keys.join?.environment ?? one.environment) === environment);
}

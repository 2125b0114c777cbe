// Which pipeline's target leads through a broker to an environment.
import { toError } from '../../kernel/errors.js';
import type { Transaction } from '../../systems/metadata/metadata.js';

type Written = Readonly<Record<string, unknown>>;

/** The first by name: all that name it have the same agents. Throws RESOURCE_UNKNOWN, AGENTS_NOT_DECLARED. */
export async function findStream({ documents }: Transaction, environment: string): Promise<string> {
  let isKnown = (await documents.find({ kind: 'Environment', name: environment })) !== undefined;
  for (const { name, document } of await documents.list('Pipeline', 10_000)) {
    const { target } = document as Written;
    const place = typeof target === 'string' ? (await documents.find({ kind: 'Environment', name: target }))?.document : target;
    if ((typeof target === 'string' ? target : (place as Written | undefined)?.['environment']) !== environment) continue;
    isKnown = true;
    if ((place as Written | undefined)?.['kafka'] !== undefined) return name;
  }
  throw isKnown ? toError('AGENTS_NOT_DECLARED', { name: environment }) : toError('RESOURCE_UNKNOWN', { type: 'environment' });
}

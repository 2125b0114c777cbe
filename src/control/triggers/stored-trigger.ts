// A trigger as the database has it: its document, and what follows when a version of it is applied.
import { loadWritten } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { TriggerDefinition } from '../../pipeline/definition.js';
import type { Transaction } from '../../systems/metadata/metadata.js';

/** Throws RESOURCE_UNKNOWN, or DOCUMENTS_INVALID where a later release does not take what an earlier one did. */
export async function getTrigger(
  { documents }: Transaction,
  { name, version }: { readonly name: string; readonly version: number },
): Promise<TriggerDefinition> {
  const document = await documents.find({ kind: 'Trigger', name }, version);
  if (!document) throw toError('RESOURCE_UNKNOWN', { type: 'trigger' });
  return parseTrigger(document.document);
}

async function parseTrigger(written: object): Promise<TriggerDefinition> {
  const { definitions, findings } = await loadWritten([{ file: 'trigger', written }]);
  const body = definitions[0]?.body;
  if (body?.kind !== 'Trigger') throw toError('DOCUMENTS_INVALID', { file: 'trigger', amount: String(findings.length) }, findings);
  return body;
}

/** From now on it answers. Throws TRIGGER_CYCLE where datasets would ask for each other without an end. */
export async function followTrigger(transaction: Transaction, written: object, version: number, clock: Clock): Promise<void> {
  const { name, on, pipeline } = await parseTrigger(written);
  const watches = 'dataset' in on ? on.dataset : null;
  if (watches !== null) await requireNoCycle(transaction, watches, pipeline);
  await transaction.triggers.put(name, version, watches, new Date(clock.now()));
}

/** MUST be called with the documents locked and this one inserted: what others apply at the same time is seen. */
async function requireNoCycle({ documents }: Transaction, watches: string, pipeline: string): Promise<void> {
  const asks = new Map<string, Set<string>>();
  for (let after = ''; ;) {
    const page = await documents.list('Trigger', 200, after);
    for (const { document } of page) {
      const { on, pipeline: asked } = document as Pick<TriggerDefinition, 'on' | 'pipeline'>;
      if ('dataset' in on) asks.set(on.dataset, (asks.get(on.dataset) ?? new Set()).add(asked));
    }
    if (page.length < 200) break;
    after = page.at(-1)?.name ?? '';
  }
  const reached = new Set([pipeline]);
  for (const one of reached) for (const next of asks.get(one) ?? []) reached.add(next);
  if (reached.has(watches)) throw toError('TRIGGER_CYCLE', { name: watches });
}

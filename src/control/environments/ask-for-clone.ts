// A clone of an environment is asked for and given back, by whom or what it may be: a request, the clock, a pull request that was closed.
import { toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { ClonesDefinition } from '../../pipeline/definition.js';
import type { CloneRow, Transaction } from '../../systems/metadata/metadata.js';
import { requestErrand } from '../errands/errands.js';

interface Place {
  readonly pipeline: string;
  readonly clones: ClonesDefinition;
}

type Written = Readonly<Record<string, unknown>>;

/** Which pipeline's target it is: the one that is named, or that of all that name the Environment. Throws RESOURCE_UNKNOWN, CLONES_NOT_DECLARED. */
export async function findPlace({ documents }: Transaction, environment: string, named?: string): Promise<Place> {
  const pipelines = (await documents.list('Pipeline', 10_000)).filter(({ document }) => toEnvironment(document as Written) === environment);
  const chosen = named === undefined ? pipelines[0] : pipelines.find(({ name }) => name === named);
  if (!chosen) throw toError('RESOURCE_UNKNOWN', { type: named === undefined ? 'environment' : 'pipeline' });
  const inline = pipelines.some(({ document }) => typeof (document as Written)['target'] !== 'string');
  if (named === undefined && pipelines.length > 1 && inline)
    throw toError('REQUEST_INVALID', { name: 'pipeline', expected: pipelines.map(({ name }) => name).join(' or ') });
  const { target } = chosen.document as Written;
  const place = typeof target === 'string' ? (await documents.find({ kind: 'Environment', name: target }))?.document : target;
  const clones = (place as Written | undefined)?.['clones'] as Partial<ClonesDefinition> | undefined;
  if (!clones) throw toError('CLONES_NOT_DECLARED', { name: environment });
  return { pipeline: chosen.name, clones: { max: 10, hours: 24, ...clones } };
}

/** One of a document, or of a pipeline that says it all itself. Throws RESOURCE_UNKNOWN. */
export async function requireEnvironment({ documents }: Transaction, environment: string): Promise<void> {
  if (await documents.find({ kind: 'Environment', name: environment })) return;
  const pipelines = await documents.list('Pipeline', 10_000);
  if (!pipelines.some(({ document }) => toEnvironment(document as Written) === environment))
    throw toError('RESOURCE_UNKNOWN', { type: 'environment' });
}

function toEnvironment({ target }: Written): unknown {
  return typeof target === 'string' ? target : (target as Written | undefined)?.['environment'];
}

export interface Giving {
  readonly nowMs: number;
  readonly why: 'asked' | 'expired' | 'closed' | 'again';
  /** A person's id; absent: the service itself. */
  readonly actor?: string;
}

/** MUST be given a row that is locked. What is being made is dropped once it has been. */
export async function giveBack(transaction: Transaction, row: CloneRow, { nowMs, why, actor }: Giving): Promise<void> {
  const { id, environment, purpose, pipeline, requestedBy } = row;
  const data = { clone: id, environment, for: purpose, why };
  if (why !== 'again')
    await transaction.audit({ type: 'clone.drop-requested', at: toTimestamp(nowMs), ...(actor === undefined ? {} : { actor }), data });
  if (row.state === 'making') return transaction.clones.unwanted(id);
  await transaction.clones.dropping(id);
  const asked = { kind: 'unclone', pipeline, requestedBy: actor ?? requestedBy, nowMs, clone: id } as const;
  await requestErrand(transaction, asked, () => undefined);
}

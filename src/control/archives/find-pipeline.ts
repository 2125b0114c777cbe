// Which pipeline makes the archives of an environment: the one that says so, by itself or by the Environment document that it names.
import { toError } from '../../kernel/errors.js';
import type { PipelineDocument, TargetDefinition } from '../../pipeline/definition.js';
import type { Transaction } from '../../systems/metadata/metadata.js';

const PAGE = 200;

/** Throws RESOURCE_UNKNOWN where none does, and REQUEST_INVALID where several do and none of them is named. */
export async function findArchivePipeline({ documents }: Transaction, environment: string, named?: string): Promise<string> {
  const place = (await documents.find({ kind: 'Environment', name: environment }))?.document as Pick<TargetDefinition, 'file'> | undefined;
  const found: string[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await documents.list('Pipeline', PAGE, after);
    for (const { name, document } of page) {
      const { target } = document as Pick<PipelineDocument, 'target'>;
      const writes = typeof target === 'string' ? target === environment && place?.file : target.environment === environment && target.file;
      if (writes) found.push(name);
    }
    after = page.length === PAGE ? page.at(-1)?.name : undefined;
  }
  const meant = named === undefined ? found : found.filter((name) => name === named);
  const [only, ...others] = meant;
  if (only === undefined) throw toError('RESOURCE_UNKNOWN', { type: 'archive' });
  if (others.length > 0) throw toError('REQUEST_INVALID', { name: 'pipeline', expected: `one of ${meant.slice(0, 20).join(', ')}` });
  return only;
}

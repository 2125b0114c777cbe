// The door of /v1/watches: what the log is watched for, by the documents that say so and by what holds without them.
import { Controller, Inject } from '@nestjs/common';

import type { WatchDefinition } from '../../pipeline/definition.js';
import { type Watch, type WatchRule, defaultWatches } from '../../pipeline/watch.js';
import { Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/watches')
export class WatchesController extends DocumentsController {
  protected readonly kind = 'Watch';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

export function toWatch({ kind: _, name, off, ...said }: WatchDefinition): Watch {
  return { ...defaultWatches[name], ...said, on: off === undefined };
}

export async function readWatches({ documents }: Transaction): Promise<Readonly<Record<WatchRule, Watch>>> {
  // There are no more than rules. Each was held to its form when it was applied.
  const found = await documents.list('Watch', 200);
  return { ...defaultWatches, ...Object.fromEntries(found.map(({ name, document }) => [name, toWatch(document as WatchDefinition)])) };
}

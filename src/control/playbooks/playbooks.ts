// The door of /v1/playbooks: documents; those that come with the release are there without one.
import { Controller, Inject } from '@nestjs/common';

import { EVIDENCE_HOURS, type Playbook, shippedPlaybooks } from '../../pipeline/playbook.js';
import { Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/playbooks')
export class PlaybooksController extends DocumentsController {
  protected readonly kind = 'Playbook';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

/** `version`: 0 of one that comes with the release. Undefined: there is none. */
export async function findPlaybook(
  { documents }: Transaction,
  name: string,
): Promise<{ readonly playbook: Playbook; readonly version: number } | undefined> {
  const found = await documents.find({ kind: 'Playbook', name });
  // It was held to its form when it was applied.
  if (found) {
    const { steps, evidenceHours = EVIDENCE_HOURS } = found.document as Omit<Playbook, 'evidenceHours'> & Partial<Playbook>;
    return { playbook: { name, steps, evidenceHours }, version: found.version };
  }
  const shipped = Object.hasOwn(shippedPlaybooks, name) ? shippedPlaybooks[name] : undefined;
  return shipped && { playbook: shipped, version: 0 };
}

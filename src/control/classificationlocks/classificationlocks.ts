// The door of /v1/classificationlocks.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/classificationlocks')
export class ClassificationLocksController extends DocumentsController {
  protected readonly kind = 'ClassificationLock';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

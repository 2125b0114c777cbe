// The door of /v1/pipelines.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/pipelines')
export class PipelinesController extends DocumentsController {
  protected readonly kind = 'Pipeline';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

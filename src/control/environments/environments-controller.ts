// /v1/environments: the documents.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/environments')
export class EnvironmentsController extends DocumentsController {
  protected readonly kind = 'Environment';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

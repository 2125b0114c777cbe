// The door of /v1/classifications.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/classifications')
export class ClassificationsController extends DocumentsController {
  protected readonly kind = 'Classification';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

// The door of /v1/rulebooks.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/rulebooks')
export class RulebooksController extends DocumentsController {
  protected readonly kind = 'Rulebook';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

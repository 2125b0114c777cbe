// The door of /v1/organisations.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/organisations')
export class OrganisationsController extends DocumentsController {
  protected readonly kind = 'Organisation';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

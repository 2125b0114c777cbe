// The door of /v1/connections.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/connections')
export class ConnectionsController extends DocumentsController {
  protected readonly kind = 'Connection';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

// The door of /v1/channels.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

@Controller('v1/channels')
export class ChannelsController extends DocumentsController {
  protected readonly kind = 'Channel';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

// The door of /v1/issuers, and of who comes by an identity token.
import { Controller, Inject } from '@nestjs/common';

import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';

export { IdentityLogin } from './identity-login.js';
export { findTrustedPeople } from './trusted-people.js';

@Controller('v1/issuers')
export class IssuersController extends DocumentsController {
  protected readonly kind = 'Issuer';

  constructor(@Inject(Metadata) protected readonly metadata: Metadata) {
    super();
  }
}

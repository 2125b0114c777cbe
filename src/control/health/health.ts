// The door of health: is the process there, and can it work? Without a token and without detail.
import { Controller, Inject } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { Route } from '../http/http.js';

const answer: Schema = { type: 'object', required: ['status'], properties: { status: { const: 'ok' } } };

@Controller('v1/health')
export class HealthController {
  constructor(@Inject(Metadata) private readonly metadata: Metadata) {}

  @Route({ method: 'GET', path: 'live', needs: 'open', summary: 'the process is there', answer })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Route({ method: 'GET', path: 'ready', needs: 'open', summary: 'the process can work: the metadata database answers', answer })
  async ready(): Promise<{ status: 'ok' }> {
    await this.metadata.query('SELECT 1');
    return { status: 'ok' };
  }
}

// GET /metrics: with a token on the API, where it also tells of the caller's workspace; without one on a worker, of the process alone.
import { Controller, Inject, Req, Res } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { type Request, type Response, Route, SETTINGS, callerOf } from '../http/http.js';
import { ProcessMetrics } from './process-metrics.js';
import { workspaceMetrics } from './workspace-metrics.js';

const answer: Schema = { type: 'string', description: 'Prometheus text format 0.0.4' };
const answerType = 'text/plain; version=0.0.4; charset=utf-8';

@Controller()
export class MetricsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(ProcessMetrics) private readonly metrics: ProcessMetrics,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({ method: 'GET', path: 'metrics', needs: 'metrics:read', summary: 'metrics of the process and the workspace', answerType, answer })
  async read(@Req() request: Request, @Res() response: Response): Promise<void> {
    const ofWorkspace = await workspaceMetrics(this.metadata, callerOf(request).workspaceId, 2 * this.settings.BAUTA_HEARTBEAT_MS);
    response.type(answerType).send((await this.metrics.registry.metrics()) + ofWorkspace);
  }
}

@Controller()
export class WorkerMetricsController {
  constructor(@Inject(ProcessMetrics) private readonly metrics: ProcessMetrics) {}

  @Route({ method: 'GET', path: 'metrics', needs: 'open', summary: 'metrics of the process', answerType, answer })
  async read(@Res() response: Response): Promise<void> {
    response.type(answerType).send(await this.metrics.registry.metrics());
  }
}

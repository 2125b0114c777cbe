// The door of health. Without a token and without detail: is the process there, and can it work? With a token: which part of the whole is not well.
import { Controller, Inject, Req } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { Metadata, type Observation } from '../../systems/metadata/metadata.js';
import { type Request, Route, SETTINGS, callerOf } from '../http/http.js';

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

const status: Schema = { enum: ['ok', 'degraded'] };
const count: Schema = { type: 'integer', minimum: 0 };
const seconds: Schema = { type: 'number', minimum: 0 };
const part = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  required: ['status', ...Object.keys(properties)],
  properties: { status, ...properties },
});
const parts: Readonly<Record<string, Schema>> = {
  metadata: part({ milliseconds: seconds, sessions: count, waiting: count }),
  workers: part({ heard: count, silent: count }),
  queue: part({ depth: count, oldestSeconds: seconds }),
  audit: part({ outbox: count, oldestSeconds: seconds }),
  events: part({ waiting: count, oldestSeconds: seconds }),
};
const detail: Schema = { type: 'object', required: ['status', ...Object.keys(parts)], properties: { status, ...parts } };

/** What waits longer than this waits for something that is not there. */
const LATE_SECONDS = 60;
/** A broker that is away for a moment is no news. */
const LATE_EVENT_SECONDS = 300;

@Controller('v1/health')
export class HealthDetailController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({ method: 'GET', needs: 'health:read', summary: 'each part of the service with its own state', answer: detail })
  async read(@Req() request: Request): Promise<object> {
    const startedAt = performance.now();
    const observed = await this.metadata.observe(callerOf(request).workspaceId, 2 * this.settings.BAUTA_HEARTBEAT_MS);
    return toHealth(observed, performance.now() - startedAt, this.metadata.sessions());
  }
}

export function toHealth(
  observed: Observation,
  milliseconds: number,
  sessions: { readonly open: number; readonly waiting: number },
): object {
  const { workers, silentWorkers, queued, oldestQueuedSeconds, outbox, oldestOutboxSeconds, events } = observed;
  const say = (well: boolean): 'ok' | 'degraded' => (well ? 'ok' : 'degraded');
  const waiting = events.reduce((most, stream) => Math.max(most, stream.waiting), 0);
  const oldestEventSeconds = events.reduce((most, stream) => Math.max(most, stream.oldestSeconds), 0);
  const told = {
    metadata: {
      status: say(sessions.waiting === 0),
      milliseconds: Math.round(milliseconds),
      sessions: sessions.open,
      waiting: sessions.waiting,
    },
    workers: { status: say(workers > 0 && silentWorkers === 0), heard: workers, silent: silentWorkers },
    queue: { status: say(oldestQueuedSeconds < LATE_SECONDS), depth: queued, oldestSeconds: Math.round(oldestQueuedSeconds) },
    audit: { status: say(oldestOutboxSeconds < LATE_SECONDS), outbox, oldestSeconds: Math.round(oldestOutboxSeconds) },
    // Of the stream that is furthest behind; where none is published, none is.
    events: { status: say(oldestEventSeconds < LATE_EVENT_SECONDS), waiting, oldestSeconds: Math.round(oldestEventSeconds) },
  };
  return { status: say(Object.values(told).every((one) => one.status === 'ok')), ...told };
}

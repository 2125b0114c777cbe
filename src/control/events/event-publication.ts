// Publishes the log: of all processes the one that has the lease, stream by stream, from the place that the metadata database knows. The place is moved
// after what lies before it was taken; so nothing is left out, and what is sent twice has the same number and the same bytes.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Settings } from '../../config/settings.js';
import { toError, toKnownError } from '../../kernel/errors.js';
import { packageFile } from '../../kernel/package-root.js';
import type { HttpClient } from '../../systems/http/http.js';
import { EventPublisher, resolveBroker, toLineageRecord } from '../../systems/kafka/kafka.js';
import type { EventStream, Metadata } from '../../systems/metadata/metadata.js';
import { readReference } from '../home.js';
import { Rounds } from '../rounds.js';
import { type EventWindow, readWindow } from './event-window.js';

export interface EventPublicationOptions {
  readonly metadata: Metadata;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly http: Pick<HttpClient, 'send'>;
  /** Told of every failure by code; it goes on by itself. */
  readonly failed: (error: unknown) => void;
  /** For tests: how long is waited after the first failure. */
  readonly firstWaitMs?: number;
  readonly leaseMs?: number;
}

const LEASE_MS = 30_000;
const LONGEST_WAIT_MS = 60_000;

/** Undefined: this process publishes nothing. */
export function openEventPublication(options: EventPublicationOptions): EventPublication | undefined {
  const streams = toStreams(options.settings);
  return streams.length === 0 || options.settings.BAUTA_EVENTS_MS === 0 ? undefined : new EventPublication(options, streams);
}

function toStreams({ BAUTA_EVENTS: wanted, BAUTA_EVENTS_BROKER: broker, BAUTA_EVENTS_LINEAGE_URL: url }: Settings): readonly EventStream[] {
  return (wanted.split(',') as EventStream[]).filter((stream) => broker !== '' || (stream === 'lineage' && url !== ''));
}

export class EventPublication {
  private readonly holder = randomUUID();
  private readonly publisher: EventPublisher;
  private readonly rounds: Rounds;
  private readonly version: string;
  /** Streams that wait after a failure. */
  private readonly resting = new Map<EventStream, { readonly failures: number; readonly untilMs: number }>();
  private stopped = false;

  constructor(
    private readonly options: EventPublicationOptions,
    private readonly streams: readonly EventStream[],
  ) {
    const { settings, environment } = options;
    const { BAUTA_EVENTS_BROKER: reference, BAUTA_EVENTS_REPLICATION: replication } = settings;
    const read = (one: string): Promise<string> => Promise.resolve(readReference(one, environment));
    this.publisher = new EventPublisher(async () => resolveBroker(reference, await read(reference), read), {
      ...{ prefix: settings.BAUTA_EVENTS_PREFIX, partitions: settings.BAUTA_EVENTS_PARTITIONS },
      ...(replication === 0 ? {} : { replication }),
      retentionMs: settings.BAUTA_EVENTS_DAYS * 86_400_000,
    });
    ({ version: this.version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string });
    this.rounds = new Rounds(() => this.lookOnce(), settings.BAUTA_EVENTS_MS, options.failed);
  }

  /** Everything there is to publish now, as far as it is taken. Never throws. */
  look(): Promise<void> {
    return this.rounds.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.rounds.stop();
    await this.publisher.close();
    await this.options.metadata.takeEventLease(this.holder, 0).catch(this.options.failed);
  }

  private async lookOnce(): Promise<void> {
    const { metadata } = this.options;
    const streams = this.streams.filter((stream) => (this.resting.get(stream)?.untilMs ?? 0) <= Date.now());
    if (streams.length === 0 || !(await this.hold())) return;
    for (const { workspaceId, stream } of await metadata.findUnpublished(streams)) {
      const rests = (this.resting.get(stream)?.untilMs ?? 0) > Date.now();
      if (!rests && !(await this.publishAll(workspaceId, stream))) return;
    }
  }

  private hold(): Promise<boolean> {
    return this.options.metadata.takeEventLease(this.holder, this.options.leaseMs ?? LEASE_MS);
  }

  /** False: another process publishes now, or nobody shall any more. */
  private async publishAll(workspaceId: string, stream: EventStream): Promise<boolean> {
    const { metadata } = this.options;
    try {
      const context = { workspace: await metadata.workspaceName(workspaceId), version: this.version };
      for (;;) {
        if (this.stopped || !(await this.hold())) return false;
        const window = await readWindow(metadata, workspaceId, stream, context);
        if (!window) break;
        if (window.lost > 0) this.options.failed(toError('EVENTS_NOT_PUBLISHED', { file: window.from.log, amount: 'the rest of the' }));
        const sent = await this.send(stream, window);
        const moved = await metadata.within(workspaceId, ({ events }) => events.advance(stream, this.holder, window.from, window.to, sent));
        if (!moved) return false;
      }
      this.resting.delete(stream);
    } catch (error) {
      await this.rest(workspaceId, stream, error);
    }
    return true;
  }

  /** How many events it was. */
  private async send(stream: EventStream, { records, checkpoint, lineage }: EventWindow): Promise<number> {
    if (stream !== 'lineage') {
      await this.publisher.send(stream, records);
      if (checkpoint) await this.publisher.send('audit.checkpoints', [checkpoint]);
      return records.length;
    }
    const { BAUTA_EVENTS_LINEAGE_URL: url } = this.options.settings;
    const events = lineage.flatMap(({ place, events: told }) => told.map((event, part) => ({ place, event, part })));
    if (url === '')
      await this.publisher.send(
        'lineage',
        events.map(({ place, event, part }) => toLineageRecord(place, part, event)),
      );
    else for (const { event } of events) await this.post(url, JSON.stringify(event));
    return events.length;
  }

  /** As OpenLineage's own clients do. */
  private async post(url: string, body: string): Promise<void> {
    const { settings, environment, http } = this.options;
    const { BAUTA_EVENTS_LINEAGE_TOKEN: token } = settings;
    const authorization = token === '' ? {} : { Authorization: `Bearer ${readReference(token, environment)}` };
    const headers = { 'Content-Type': 'application/json', ...authorization };
    const { status } = await http.send({ method: 'POST', url, headers, body, limitBytes: 65_536 });
    if (status < 200 || status > 299) throw toError('EVENT_NOT_TAKEN', { name: new URL(url).host, amount: String(status) });
  }

  /** Longer each time: a broker that is away is asked once a minute in the end. */
  private async rest(workspaceId: string, stream: EventStream, error: unknown): Promise<void> {
    const { metadata, failed, firstWaitMs = 1000 } = this.options;
    const failures = (this.resting.get(stream)?.failures ?? 0) + 1;
    const waitMs = Math.min(firstWaitMs * 2 ** (failures - 1), LONGEST_WAIT_MS) * (0.75 + Math.random() / 4);
    this.resting.set(stream, { failures, untilMs: Date.now() + waitMs });
    failed(error);
    await metadata.within(workspaceId, ({ events }) => events.fail(stream, toKnownError(error).code)).catch(failed);
  }
}

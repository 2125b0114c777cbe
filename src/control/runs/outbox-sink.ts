// The log of a run that the service works on: into the outbox, from where it is sequenced, and into the worker's own log, as on the command line.
import type { Appended, Event } from '../../pipeline/event.js';
import type { AuditSink } from '../../pipeline/ports.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import type { RunObserver } from './run-observer.js';
import { toLine } from './to-line.js';

export class OutboxSink implements AuditSink {
  constructor(
    private readonly own: AuditSink,
    private readonly metadata: Metadata,
    private readonly workspaceId: string,
    private readonly observer: Pick<RunObserver, 'tell'>,
  ) {}

  async append(event: Event): Promise<Appended> {
    const { runId: run, stage, type, at, data } = event;
    await this.metadata.within(this.workspaceId, async (transaction) => {
      await transaction.audit({ type, at, data: { run, stage, ...data } });
      await transaction.runs.say(run, toLine(event));
    });
    const appended = await this.own.append(event);
    this.observer.tell(event);
    return appended;
  }

  sign(text: string): Promise<string> {
    return this.own.sign(text);
  }

  /** Erasable where the worker's own log is. */
  keep(text: string): Promise<string> {
    return this.own.keep(text);
  }

  read(types: readonly string[]): Promise<readonly Event[]> {
    return this.own.read(types);
  }

  close(): Promise<void> {
    return this.own.close();
  }
}

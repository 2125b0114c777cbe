// The log as an array, for tests of what writes into one: nothing is signed, and all of it is there at once.
import { toCommitment } from '../../src/pipeline/erasable.js';
import { toStanding } from '../../src/pipeline/audit/audit.js';
import type { Appended, Event } from '../../src/pipeline/event.js';
import type { AuditSink } from '../../src/pipeline/ports.js';

export class MemorySink implements AuditSink {
  readonly events: Event[] = [];

  append(event: Event): Promise<Appended> {
    this.events.push(event);
    const index = this.events.length - 1;
    return Promise.resolve({ index, checkpoint: { origin: 'memory', size: index + 1, root: '' } });
  }

  sign(): Promise<string> {
    return Promise.reject(new Error('nothing is signed here'));
  }

  keep(text: string): Promise<string> {
    return Promise.resolve(toCommitment(new Uint8Array(32), text));
  }

  read(types: readonly string[], runId?: string): Promise<readonly Event[]> {
    return Promise.resolve(this.events.filter((event) => types.includes(event.type) && (runId === undefined || event.runId === runId)));
  }

  standing(types: readonly string[]): Promise<readonly Event[]> {
    return Promise.resolve(toStanding(this.events).filter(({ type }) => types.includes(type)));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

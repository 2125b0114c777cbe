// Which version is current in each target, as the log tells it: of what stands there, the newest that was not rolled back from.
import type { LoggedEvent } from '../event.js';
import { type Cell, pick, textOf } from './populations/population.js';

export interface CurrentVersion {
  readonly environment: Cell;
  readonly target: Cell;
  readonly version: Cell;
  readonly run: string;
  /** RFC 3339 in UTC. */
  readonly publishedAt: string;
}

/** `toVersion`: what is to be known of a version beside that, taken when it is published. */
export class Current<T extends CurrentVersion = CurrentVersion> {
  /** By environment and target. */
  readonly #current = new Map<string, T>();
  /** By run: all that were not dropped. */
  readonly #published = new Map<string, T>();

  constructor(private readonly toVersion: (logged: LoggedEvent) => T) {}

  take(logged: LoggedEvent): void {
    const { type, data } = logged.event;
    if (/^dataset\.published\.(done|completed)$/.test(type)) this.#publish(this.toVersion(logged));
    else if (/^dataset\.dropped\.(done|completed)$/.test(type)) this.#drop(textOf(data, 'run') ?? '');
    else if (/^dataset\.rolled-back\.(done|completed)$/.test(type)) this.#rollBack(data);
  }

  list(): readonly T[] {
    return [...this.#current.values()];
  }

  #publish(version: T): void {
    this.#published.set(version.run, version);
    this.#current.set(keyOf(version), version);
  }

  #drop(run: string): void {
    const version = this.#published.get(run);
    if (!version) return;
    this.#published.delete(run);
    if (this.#current.get(keyOf(version))?.run === run) this.#current.delete(keyOf(version));
  }

  /** The newest before it that is still there is current again. */
  #rollBack(data: LoggedEvent['event']['data']): void {
    const there = this.list().filter((one) => one.environment === data['environment'] && one.version === data['from']);
    const from = there.find((one) => one.target === data['target']) ?? there[0];
    if (!from) return;
    const before = [...this.#published.values()].findLast(
      (one) => keyOf(one) === keyOf(from) && Number(one.version) < Number(from.version),
    );
    if (before) this.#current.set(keyOf(from), before);
    else this.#current.delete(keyOf(from));
  }
}

export const toCurrentVersion = ({ event: { at, runId, data } }: LoggedEvent): CurrentVersion => ({
  ...{ environment: pick(data, 'environment'), target: pick(data, 'target'), version: pick(data, 'version') },
  ...{ run: runId, publishedAt: at },
});

const keyOf = ({ environment, target }: Pick<CurrentVersion, 'environment' | 'target'>): string => JSON.stringify([environment, target]);

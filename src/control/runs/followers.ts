// Those who follow a run over the service: what it tells is kept for them, in its order. No run waits for it, and none fails by it: what they miss
// stands in the summary as well.
import { type Told, toToldJson } from '../../pipeline/told.js';
import type { Metadata, RunRow } from '../../systems/metadata/metadata.js';

export class Followers {
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly metadata: Metadata,
    private readonly run: Pick<RunRow, 'id' | 'workspaceId' | 'attempt'>,
  ) {}

  tell(told: Told): void {
    const { id, workspaceId, attempt } = this.run;
    this.last = this.last
      .then(() => this.metadata.within(workspaceId, ({ runs }) => runs.tell(id, attempt, toToldJson(told))))
      .catch(() => undefined);
  }

  /** When everything that was told is kept. */
  async heard(): Promise<void> {
    await this.last;
  }
}

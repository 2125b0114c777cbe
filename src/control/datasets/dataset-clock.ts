// Published versions grow old: they expire, and are due to be compared with what they were made from. Every process looks; the row's lock lets one
// of them tell it.
import type { Settings } from '../../config/settings.js';
import type { Clock } from '../../kernel/clock.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import { Rounds, forEach } from '../rounds.js';
import { toDataLook, toDriftLook, toExpiry } from '../runs/runs.js';

const LOOK_MS = 30_000;
const AGAIN_MS = 10 * 60_000;

export interface DatasetClockOptions {
  readonly metadata: Metadata;
  readonly settings: Pick<Settings, 'BAUTA_EXPIRING_DAYS' | 'BAUTA_DRIFT_MINUTES' | 'BAUTA_ROWS_MINUTES'>;
  readonly clock: Clock;
  /** Told of every failure; the next look tries again. */
  readonly failed: (error: unknown) => void;
}

interface Found {
  readonly workspace_id: string;
  readonly run_id: string;
}

export class DatasetClock {
  private readonly rounds: Rounds;

  constructor(private readonly options: DatasetClockOptions) {
    this.rounds = new Rounds(() => this.look(), LOOK_MS, options.failed);
  }

  async look(): Promise<void> {
    const now = new Date(this.options.clock.now());
    await this.tellExpiry(now);
    await this.askForDrops(now);
    if (this.options.settings.BAUTA_DRIFT_MINUTES > 0) await this.askForLooks(now);
    if (this.options.settings.BAUTA_ROWS_MINUTES > 0) await this.askForRows(now);
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async tellExpiry(now: Date): Promise<void> {
    const { metadata, settings, failed } = this.options;
    const found = await metadata.query<Found>('SELECT workspace_id, run_id FROM bauta.find_expiring_datasets($1, $2)', [
      ...[now, settings.BAUTA_EXPIRING_DAYS],
    ]);
    await forEach(found, failed, ({ workspace_id, run_id }) =>
      metadata.within(workspace_id, ({ datasets }) => datasets.tellExpiry(run_id, now)),
    );
  }

  /** What is in the way may go: it is asked for again and again. */
  private async askForDrops(now: Date): Promise<void> {
    const { metadata, failed } = this.options;
    const since = new Date(now.getTime() - AGAIN_MS);
    const found = await metadata.query<Found>('SELECT workspace_id, run_id FROM bauta.find_expired_datasets($1, $2)', [now, since]);
    await forEach(found, failed, ({ workspace_id, run_id }) =>
      metadata.within(workspace_id, async (transaction) => {
        const run = await transaction.runs.find(run_id);
        if (run && (await transaction.datasets.askForDrop(run_id, now, since))) await transaction.run(toExpiry(workspace_id, run));
      }),
    );
  }

  /** A worker looks: only workers hold connections. */
  private async askForLooks(now: Date): Promise<void> {
    const { metadata, settings, failed } = this.options;
    const since = new Date(now.getTime() - settings.BAUTA_DRIFT_MINUTES * 60_000);
    const found = await metadata.query<Found>('SELECT workspace_id, run_id FROM bauta.find_unlooked_datasets($1)', [since]);
    await forEach(found, failed, ({ workspace_id, run_id }) =>
      metadata.within(workspace_id, async (transaction) => {
        const run = await transaction.runs.find(run_id);
        if (run && (await transaction.datasets.askForLook(run_id, now, since))) await transaction.run(toDriftLook(workspace_id, run));
      }),
    );
  }

  private async askForRows(now: Date): Promise<void> {
    const { metadata, settings, failed } = this.options;
    const since = new Date(now.getTime() - settings.BAUTA_ROWS_MINUTES * 60_000);
    const found = await metadata.query<Found>('SELECT workspace_id, run_id FROM bauta.find_unread_datasets($1)', [since]);
    await forEach(found, failed, ({ workspace_id, run_id }) =>
      metadata.within(workspace_id, async (transaction) => {
        const run = await transaction.runs.find(run_id);
        if (run && (await transaction.datasets.askForRows(run_id, now, since))) await transaction.run(toDataLook(workspace_id, run));
      }),
    );
  }
}

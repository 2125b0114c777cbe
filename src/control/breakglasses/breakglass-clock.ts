// Whose use nobody reviewed within five days is an exception, and is told once: an entry of the log, and channels. Every process looks.
import { toTimestamp } from '../../kernel/clock.js';
import { type LookingOptions, Rounds, forEach } from '../rounds.js';
import { reviewMs } from './breakglass-view.js';

const LOOK_MS = 60_000;

export class BreakglassClock {
  private readonly rounds: Rounds;

  constructor(private readonly options: LookingOptions) {
    this.rounds = new Rounds(() => this.look(), LOOK_MS, options.failed);
  }

  async look(): Promise<void> {
    const { metadata, clock, failed } = this.options;
    const now = new Date(clock.now());
    const found = await metadata.query<{ workspace_id: string; id: string }>('SELECT workspace_id, id FROM bauta.find_unreviewed($1)', [
      new Date(now.getTime() - reviewMs),
    ]);
    await forEach(found, failed, ({ workspace_id, id }) =>
      metadata.within(workspace_id, async (transaction) => {
        if (!(await transaction.breakglasses.tellUnreviewed(id, now))) return;
        const { gate, environment, service, commit } = (await transaction.breakglasses.find(id))!;
        const told = { breakglass: id, gate, environment, service };
        const at = toTimestamp(now.getTime());
        await transaction.audit({ type: 'breakglass.unreviewed', at, data: { ...told, commit } });
        await transaction.notifications.note({ type: 'breakglass.unreviewed', at, data: told });
      }),
    );
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }
}

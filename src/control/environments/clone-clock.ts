// Clones whose time is up are given back, and what a process that died left half made or half dropped is taken up again. Every process looks; the
// row's lock lets one of them do it.
import { toError, toErrorView } from '../../kernel/errors.js';
import { settleLost } from '../errands/errands.js';
import { type LookingOptions, Rounds, forEach } from '../rounds.js';
import { giveBack } from './ask-for-clone.js';

const LOOK_MS = 15_000;
/** Longer than a worker may take to begin (60 s) or be silent (30 s). */
const PATIENCE_MS = 65_000;

export class CloneClock {
  private readonly rounds: Rounds;

  constructor(private readonly options: LookingOptions) {
    this.rounds = new Rounds(() => this.look(), LOOK_MS, options.failed);
  }

  async look(): Promise<void> {
    const { metadata, clock, failed } = this.options;
    const nowMs = clock.now();
    const found = await metadata.query<{ workspace_id: string; id: string }>('SELECT workspace_id, id FROM bauta.find_due_clones($1, $2)', [
      ...[new Date(nowMs), new Date(nowMs - PATIENCE_MS)],
    ]);
    await forEach(found, failed, ({ workspace_id, id }) => this.takeUp(workspace_id, id, nowMs));
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async takeUp(workspace: string, id: string, nowMs: number): Promise<void> {
    await this.options.metadata.within(workspace, async (transaction) => {
      const row = await transaction.clones.find(id, 'FOR UPDATE');
      if (!row || row.endedAt) return;
      if (row.state === 'ready') {
        if (row.expiresAt && row.expiresAt.getTime() <= nowMs) await giveBack(transaction, row, { nowMs, why: 'expired' });
        return;
      }
      // Somebody was asked since we looked.
      if (row.askedAt.getTime() > nowMs - PATIENCE_MS) return;
      let open = 0;
      for (const errand of await transaction.errands.findOpen(id)) if (!(await settleLost(transaction, errand)).endedAt) open += 1;
      if (open > 0) return;
      if (row.state === 'making') await transaction.clones.fail(id, toErrorView(toError('ERRAND_ABANDONED')));
      const now = await transaction.clones.find(id);
      if (now?.state === 'dropping') await giveBack(transaction, now, { nowMs, why: 'again' });
    });
  }
}

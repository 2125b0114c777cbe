// What nobody decided in time, and what nobody used in time, ends. Every process looks; the row's lock lets one of them do it.
import type { Metadata } from '../../systems/metadata/metadata.js';
import { Rounds, forEach } from '../rounds.js';
import type { Consequences } from './consequences.js';

const LOOK_MS = 5000;

export class ApprovalExpiry {
  private readonly rounds: Rounds;

  /** `failed` is told of every failure; the next look tries again. */
  constructor(
    private readonly metadata: Metadata,
    private readonly consequences: Consequences,
    private readonly failed: (error: unknown) => void,
  ) {
    this.rounds = new Rounds(() => this.look(), LOOK_MS, failed);
  }

  async look(): Promise<void> {
    const found = await this.metadata.query<{ workspace_id: string; id: string }>(
      'SELECT workspace_id, id FROM bauta.find_expired_approvals()',
    );
    await forEach(found, this.failed, ({ workspace_id, id }) =>
      this.metadata.within(workspace_id, async (transaction) => {
        const approval = await transaction.approvals.lock(id);
        // Somebody was quicker.
        if (!['waiting', 'approved'].includes(approval.state)) return;
        await transaction.approvals.transition(approval, 'expired');
        await this.consequences[approval.kind].ended?.(transaction, approval, 'APPROVAL_EXPIRED');
      }),
    );
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }
}

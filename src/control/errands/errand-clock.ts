// What was begun and is at no end because its worker is gone is given to another one: a login or keys half changed wait for nobody to ask. Every process
// looks, at its start and again and again; the row's lock lets one of them do it.
import { toTimestamp } from '../../kernel/clock.js';
import type { ErrandKind, Transaction } from '../../systems/metadata/metadata.js';
import { type LookingOptions, Rounds, forEach } from '../rounds.js';
import { changing } from './find-errand.js';
import { SILENT_MS, WAIT_MS, requestAgain } from './request-errand.js';

const LOOK_MS = 15_000;
const kinds: readonly ErrandKind[] = ['secret-rotation', 'key-rotation', 'key-destruction'];

export class ErrandClock {
  private readonly rounds: Rounds;

  constructor(private readonly options: LookingOptions) {
    this.rounds = new Rounds(() => this.look(), LOOK_MS, options.failed);
    void this.rounds.run();
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  async look(): Promise<void> {
    const { metadata, failed } = this.options;
    const now = Date.now();
    const found = await metadata.query<{ workspace_id: string; id: string }>(
      'SELECT workspace_id, id FROM bauta.find_unfinished_errands($1, $2, $3)',
      [kinds, new Date(now - SILENT_MS), new Date(now - WAIT_MS)],
    );
    await forEach(found, failed, ({ workspace_id, id }) => metadata.within(workspace_id, (transaction) => this.takeUp(transaction, id)));
  }

  private async takeUp(transaction: Transaction, id: string): Promise<void> {
    const { errands } = transaction;
    const row = await errands.find(id);
    if (!row) return;
    const { connection } = (row.wanted ?? {}) as { readonly connection?: string };
    if (connection !== undefined) {
      // One that was asked for since goes on with what this one left.
      const other = await errands.findRotation(connection);
      if (other !== undefined && other !== id) return;
    }
    if (!(await errands.resume(id, WAIT_MS, SILENT_MS))) return;
    await requestAgain(transaction, row);
    const word = changing[row.kind] ?? row.kind;
    const data = { [word]: id, environment: row.environment, ...(connection === undefined ? {} : { connection }) };
    await transaction.audit({ type: `${word}.resumed`, at: toTimestamp(this.options.clock.now()), data });
  }
}

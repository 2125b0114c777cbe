// What was begun and is at no end because its worker is gone is given to another one: a login or keys half changed wait for nobody to ask. An erasure is
// not: whom it was about only that worker knew. It is told as failed, so that somebody asks again. Every process looks, at its start and again and again;
// the row's lock lets one of them do it.
import { toTimestamp } from '../../kernel/clock.js';
import type { ErrandKind, Transaction } from '../../systems/metadata/metadata.js';
import { type LookingOptions, Rounds, forEach } from '../rounds.js';
import { changing, settleLost } from './find-errand.js';
import { SILENT_MS, WAIT_MS, requestAgain } from './request-errand.js';

const LOOK_MS = 15_000;
const kinds: readonly ErrandKind[] = ['secret-rotation', 'key-rotation', 'key-destruction'];

export class ErrandClock {
  private readonly rounds: Rounds;
  /** Erasures that were silent at the last look. */
  private silent: ReadonlySet<string> = new Set();

  constructor(private readonly options: LookingOptions) {
    this.rounds = new Rounds(() => this.look(), LOOK_MS, options.failed);
    void this.rounds.run();
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  async look(): Promise<void> {
    const { metadata, failed } = this.options;
    const found = await this.find(kinds);
    await forEach(found, failed, ({ workspace_id, id }) => metadata.within(workspace_id, (transaction) => this.takeUp(transaction, id)));
    const silent = await this.find(['erase']);
    // A worker that could not be heard because the metadata database was away is heard before the next look.
    const lost = silent.filter(({ id }) => this.silent.has(id));
    this.silent = new Set(silent.map(({ id }) => id));
    await forEach(lost, failed, ({ workspace_id, id }) => metadata.within(workspace_id, (transaction) => settleLost(transaction, id)));
  }

  private find(of: readonly ErrandKind[]): Promise<readonly { readonly workspace_id: string; readonly id: string }[]> {
    const now = Date.now();
    return this.options.metadata.query('SELECT workspace_id, id FROM bauta.find_unfinished_errands($1, $2, $3)', [
      ...[of, new Date(now - SILENT_MS), new Date(now - WAIT_MS)],
    ]);
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

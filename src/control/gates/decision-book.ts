// Decisions with their records and their entries of the log: those that come while one group is written are the next group. Nobody is answered before
// the group is durable.
import { setTimeout as sleep } from 'node:timers/promises';

import type { AuditEvent, Deployment, Metadata, NewDecision } from '../../systems/metadata/metadata.js';

export interface Booked {
  readonly row: NewDecision;
  readonly event: AuditEvent;
  /** What stands by it from now on; absent: nothing does. */
  readonly deployment?: Deployment;
}

/** Where it stands in the log. */
export interface Place {
  readonly origin: string;
  readonly index: number;
}

interface Waiting extends Booked {
  readonly resolve: (place: Place | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const GROUP = 500;
/** For the log's signature; who asks may go on without its place. */
const PATIENCE_MS = 150;
const SHORTEST_MS = 4;

export class DecisionBook {
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly busy = new Set<string>();

  constructor(private readonly metadata: Metadata) {}

  /** Resolves when it is durable; undefined: it is, and the log has not signed it yet. */
  keep(workspaceId: string, booked: Booked): Promise<Place | undefined> {
    return new Promise((resolve, reject) => {
      this.waiting.set(workspaceId, [...(this.waiting.get(workspaceId) ?? []), { ...booked, resolve, reject }]);
      if (!this.busy.has(workspaceId)) void this.write(workspaceId);
    });
  }

  private async write(workspaceId: string): Promise<void> {
    this.busy.add(workspaceId);
    for (let all = this.take(workspaceId); all.length > 0; all = this.take(workspaceId)) {
      try {
        await this.metadata.within(workspaceId, async (transaction) => {
          await transaction.decisions.insert(all.map(({ row }) => row));
          await transaction.deployments.keep(all.flatMap(({ deployment }) => deployment ?? []));
          await transaction.auditAll(all.map(({ row, event }) => ({ event, key: row.key })));
        });
        // The next group does not wait for the places of this one.
        void this.place(workspaceId, all);
      } catch (error) {
        for (const { reject } of all) reject(error);
      }
    }
    this.busy.delete(workspaceId);
  }

  private take(workspaceId: string): readonly Waiting[] {
    const all = this.waiting.get(workspaceId) ?? [];
    this.waiting.set(workspaceId, all.slice(GROUP));
    return all.slice(0, GROUP);
  }

  private async place(workspaceId: string, all: readonly Waiting[]): Promise<void> {
    let left = all;
    try {
      for (let [passed, wait] = [0, SHORTEST_MS]; passed < PATIENCE_MS && left.length > 0; passed += wait, wait *= 2) {
        await sleep(wait);
        const keys = left.map(({ row }) => row.key);
        const found = await this.metadata.within(workspaceId, ({ log }) => log.places(keys));
        for (const { row, resolve } of left) if (found.has(row.key)) resolve(found.get(row.key));
        left = left.filter(({ row }) => !found.has(row.key));
      }
    } catch {
      // It is durable; where it stands can be asked for later.
    }
    for (const { resolve } of left) resolve(undefined);
  }
}

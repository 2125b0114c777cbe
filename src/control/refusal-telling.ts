// A bundle of one's own was refused, and the one before stays in force; or there is none, and nothing is decided. An entry of every workspace's log, word to the
// channels, and a count. Several replicas say it; a channel hears it once.
import { toTimestamp } from '../kernel/clock.js';
import { BautaError } from '../kernel/errors.js';
import type { Policy } from '../pipeline/ports.js';
import type { Metadata } from '../systems/metadata/metadata.js';
import type { Refused } from '../systems/opa/opa.js';
import type { ProcessMetrics } from './metrics/metrics.js';

export interface RefusalTellingOptions {
  readonly metadata: Metadata;
  readonly metrics: Pick<ProcessMetrics, 'refused'>;
  readonly question: 'provision' | 'deploy';
  /** Told when it could not be told; it stands in every decision all the same. */
  readonly failed: (error: unknown) => void;
}

export class RefusalTelling {
  /** Why it did not open the last time. */
  private closed: string | undefined;

  constructor(private readonly options: RefusalTellingOptions) {}

  /** Every question tries to open it anew: why it does not is told once. */
  async open(openPolicy: (onRefused: (refused: Refused) => void) => Promise<Policy>): Promise<Policy> {
    try {
      const policy = await openPolicy((refused) => this.tell(refused));
      this.closed = undefined;
      return policy;
    } catch (error) {
      if (error instanceof BautaError && error.code !== this.closed) {
        this.closed = error.code;
        this.tell({ error, digest: null, inForce: { revision: '', digest: '' } });
      }
      throw error;
    }
  }

  private tell(refused: Refused): void {
    this.options.metrics.refused(this.options.question, refused.error.code);
    this.note(refused).catch(this.options.failed);
  }

  private async note({ error, digest, inForce }: Refused): Promise<void> {
    const { metadata, question } = this.options;
    const data = { question, code: error.code, digest, inForce: { ...inForce } };
    const event = { type: 'policy.bundle-refused', at: toTimestamp(Date.now()), data };
    for (const { id } of await metadata.query<{ id: string }>('SELECT id FROM bauta.workspace'))
      await metadata.within(id, async (transaction) => {
        await transaction.audit(event);
        await transaction.notifications.note(event);
      });
  }
}

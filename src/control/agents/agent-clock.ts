// Agents are listened to: every few seconds where a token is open or a revocation has not been told, every half minute where one may speak. Every process
// looks; the row's lock lets one of them ask a worker.
import type { Clock } from '../../kernel/clock.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import { requestErrand } from '../errands/errands.js';

const LOOK_MS = 2000;
const SOON_MS = 4000;
const AGAIN_MS = 30_000;

export interface AgentClockOptions {
  readonly metadata: Metadata;
  readonly clock: Clock;
  /** Told of every failure; the next look tries again. */
  readonly failed: (error: unknown) => void;
}

export class AgentClock {
  private readonly timer: NodeJS.Timeout;
  private looking: Promise<void> | undefined;

  constructor(private readonly options: AgentClockOptions) {
    this.timer = setInterval(() => {
      this.looking ??= this.look()
        .catch(options.failed)
        .finally(() => (this.looking = undefined));
    }, LOOK_MS);
  }

  async look(): Promise<void> {
    const { metadata, clock, failed } = this.options;
    const nowMs = clock.now();
    const [soon, again] = [new Date(nowMs - SOON_MS), new Date(nowMs - AGAIN_MS)];
    const found = await metadata.query<{ workspace_id: string; environment: string }>(
      'SELECT workspace_id, environment FROM bauta.find_due_agents($1, $2)',
      [soon, again],
    );
    for (const { workspace_id, environment } of found) await this.ask(workspace_id, environment, nowMs, soon).catch(failed);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async ask(workspace: string, environment: string, nowMs: number, before: Date): Promise<void> {
    await this.options.metadata.within(workspace, async (transaction) => {
      const stream = await transaction.agents.stream(environment);
      if (!stream || !(await transaction.agents.askAgain(environment, new Date(nowMs), before))) return;
      const { pipeline, askedBy: requestedBy } = stream;
      await requestErrand(transaction, { kind: 'agents', pipeline, requestedBy, nowMs }, () => undefined);
    });
  }
}

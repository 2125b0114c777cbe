// Agents are listened to: every few seconds where a token is open or a revocation has not been told, every half minute where one may speak. Every process
// looks; the row's lock lets one of them ask a worker.
import { requestErrand } from '../errands/errands.js';
import { type LookingOptions, Rounds } from '../rounds.js';

/** How often is looked, and how long after the last question a worker is asked again. */
export interface AgentPace {
  readonly lookMs: number;
  readonly soonMs: number;
  readonly againMs: number;
}

const usualPace: AgentPace = { lookMs: 2000, soonMs: 4000, againMs: 30_000 };

export interface AgentClockOptions extends LookingOptions {
  readonly pace?: AgentPace;
}

export class AgentClock {
  private readonly rounds: Rounds;
  private readonly pace: AgentPace;

  constructor(private readonly options: AgentClockOptions) {
    this.pace = options.pace ?? usualPace;
    this.rounds = new Rounds(() => this.look(), this.pace.lookMs, options.failed);
  }

  async look(): Promise<void> {
    const { metadata, clock, failed } = this.options;
    const nowMs = clock.now();
    const [soon, again] = [new Date(nowMs - this.pace.soonMs), new Date(nowMs - this.pace.againMs)];
    const found = await metadata.query<{ workspace_id: string; environment: string }>(
      'SELECT workspace_id, environment FROM bauta.find_due_agents($1, $2)',
      [soon, again],
    );
    for (const { workspace_id, environment } of found) await this.ask(workspace_id, environment, nowMs, soon).catch(failed);
  }

  stop(): Promise<void> {
    return this.rounds.stop();
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

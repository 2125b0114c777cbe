// What is built after the data, several statements at a time, and some of it while other tables are still loaded.
import { type Finding, sortFindings } from '../../../kernel/errors.js';
import { type Statement, make } from './build-schema.js';
import type { SessionPool } from './session-pool.js';
import type { Session } from './session.js';

/** What was made before, and how it is told beside the next. */
export interface Steps {
  has(statement: Statement): boolean;
  add(session: Session, statement: Statement): Promise<void>;
}

export class Building {
  readonly #sessions: SessionPool;
  #steps: Steps | undefined;
  readonly #begun = new Map<Statement, Promise<Finding | undefined>>();
  /** A statement could not be tried: no other is. */
  #broken = false;

  constructor(sessions: SessionPool) {
    this.#sessions = sessions;
  }

  /** From now on what is made is told in the same transaction, and what was is not made again. */
  remember(steps: Steps): void {
    this.#steps = steps;
  }

  /** Begins with statements of the first phase. What comes of them is heard when that is made. */
  begin(statements: readonly Statement[]): void {
    for (const statement of statements) void this.#make(statement);
  }

  /** Makes all phases, one after the other, and ends its sessions. Stops after the first of which something could not be made. */
  async makeAll(phases: readonly (readonly Statement[])[], onProgress: (done: number, of: number) => void): Promise<readonly Finding[]> {
    const of = phases.reduce((sum, phase) => sum + phase.length, 0);
    let done = 0;
    try {
      for (const phase of phases) {
        // Later phases stand on this one: what is missing here would be found again there, under other names.
        const findings = await this.#makePhase(phase, () => onProgress(++done, of));
        if (findings.length > 0) return sortFindings(findings);
      }
      return [];
    } finally {
      await this.close();
    }
  }

  /** Returns what could not be made; throws when it could not try, and only when nothing is under way any more. */
  async #makePhase(phase: readonly Statement[], onDone: () => void): Promise<readonly Finding[]> {
    const making = phase.map(async (statement) => {
      const finding = await this.#make(statement);
      onDone();
      return finding;
    });
    const findings: Finding[] = [];
    for (const end of await Promise.allSettled(making)) {
      if (end.status === 'rejected') throw end.reason;
      if (end.value) findings.push(end.value);
    }
    return findings;
  }

  /** Ends its sessions, those at work too. */
  async close(): Promise<void> {
    await this.#sessions.close();
  }

  #make(statement: Statement): Promise<Finding | undefined> {
    const begun = this.#begun.get(statement);
    if (begun) return begun;
    const steps = this.#steps;
    const making = steps?.has(statement)
      ? Promise.resolve(undefined)
      : this.#sessions.use(async (session) => (this.#broken ? undefined : make(session, statement, steps)));
    // Heard of when the phase is made, or never if the run fails before.
    making.catch(() => (this.#broken = true));
    this.#begun.set(statement, making);
    return making;
  }
}

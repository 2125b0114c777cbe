// What the gates of a process share: the policy, in a thread that the first question starts; what reads evidence; and the book of decisions.
import type { ReadEvidence } from '../../pipeline/evidence-item.js';
import type { Policy } from '../../pipeline/ports.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import { AnswerMemory } from './answer-memory.js';
import { DecisionBook } from './decision-book.js';

export const GATE_DOORS = Symbol('gate doors');

export class GateDoors {
  readonly book: DecisionBook;
  readonly memory = new AnswerMemory();
  private policy: Promise<Policy> | undefined;

  /** `openPolicy`: asked for once, by the first decision. */
  constructor(
    metadata: Metadata,
    readonly readEvidence: ReadEvidence,
    private readonly openPolicy: () => Promise<Policy>,
  ) {
    this.book = new DecisionBook(metadata);
  }

  getPolicy(): Promise<Policy> {
    // What could not be opened is tried again by the next one.
    return (this.policy ??= this.openPolicy().catch((error: unknown) => {
      this.policy = undefined;
      throw error;
    }));
  }

  async close(): Promise<void> {
    const policy = await this.policy?.catch(() => undefined);
    await policy?.close();
  }
}

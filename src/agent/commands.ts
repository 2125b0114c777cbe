// What the service asks of versions that are published: back to the one before, and away with one.
import type { Json } from '../kernel/canonical-json.js';
import { toError } from '../kernel/errors.js';
import { findLeft, toAttestation } from '../pipeline/attestation.js';
import type { DatasetVersion, Target } from '../pipeline/ports.js';
import type { ControlMessage } from '../systems/kafka/kafka.js';
import { openTarget } from '../systems/postgres/postgres.js';
import type { AgentDoors } from './doors.js';

type Told = Readonly<Record<string, Json>>;

async function withTarget<T>({ connection, clock }: AgentDoors, work: (target: Target) => Promise<T>): Promise<T> {
  const target = openTarget({ connection, settings: {}, clock });
  try {
    return await work(target);
  } finally {
    await target.close();
  }
}

/** To the version that the message names: one that is current already is not left again, however often the message is read. */
export function rollBack(doors: AgentDoors, { version }: Pick<ControlMessage, 'version'>): Promise<Told> {
  return withTarget(doors, async (target) => {
    const current = (await target.datasets()).find(({ state }) => state === 'current');
    const back = version !== undefined && current?.version === version ? current : await target.rollback();
    if (version !== undefined && back.version !== version) {
      // Not the one that was meant: nobody asked for this.
      await target.rollback();
      throw toError('AGENT_ROLLBACK_OTHER', { name: back.target, amount: String(version), expected: String(back.version) });
    }
    return { version: back.version, database: back.target };
  });
}

/** Of a run: its version, or what is left of its staging; nothing there is no error. `keep`: a published one stays. `goesOn`: runs that are under way. */
export function dropVersion(
  doors: AgentDoors,
  runId: string,
  goesOn: ReadonlySet<string>,
  published: 'drop' | 'keep' | 'roll back' = 'drop',
): Promise<Told> {
  return withTarget(doors, async (target) => {
    const find = async (): Promise<DatasetVersion | undefined> => (await target.datasets()).find((one) => one.runId === runId);
    let version = await find();
    if (version?.state === 'staging' || !version) {
      const swept = await target.sweep(goesOn);
      return { dropped: [...swept] };
    }
    if (published === 'keep') throw toError('AGENT_PUBLISHED', { run: runId, amount: String(version.version) });
    const isOnly = !(await target.datasets()).some(({ state }) => state === 'previous');
    if (published === 'roll back' && version.state === 'current' && !isOnly) {
      await target.rollback();
      version = await find();
    }
    if (!version) return { dropped: [] };
    const steps = await target.dropSteps(version);
    const kept = await target.drop(runId, steps);
    const attestation = toAttestation({ steps, kept, seen: await target.seeDropped(steps), nowMs: doors.clock.now() });
    const left = findLeft(attestation);
    if (left.length > 0) throw toError('AGENT_NOT_DROPPED', { run: runId, expected: left.join(', ') });
    return { attestation: JSON.parse(JSON.stringify(attestation)) as Json };
  });
}

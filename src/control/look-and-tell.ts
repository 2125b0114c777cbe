// A person is looked for, and the log is told that somebody looked: by how many identifiers and in how many copies, never whom or what was found.
import type { Json } from '../kernel/canonical-json.js';
import { toTimestamp } from '../kernel/clock.js';
import { newRunId } from '../kernel/ids.js';
import { type Beyond, toDeclared } from '../pipeline/attestation.js';
import type { Reach } from '../pipeline/definition.js';
import type { Identifier } from '../pipeline/trace-person.js';
import { type LookIn, type LookedFor, lookForPerson } from './look-for-person.js';

// A type, so that it is JSON.
export type Reached = Pick<LookedFor, 'traced' | 'why'> & {
  readonly pipeline: string;
  readonly environment: string;
  readonly server: string;
  readonly target: string;
  readonly lookedAt: string;
  readonly identifiers: number;
  readonly beyond: Readonly<Record<Reach, Beyond>>;
};

export async function lookAndTell(of: LookIn, subject: readonly Identifier[], actor: string | undefined): Promise<Reached> {
  const { doors, request } = of;
  const { name: pipeline, target: definition } = request.pipeline.body;
  const { environment } = definition;
  const { traced, why } = await lookForPerson(of, subject);
  const { server, database: target } = await doors.target.place();
  const nowMs = doors.clock.now();
  const lookedAt = toTimestamp(nowMs);
  const place = { pipeline, environment, server, target };
  const data: Record<string, Json> = { ...place, identifiers: subject.length, copies: traced?.length ?? null };
  if (actor !== undefined) data['actor'] = actor;
  await doors.sink.append({ runId: newRunId(nowMs), stage: 'control', type: 'person.looked-for', at: lookedAt, data });
  return { ...place, lookedAt, identifiers: subject.length, traced, why, beyond: toDeclared(definition.declared, nowMs) };
}

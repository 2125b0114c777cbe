// What a run stands on once rows may move: a snapshot, staging, and which ranges are to load. New, or what an earlier attempt of it left behind: then
// both snapshot and staging are of that attempt, or neither is.
import type { Json } from '../kernel/canonical-json.js';
import type { Journal } from './audit/audit.js';
import type { Catalogue } from './catalogue.js';
import type { GateInput } from './decision.js';
import type { Plan } from './plan.js';
import type { HeldSnapshot, KeyProvider, Ranges, Snapshot, SourceScope, Staging, StagingRun } from './ports.js';
import { toOwnRanges } from './ranges.js';
import type { Doors, Run } from './run.js';

export interface Ground {
  readonly snapshot: Snapshot;
  readonly staging: Staging;
  readonly ranges: Ranges;
}

export interface GroundOf {
  readonly plan: Plan;
  readonly planDigest: string;
  /** To the gate. */
  readonly question: GateInput;
  readonly catalogue: Catalogue;
  readonly scope: SourceScope;
  /** Of the target, as the log calls it. */
  readonly place: Readonly<Record<string, Json>>;
}

/** Whoever works on the run can log into its staging: who has the key of its plan has this. */
export async function toStagingRun(keys: KeyProvider, plan: Plan, run: Pick<Run, 'id' | 'succession'>): Promise<StagingRun> {
  if (!run.succession) return { id: run.id };
  const secret = await keys.derive(['bauta/1', 'login of a run', run.id].join('\0'), plan.keyVersion);
  return { id: run.id, password: Buffer.from(secret).toString('base64url') };
}

/** What an earlier attempt left, as far as it can be gone on with; undefined, and nothing of it is left, where it cannot. */
export async function takeUp(
  doors: Doors,
  run: Run,
  journal: Journal,
  of: GroundOf,
  held: readonly HeldSnapshot[],
): Promise<Ground | undefined> {
  const { plan, planDigest, catalogue, scope, place } = of;
  if (held.length === 0 || !doors.target.adopt) return undefined;
  const adopted = await doors.target.adopt(plan, catalogue, await toStagingRun(doors.keys, plan, run), planDigest);
  if (!adopted) return undefined;
  const { staging, ranges, moment } = adopted;
  try {
    const snapshot = await doors.source.join(
      plan,
      scope,
      held.filter((one) => one.moment === moment),
    );
    if (snapshot) {
      const loaded = await ranges.findLoaded([...ranges.all.keys()]);
      await journal.append('deliver', 'staging.completed', { ...place, planDigest, ranges: ranges.all.length, loaded: loaded.length });
      await journal.append('extract', 'snapshot.joined', { catalogueDigest: plan.catalogueDigest });
      return { snapshot, staging, ranges };
    }
  } catch (error) {
    await staging.drop().catch(() => undefined);
    throw error;
  }
  await staging.drop();
  return undefined;
}

/** Ranges of a new staging: recorded in it where somebody may go on with them. */
export function toRanges(run: Pick<Run, 'succession'>, planDigest: string, snapshot: Snapshot, staging: Staging): Promise<Ranges> {
  if (!run.succession || !staging.record)
    return Promise.resolve(toOwnRanges(snapshot.ranges(), (table, batches, alone) => staging.load(table, batches, alone)));
  return staging.record({ moment: snapshot.held.moment, planDigest }, snapshot.ranges());
}

/** Stopped here, and going on elsewhere: what is there is left for that. Else nothing is left. */
export function letGo(run: Run, staging: Staging): Promise<void> {
  const goesOn = run.signal?.aborted === true && run.succession?.goesOn(run.signal.reason) === true;
  return goesOn && staging.leave ? staging.leave() : staging.drop();
}

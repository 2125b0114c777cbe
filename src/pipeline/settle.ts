// The next start gives every intent of a dead run its outcome, as it is found at the target: no intent stays without one.
import type { Clock } from '../kernel/clock.js';
import { toKnownError } from '../kernel/errors.js';
import { type OpenIntent, Journal, intentTypes, toOpenIntents } from './audit/audit.js';
import { type DropDoors, finishDrop } from './drop.js';
import type { AuditSink, DatasetVersion, Target } from './ports.js';

/** After `sweep`, so that nothing of a dead run is there any more but what it published. Returns how many it settled. */
export async function settle(doors: { readonly sink: AuditSink; readonly target: Target; readonly clock: Clock }): Promise<number> {
  const open = toOpenIntents(await doors.sink.standing(intentTypes));
  if (open.length === 0) return 0;
  const { server, database } = await doors.target.place();
  const here = open.filter(({ event: { data } }) => data['server'] === server && data['target'] === database);
  const alive = await doors.target.findAlive(here.map(({ event }) => event.runId));
  const dead = here.filter(({ event }) => !alive.has(event.runId));
  if (dead.length === 0) return 0;
  const datasets = await doors.target.datasets();
  const clones = await findClones(doors.target, dead);
  let stays = 0;
  for (const intent of dead) {
    const { runId, stage, data } = intent.event;
    if (intent.change === 'dataset.dropped') {
      if (!(await isFinished(doors, intent))) stays += 1;
      continue;
    }
    const outcome = isThere(intent, datasets, clones) ? 'completed' : 'undone';
    await new Journal(doors.sink, doors.clock, runId).append(stage, `${intent.change}.${outcome}`, data);
  }
  return dead.length - stays;
}

/** What is in the way of a drop is in nobody else's: its intent stays open, and is tried again by the next start. */
async function isFinished(doors: DropDoors, { event }: OpenIntent): Promise<boolean> {
  try {
    await finishDrop(doors, event);
    return true;
  } catch (error) {
    if (toKnownError(error).class !== 'UnavailableError') throw error;
    return false;
  }
}

/** Ids of the clones that are whole, once what is half made or half dropped is gone. */
async function findClones({ clones }: Target, dead: readonly OpenIntent[]): Promise<ReadonlySet<string>> {
  if (!clones || !dead.some(({ change }) => change.startsWith('clone.'))) return new Set();
  await clones.sweep();
  return new Set((await clones.list()).map(({ id }) => id));
}

function isThere({ change, event }: OpenIntent, datasets: readonly DatasetVersion[], clones: ReadonlySet<string>): boolean {
  if (change === 'clone.made') return clones.has(event.runId);
  if (change === 'clone.dropped') return !clones.has(event.runId);
  if (change === 'dataset.quarantined') return datasets.some(({ runId, closed }) => runId === event.data['run'] && closed !== undefined);
  if (change === 'dataset.rolled-back') return datasets.some(({ state, version }) => state === 'current' && version !== event.data['from']);
  return datasets.some(({ runId, state }) => runId === event.runId && state !== 'staging');
}

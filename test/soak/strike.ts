// One run through a broker that something is killed during.
import { type Started, pause } from '../support/small-shop.js';
import type { StreamWorld } from '../support/stream-world.js';

export interface Struck {
  /** After the start of the run. */
  readonly atMs: number;
  /** How long there was no broker; 0 where it was not the broker's turn. */
  readonly awayMs: number;
  /** What the run had said last. */
  readonly stage: string;
  /** Of the run that was under way. */
  readonly ended: number | string | null;
}

/** A run with nothing killed, in milliseconds: moments are drawn from it. */
export async function measureWhole(world: StreamWorld): Promise<number> {
  const startedAt = performance.now();
  await world.publish();
  return performance.now() - startedAt;
}

/** `kill` ends the victim, and has it again where it is not the run. `said`: all that the run said. */
export async function strike(
  world: StreamWorld,
  { atMs, isBroker }: { readonly atMs: number; readonly isBroker: boolean },
  kill: (run: Started) => Promise<void> | void,
): Promise<{ readonly struck: Struck; readonly said: string }> {
  const run = world.run();
  await pause(atMs);
  const stage = run.said().stderr.trimEnd().split('\n').at(-1) ?? '';
  const killedAt = performance.now();
  await kill(run);
  const awayMs = isBroker ? Math.round(performance.now() - killedAt) : 0;
  const { code, signal, stderr } = await run.ended;
  return { struck: { atMs, awayMs, stage, ended: code ?? signal }, said: stderr };
}

/** Who finds no broker at his start has begun nothing, and waits for none. */
export function hadBegun({ stage }: Struck, said: string): boolean {
  return stage !== '' || !said.includes('BROKER_UNREACHABLE');
}

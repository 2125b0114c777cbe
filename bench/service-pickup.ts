// How long a run that was asked for waits until an idle worker has it: from when its row was written, before the request was answered, until the
// worker wrote that it plans. Each run then fails at once, since nothing is behind its connection's name: what is measured is over by then.
import { setTimeout as sleep } from 'node:timers/promises';

import type { ServiceProcess } from './service-process.js';

export interface PickupFigures {
  readonly runs: number;
  readonly p50Ms: number;
  readonly maxMs: number;
}

export async function measurePickup({ ask, database }: ServiceProcess, runs: number): Promise<PickupFigures> {
  const waits: number[] = [];
  for (let i = 0; i < runs; i++) {
    const { id } = await ask('POST', '/v1/runs', JSON.stringify({ pipeline: 'shop-0' }));
    const hasEnded = async (): Promise<boolean> =>
      (await database.query('SELECT FROM bauta.run WHERE id = $1 AND ended_at IS NOT NULL', [id])).rowCount === 1;
    while (!(await hasEnded())) await sleep(20);
    const { rows } = await database.query<{ ms: number }>(
      `SELECT extract(epoch FROM p.at - q.at)::float8 * 1000 AS ms FROM bauta.run_event q JOIN bauta.run_event p USING (run_id)
       WHERE run_id = $1 AND q.state = 'queued' AND p.state = 'planning'`,
      [id],
    );
    if (rows.length !== 1) throw new Error(`run ${String(id)} was not planned once`);
    waits.push(rows[0]?.ms ?? Infinity);
    // At every phase of whatever the worker does by the clock.
    await sleep(100 + ((i * 37) % 200));
  }
  waits.sort((one, other) => one - other);
  return { runs, p50Ms: waits[Math.floor(runs / 2)] ?? 0, maxMs: waits.at(-1) ?? 0 };
}

// Clones made and removed in a loop: node dist-test/test/soak/clone-loop.js [CLONES]. Exit code 1: something was left behind.
import { readdirSync } from 'node:fs';

import { newRunId } from '../../src/kernel/ids.js';
import { readTraces, stage, startTargetWorld, toPlan } from '../support/target-world.js';

const clones = Number(process.argv[2] ?? 200);
const world = await startTargetWorld();
const target = world.target('shop');
const look = async (): Promise<string> => {
  const files = readdirSync(`${world.server.dataFolder}/base`).length;
  const sessions = await world.server.sql('postgres', `SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'bauta_target'`);
  return JSON.stringify({ ...(await readTraces(world.server)), files, sessions: sessions[0]?.['n'] });
};
try {
  await (await stage(target, toPlan({ clones: { max: 5, hours: 1 } }))).publish();
  const before = await look();
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const startedAt = performance.now();
  for (let made = 0; made < clones; made += 4) {
    const ids = Array.from({ length: Math.min(4, clones - made) }, () => newRunId(Date.now()));
    await Promise.all(ids.map((id, i) => target.clones.make({ id, for: `pr-${made + i}`, expiresAt, lastsUntil: expiresAt, max: 5 })));
    await Promise.all(ids.map((id) => target.clones.drop(id)));
  }
  const after = await look();
  process.stdout.write(
    `${clones} clones in ${Math.round((performance.now() - startedAt) / 100) / 10} s\nbefore ${before}\nafter  ${after}\n`,
  );
  process.exitCode = before === after ? 0 : 1;
} finally {
  await target.close();
  await world.server.stop();
}

// Changes the keys of a home and is killed at a place: before anything was done, in the middle of it, or when it was done and not told yet.
import { systemClock } from '../../src/kernel/clock.js';
import { destroyKeys, rotateKeys } from '../../src/pipeline/change-keys.js';
import type { KeyProvider } from '../../src/pipeline/ports.js';
import { FileAuditSink, openFileKeys } from '../../src/systems/files/files.js';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';

const [home = '', change = '', place = ''] = process.argv.slice(2);
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('it lives');
};
const root = join(home, 'keys');
const real = openFileKeys(root)({ purpose: 'masking', workspace: 'default', environment: 'dev' });
const killed: KeyProvider = Object.assign(Object.create(real) as KeyProvider, {
  rotate: async () => {
    if (place === 'before') die();
    await real.rotate();
    die();
  },
  destroyUpTo: async (version: number) => {
    if (place === 'before') die();
    // The tombstones are there, and none of the keys is gone yet.
    const tombstone = `${JSON.stringify({ destroyedAt: new Date().toISOString() })}\n`;
    if (place === 'middle') for (const n of [1, 2]) writeFileSync(join(root, 'masking', 'default', 'dev', `v${n}.destroyed`), tombstone);
    else await real.destroyUpTo(version);
    die();
  },
});
const doors = { keys: killed, sink: new FileAuditSink({ home, period: 'year' }), clock: systemClock };
const order = { runId: 'r-killed', actor: 'p-0000000000000000', reason: 'a test' };
await (change === 'rotate' ? rotateKeys(doors, order) : destroyKeys(doors, { ...order, upTo: 2 }));

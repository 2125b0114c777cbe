// Appends three events and is killed at its n-th step of writing: `node appending.child.js HOME N`. Says each event that it was promised.
import fs from 'node:fs';

import { killAtStep } from './killed-at-step.js';

const [home = '', kill = ''] = process.argv.slice(2);
const steps = await killAtStep(home, Number(kill));

const { FileAuditSink } = await import('../../src/systems/files/files.js');
const sink = new FileAuditSink({ home, period: 'year' });
for (const type of ['one', 'two', 'three']) {
  const data = type === 'two' ? { text: 'x'.repeat(20_000) } : {};
  await sink.append({ runId: 'r1', stage: 'deliver', type, at: '2026-11-21T08:00:00.000Z', data });
  fs.writeSync(1, `${type}\n`);
}
await sink.close();
fs.writeSync(1, `steps ${steps()}\n`);

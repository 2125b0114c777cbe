// Deletes the log of 2019, erases a text and a person, and is killed at its n-th step of writing: `node deleting.child.js HOME N ID COMMITMENT`.
import fs from 'node:fs';

import { killAtStep } from './killed-at-step.js';

const [home = '', kill = '', person = '', text = ''] = process.argv.slice(2);
const steps = await killAtStep(home, Number(kill));

const { FileAuditSink, deleteLog, eraseOne } = await import('../../src/systems/files/files.js');
const sink = new FileAuditSink({ home, period: 'year' });
const doors = { home, sink, clock: { now: () => Date.parse('2026-11-21T08:00:00.000Z') } };
const order = { actor: 'p-0000000000000000', reason: 'its time is over' };
await deleteLog(doors, { ...order, log: '2019', runId: 'd1', retentionDays: 365 });
await eraseOne(doors, { ...order, what: person, runId: 'e1' });
await eraseOne(doors, { ...order, what: text, runId: 'e2' });
await sink.close();
fs.writeSync(1, `steps ${steps()}\n`);

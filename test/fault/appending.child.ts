// Appends three events and is killed at its n-th step of writing: `node appending.child.js HOME N`. Says each event that it was promised.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [home = '', kill = ''] = process.argv.slice(2);
let steps = 0;

function step(): void {
  steps += 1;
  if (steps === Number(kill)) process.kill(process.pid, 'SIGKILL');
}

type Method = (this: unknown, ...given: unknown[]) => Promise<unknown>;

/** Killed before the step or, by the next number, after it. */
function watch(holder: object, name: string): void {
  const methods = holder as Record<string, Method>;
  const original = methods[name]!;
  methods[name] = async function (...given) {
    step();
    const made = await original.apply(this, given);
    step();
    return made;
  };
}

const handle = await fs.promises.open(home, 'r');
for (const name of ['writeFile', 'sync', 'datasync']) watch(Object.getPrototypeOf(handle) as object, name);
await handle.close();
for (const name of ['mkdir', 'open', 'rename', 'rm', 'unlink', 'writeFile']) watch(fs.promises, name);
syncBuiltinESMExports();

const { FileAuditSink } = await import('../../src/systems/files/files.js');
const sink = new FileAuditSink({ home, period: 'year' });
for (const type of ['one', 'two', 'three']) {
  const data = type === 'two' ? { text: 'x'.repeat(20_000) } : {};
  await sink.append({ runId: 'r1', stage: 'deliver', type, at: '2026-11-21T08:00:00.000Z', data });
  fs.writeSync(1, `${type}\n`);
}
await sink.close();
fs.writeSync(1, `steps ${steps}\n`);

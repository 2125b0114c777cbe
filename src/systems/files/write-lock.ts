// One writer at a time, among processes: a lock file that names its owner by machine, boot, process id and start time, so that a dead owner's
// counts for nothing. Node has no flock; each contender makes a file of its own and steps back when it sees another's, so that no file is ever taken
// away from under a living owner.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { toError } from '../../kernel/errors.js';
import { removeIfThere } from './durable.js';

const PATIENCE_MS = 10_000;
/** `lock.<machine>.<boot>.<pid>.<start>.<chance>`: the name is the content, so that no crash leaves half of it. */
const lockName = /^lock\.([0-9a-f]{8})\.([0-9a-f]{8})\.(\d+)\.(\d+)\.[0-9a-f]{8}$/;

/** Does the work while no other process (nor another lock of this one) has the folder. Throws AUDIT_LOCKED after ten seconds. */
export async function withWriteLock<T>(folder: string, work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const mine = `lock.${machine()}.${boot()}.${process.pid}.${startOf(process.pid) ?? 0}.${randomBytes(4).toString('hex')}`;
  const until = performance.now() + patienceMs;
  for (;;) {
    const owner = findOwner(folder, mine) ?? claim(folder, mine);
    if (owner === undefined) break;
    if (performance.now() > until) throw toError('AUDIT_LOCKED', { file: join(folder, owner), amount: `${patienceMs / 1000} s` });
    await sleep(5 + Math.random() * 20);
  }
  try {
    return await work();
  } finally {
    removeIfThere(join(folder, mine));
  }
}

/** Makes our file, and takes it back when somebody else made one meanwhile. Undefined: the folder is ours. */
function claim(folder: string, mine: string): string | undefined {
  writeFileSync(join(folder, mine), '', { flag: 'wx', mode: 0o600 });
  let owner: string | undefined;
  try {
    owner = findOwner(folder, mine);
  } catch (error) {
    removeIfThere(join(folder, mine));
    throw error;
  }
  if (owner !== undefined) unlinkSync(join(folder, mine));
  return owner;
}

/** The lock file of a living owner other than us. Those of the dead are removed: nobody makes one of the same name again. */
function findOwner(folder: string, mine: string): string | undefined {
  let living: string | undefined;
  for (const name of readdirSync(folder)) {
    const [, on = '', since = '', pid = '', start = ''] = lockName.exec(name) ?? [];
    if (pid === '' || name === mine) continue;
    // Of a process on another machine nothing is known but that it had the lock.
    if (on !== machine() || (since === boot() && isAlive(Number(pid), start))) living = name;
    else removeIfThere(join(folder, name));
  }
  return living;
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and is somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startOf(pid);
  return now === undefined || start === '0' || now === start;
}

/** When a process was started, in the kernel's ticks since the machine was: with it a process id that was given again is told apart. */
function startOf(pid: number): string | undefined {
  try {
    // The second field is the program's name in parentheses, which may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    // A process that has ended and waits to be seen by its parent (state Z) writes no more.
    return fields[0] === 'Z' ? 'ended' : fields[19];
  } catch {
    return undefined;
  }
}

const toName = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

function machine(): string {
  return toName(hostname());
}

let known: string | undefined;

/** This machine since it was last started: no owner from before lives on. */
function boot(): string {
  if (known === undefined) {
    try {
      known = toName(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1'));
    } catch {
      // Elsewhere than on Linux a process is told apart by its id alone.
      known = toName('');
    }
  }
  return known;
}

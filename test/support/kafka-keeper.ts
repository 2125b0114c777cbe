// Keeps the broker that the files of one Jest run share, and ends it, and itself, when the run has ended: jars, folder, process of the run.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { keepKafka } from './kafka.js';

const [jars = '', folder = '', runner = ''] = process.argv.slice(2);

const isThere = (): boolean => {
  try {
    return process.kill(Number(runner), 0);
  } catch {
    return false;
  }
};

try {
  const child = await keepKafka(jars, folder);
  child.once('exit', () => process.exit());
  setInterval(() => {
    if (isThere()) return;
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  }, 250);
} catch {
  writeFileSync(join(folder, 'failed'), '');
}

// For children that are killed at their n-th step of writing files: each step counts twice, before it and after it.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Work = (this: unknown, ...given: unknown[]) => unknown;

/** MUST be called before what is watched is imported. Gives how many steps there were; `kill` 0: never. */
export async function killAtStep(folder: string, kill: number): Promise<() => number> {
  let steps = 0;
  const step = (): void => {
    steps += 1;
    if (steps === kill) process.kill(process.pid, 'SIGKILL');
  };
  const watch = (holder: object, name: string): void => {
    const methods = holder as Record<string, Work>;
    const original = methods[name]!;
    methods[name] = function (...given) {
      step();
      const told = given.at(-1);
      // What calls back is over when it does.
      const heard: unknown[] =
        typeof told !== 'function' ? given : [...given.slice(0, -1), (...answer: unknown[]) => (step(), (told as Work)(...answer))];
      const made = original.apply(this, heard);
      if (made instanceof Promise) return made.finally(step);
      if (heard === given) step();
      return made;
    };
  };
  const handle = await fs.promises.open(folder, 'r');
  for (const name of ['writeFile', 'sync', 'datasync']) watch(Object.getPrototypeOf(handle) as object, name);
  await handle.close();
  for (const name of ['mkdir', 'open', 'rename', 'rm', 'unlink', 'writeFile']) watch(fs.promises, name);
  for (const name of ['mkdirSync', 'openSync', 'renameSync', 'rmSync', 'unlinkSync', 'writeFileSync', 'fsync', 'fdatasync'])
    watch(fs, name);
  syncBuiltinESMExports();
  return () => steps;
}

// For children that are killed at their n-th step of writing files: each step counts twice, before it and after it.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Method = (this: unknown, ...given: unknown[]) => Promise<unknown>;

/** MUST be called before what is watched is imported. Gives how many steps there were; `kill` 0: never. */
export async function killAtStep(folder: string, kill: number): Promise<() => number> {
  let steps = 0;
  const step = (): void => {
    steps += 1;
    if (steps === kill) process.kill(process.pid, 'SIGKILL');
  };
  const watch = (holder: object, name: string): void => {
    const methods = holder as Record<string, Method>;
    const original = methods[name]!;
    methods[name] = async function (...given) {
      step();
      const made = await original.apply(this, given);
      step();
      return made;
    };
  };
  const handle = await fs.promises.open(folder, 'r');
  for (const name of ['writeFile', 'sync', 'datasync']) watch(Object.getPrototypeOf(handle) as object, name);
  await handle.close();
  for (const name of ['mkdir', 'open', 'rename', 'rm', 'unlink', 'writeFile']) watch(fs.promises, name);
  syncBuiltinESMExports();
  return () => steps;
}

// A disk of a few hundred kilobytes, to be filled: a tmpfs, which only root on a machine of its own may mount.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TinyDisk {
  readonly folder: string;
  /** Leaves no byte free; `free` gives it all back. */
  fill(): void;
  free(): void;
  setReadOnly(readOnly: boolean): void;
  unmount(): void;
}

/**
 * Undefined where none can be mounted: said loudly, and allowed where everything else is required. A test that needs one MUST then be skipped by
 * name (`it.skip`), so that it counts as skipped.
 */
export function mountTinyDisk(what: string, kilobytes = 800): TinyDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bauta-tiny-disk-'));
  const mount = (...words: string[]): boolean => spawnSync('mount', [...words, 'tmpfs', folder]).status === 0;
  if (process.getuid?.() !== 0 || !mount('-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=777`)) {
    process.stderr.write(`SKIPPED: ${what}, because a tmpfs cannot be mounted here (needs root)\n`);
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const filler = join(folder, 'filler');
  return {
    folder,
    fill: () => {
      const { bavail, bsize } = statfsSync(folder);
      try {
        writeFileSync(filler, Buffer.alloc(bavail * bsize));
      } catch (error) {
        // Somebody else was writing: what was left is in the filler.
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
    free: () => rmSync(filler, { force: true }),
    setReadOnly: (readOnly) => {
      if (!mount('-o', `remount,${readOnly ? 'ro' : 'rw'}`)) throw new Error(`cannot remount ${folder}`);
    },
    unmount: () => {
      if (spawnSync('umount', [folder]).status !== 0) throw new Error(`cannot unmount ${folder}`);
      rmSync(folder, { recursive: true });
    },
  };
}

// Which break-glass was used on this machine: a file for each, there before anybody goes ahead, so that it is good for once also where no service can
// be asked; and what is still to be handed in.
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, writeFileSync, fsyncSync } from 'node:fs';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { removeIfThere, syncFolder, writeWhole } from './durable.js';

export interface KeptUse {
  /** Of the break-glass. */
  readonly id: string;
  /** Of the use. */
  readonly use: string;
  readonly gate: string;
  readonly environment: string;
  readonly service: string;
  readonly commit: string;
  readonly note: string;
  readonly usedAt: string;
  /** The service knows. */
  readonly handedIn: boolean;
}

const form = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json$/;

export class BreakglassRegister {
  private readonly folder: string;

  constructor(home: string) {
    this.folder = join(home, 'breakglass');
  }

  /** False: it was used here. Of two that claim it at the same moment one does. Throws HOME_UNWRITABLE: what cannot be remembered is not used. */
  async claim(use: KeptUse): Promise<boolean> {
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      const file = openSync(this.path(use.id), 'wx', 0o600);
      try {
        writeFileSync(file, `${JSON.stringify(use)}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      await syncFolder(this.folder);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw toError('HOME_UNWRITABLE', { file: this.folder });
    }
  }

  async settle(use: KeptUse): Promise<void> {
    await writeWhole(this.path(use.id), `${JSON.stringify({ ...use, handedIn: true })}\n`);
    await syncFolder(this.folder);
  }

  /** It was not used after all. */
  release(id: string): void {
    removeIfThere(this.path(id));
  }

  /** What the service is still to be told of. One that was claimed by a process that died is told as used: who knows. */
  pending(): readonly KeptUse[] {
    let names: readonly string[];
    try {
      names = readdirSync(this.folder);
    } catch {
      return [];
    }
    return names.filter((name) => form.test(name)).flatMap((name) => parse(join(this.folder, name)) ?? []);
  }

  private path(id: string): string {
    return join(this.folder, `${id}.json`);
  }
}

function parse(path: string): KeptUse | undefined {
  try {
    const use = JSON.parse(readFileSync(path, 'utf8')) as KeptUse;
    return use.handedIn || typeof use.note !== 'string' ? undefined : use;
  } catch {
    return undefined;
  }
}

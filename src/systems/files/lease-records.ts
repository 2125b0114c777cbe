// Which leases the processes of a home have, so that one that was killed leaves none: the next start gives them back. Names, no secret.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { removeIfThere, syncFolder, writeWhole } from './durable.js';

interface LeaseRecord {
  readonly lease: string;
  readonly host: string;
  readonly pid: number;
}

export class LeaseRecords {
  private readonly folder: string;
  private readonly own = new Set<string>();

  constructor(home: string) {
    this.folder = join(home, 'leases');
  }

  /** Durable when it resolves: before anything is done with the lease. Throws HOME_UNWRITABLE. */
  async add(lease: string): Promise<void> {
    this.own.add(lease);
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      const record: LeaseRecord = { lease, host: hostname(), pid: process.pid };
      await writeWhole(this.path(lease), `${JSON.stringify(record)}\n`);
      await syncFolder(this.folder);
    } catch {
      throw toError('HOME_UNWRITABLE', { file: this.folder });
    }
  }

  remove(lease: string): void {
    this.own.delete(lease);
    removeIfThere(this.path(lease));
  }

  /** Those of processes of this machine that are gone. */
  findLeft(): readonly string[] {
    return this.read().flatMap(({ lease, host, pid }) => (host === hostname() && !this.own.has(lease) && !isAlive(pid) ? [lease] : []));
  }

  private read(): readonly LeaseRecord[] {
    let names: readonly string[];
    try {
      names = readdirSync(this.folder);
    } catch {
      return [];
    }
    return names.filter((name) => /^[0-9a-f]{64}\.json$/.test(name)).flatMap((name) => parse(join(this.folder, name)) ?? []);
  }

  private path(lease: string): string {
    return join(this.folder, `${createHash('sha256').update(lease).digest('hex')}.json`);
  }
}

function parse(path: string): LeaseRecord | undefined {
  try {
    const { lease, host, pid } = JSON.parse(readFileSync(path, 'utf8')) as Partial<LeaseRecord>;
    return typeof lease === 'string' && typeof host === 'string' && typeof pid === 'number' ? { lease, host, pid } : undefined;
  } catch {
    return undefined;
  }
}

/** In a container the one before had the same number. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

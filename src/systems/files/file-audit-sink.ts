// Events as lines of canonical JSON, appended and synced one by one: what a run did is on disk before the run goes on.
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import type { Event } from '../../pipeline/event.js';
import type { AuditSink } from '../../pipeline/ports.js';

const FILE = 'events.ndjson';

export class FileAuditSink implements AuditSink {
  private constructor(
    private readonly file: FileHandle,
    private readonly path: string,
  ) {}

  /** Opens the log in `folder` (made 0700 when missing). Throws AUDIT_UNWRITABLE. */
  static async open(folder: string): Promise<FileAuditSink> {
    const path = join(folder, FILE);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(path, 'a+', 0o600);
      await cutTornLine(file);
      return new FileAuditSink(file, path);
    } catch {
      throw toError('AUDIT_UNWRITABLE', { file: path, stage: 'audit' });
    }
  }

  async append(event: Event): Promise<void> {
    try {
      await this.file.appendFile(`${toCanonicalJson(event as unknown as Json)}\n`);
      await this.file.datasync();
    } catch {
      throw toError('AUDIT_UNWRITABLE', { file: this.path, stage: 'audit' });
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** A crash in the middle of an append leaves half a line; nobody was told that it was written, so it goes. */
async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, 1 << 16));
  await file.read(tail, 0, tail.length, size - tail.length);
  const end = tail.lastIndexOf(0x0a);
  if (size > 0 && end !== tail.length - 1) await file.truncate(size - tail.length + end + 1);
}

/** The events of one run, or of all, in order. */
export async function readEvents(folder: string, runId?: string): Promise<Event[]> {
  const text = await readFile(join(folder, FILE), 'utf8').catch(() => '');
  const events = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
  return runId === undefined ? events : events.filter((event) => event.runId === runId);
}

// The AuditSink port on files: a chain of logs, one per period, each beginning with the signed checkpoint that ended the last. Appends that come
// while one is being written are written together.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { BautaError, toError } from '../../kernel/errors.js';
import { type Signer, signNote } from '../../kernel/signed-note.js';
import { type Leaf, parseCheckpoint, parseLeaf, toLeaf, toStanding } from '../../pipeline/audit/audit.js';
import type { Appended, Event } from '../../pipeline/event.js';
import type { AuditSink } from '../../pipeline/ports.js';
import { dropUnfinished, syncFolder, writeWhole } from './durable.js';
import { identify, keepText } from './erasable.js';
import { requireContinuation } from './last-signed.js';
import { LogFolder } from './log-folder.js';
import { listLogs, readEvents } from './read-events.js';
import { loadSigner, toLastSignedPath } from './signing-key.js';
import { withWriteLock } from './write-lock.js';

export interface FileAuditSinkOptions {
  /** `BAUTA_HOME`: the chain lies in `log/`, its key in `keys/`, the public key in `log.pub`. */
  readonly home: string;
  /** How long one log of the chain goes on. `never`: for good. */
  readonly period: LogPeriod;
}

export type LogPeriod = 'year' | 'month' | 'never';

interface Waiting {
  readonly event: Event;
  readonly leaf: Leaf;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** Written together at most. */
const GROUP = 4096;

export class FileAuditSink implements AuditSink {
  readonly #options: FileAuditSinkOptions;
  readonly #folder: string;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #signer: Signer | undefined;
  #log: LogFolder | undefined;
  #tidied = false;

  constructor(options: FileAuditSinkOptions) {
    this.#options = options;
    this.#folder = join(options.home, 'log');
  }

  /** Throws AUDIT_UNWRITABLE, AUDIT_LOCKED, or a LOG_ code when the log on disk is not the one that was signed last. */
  append(event: Event): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, leaf: toLeaf(event), resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async sign(text: string): Promise<string> {
    const signer = await this.#loadSigner(true);
    const note = signNote(text, signer);
    // A signed checkpoint that the log does not have would be a fork of it.
    if (parseCheckpoint(note)) throw toError('UNEXPECTED', { stage: 'audit', name: 'a checkpoint outside the log' });
    return note;
  }

  async keep(text: string): Promise<string> {
    try {
      return await keepText(join(this.#options.home, 'erasable'), text);
    } catch {
      throw toError('AUDIT_UNWRITABLE', { file: join(this.#options.home, 'erasable'), stage: 'audit' });
    }
  }

  /** The random id that stands for a person in the log. */
  async identify(name: string): Promise<string> {
    try {
      return await identify(join(this.#options.home, 'erasable'), name);
    } catch {
      throw toError('AUDIT_UNWRITABLE', { file: join(this.#options.home, 'erasable'), stage: 'audit' });
    }
  }

  async read(types: readonly string[], runId?: string): Promise<readonly Event[]> {
    const events = await readEvents(this.#folder, types);
    return runId === undefined ? events : events.filter((event) => event.runId === runId);
  }

  /** Out of all of these types: a folder of bundles has no index. */
  async standing(types: readonly string[]): Promise<readonly Event[]> {
    return toStanding(await this.read(types));
  }

  async close(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Whoever appends in the same turn is written with the first.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, GROUP);
      try {
        mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
        const appended = await withWriteLock(this.#folder, () => this.#write(group));
        group.forEach(({ resolve }, i) => resolve(appended[i]!));
      } catch (error) {
        // What is in memory may be ahead of the disk.
        this.#log = undefined;
        const known = error instanceof BautaError ? error : toError('AUDIT_UNWRITABLE', { file: this.#folder, stage: 'audit' });
        for (const { reject } of group) reject(known);
      }
    }
    // In the same turn in which nothing waited any more: whoever appends next begins anew.
    this.#writing = undefined;
  }

  async #write(group: readonly Waiting[]): Promise<readonly Appended[]> {
    let log = await this.#open(group[0]!.event);
    const appended: Appended[] = [];
    for (let from = 0; from < group.length;) {
      const name = (await findNextName(log)) ?? this.#periodOf(group[from]!.event);
      if (name > nameOf(log)) log = await this.#succeed(log, name, group[from]!.event);
      let to = from + 1;
      while (to < group.length && this.#periodOf(group[to]!.event) <= nameOf(log)) to++;
      const { size } = log.checkpoint;
      const checkpoint = await this.#append(
        log,
        group.slice(from, to).map(({ leaf }) => leaf),
      );
      for (let i = from; i < to; i++) appended.push({ index: size + i - from, checkpoint });
      from = to;
    }
    return appended;
  }

  /** Once, by the first append: what a writer left that was killed. */
  async #tidy(): Promise<void> {
    if (this.#tidied) return;
    this.#tidied = true;
    const { home } = this.#options;
    dropUnfinished(this.#folder, await readdir(this.#folder, { recursive: true }));
    for (const folder of [home, join(home, 'keys')]) {
      const names = await readdir(folder).catch(() => []);
      dropUnfinished(
        folder,
        names.filter((name) => name.startsWith('log.')),
      );
    }
  }

  /** The newest log as it is on disk now: another process may have written since. The first event makes the first log. */
  async #open(first: Event): Promise<LogFolder> {
    await this.#tidy();
    const names = await listLogs(this.#folder);
    const signer = await this.#loadSigner(names.length > 0);
    let name = names.at(-1);
    // A crash while a log was begun leaves its folder without a checkpoint.
    while (name !== undefined && !existsSync(join(this.#folder, name, 'checkpoint'))) name = names[names.indexOf(name) - 1];
    const folder = join(this.#folder, name ?? '');
    const known = name !== undefined && this.#log?.folder === folder ? this.#log : undefined;
    if (known && readFileSync(join(folder, 'checkpoint'), 'utf8') === known.note) return known;
    if (name === undefined) {
      await requireContinuation(this.#options.home, undefined, signer);
      return this.#begin(this.#periodOf(first) || first.at.slice(0, 4), null, first);
    }
    this.#log = await LogFolder.load(folder, `${signer.verifier.name}/${name}`, signer);
    await requireContinuation(this.#options.home, this.#log, signer);
    return this.#log;
  }

  async #loadSigner(hasLog: boolean): Promise<Signer> {
    const { home } = this.#options;
    return (this.#signer ??= await loadSigner({ keys: join(home, 'keys'), publicKey: join(home, 'log.pub') }, hasLog));
  }

  /** Ends a log and begins the next. A crash between the two leaves a log that has ended, and the next append comes here again. */
  async #succeed(log: LogFolder, name: string, event: Event): Promise<LogFolder> {
    if ((await findNextName(log)) === undefined) await this.#append(log, [toLeaf(toChainEvent(event, 'log.closed', { next: name }))]);
    return this.#begin(name, log.note, event);
  }

  async #begin(name: string, previous: string | null, event: Event): Promise<LogFolder> {
    const signer = this.#signer!;
    const folder = join(this.#folder, name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const log = LogFolder.create(folder, `${signer.verifier.name}/${name}`, signer);
    await this.#append(log, [toLeaf(toChainEvent(event, 'log.opened', { previous }))]);
    await syncFolder(this.#folder);
    return (this.#log = log);
  }

  async #append(log: LogFolder, leaves: readonly Leaf[]): ReturnType<LogFolder['append']> {
    const checkpoint = await log.append(leaves);
    await writeWhole(toLastSignedPath(join(this.#options.home, 'keys')), log.note);
    return checkpoint;
  }

  /** The name of the log that an event belongs to; never before the newest log's, so that a clock set back changes nothing. */
  #periodOf({ at }: Event): string {
    return { year: at.slice(0, 4), month: at.slice(0, 7), never: '' }[this.#options.period];
  }
}

const nameOf = (log: LogFolder): string => basename(log.folder);

/** A log that has ended says which one comes next; nothing is appended to it any more. */
async function findNextName(log: LogFolder): Promise<string | undefined> {
  const last = await log.readLastEntry();
  const { event } = (last && parseLeaf(last)) ?? {};
  const next = event?.type === 'log.closed' ? event.data?.['next'] : undefined;
  return typeof next === 'string' ? next : undefined;
}

function toChainEvent({ runId, at }: Event, type: string, data: Event['data']): Event {
  return { runId, stage: 'audit', type, at, data };
}

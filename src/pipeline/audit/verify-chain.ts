// The independent checker: files and a public key are all it needs. It throws only when it could not look; what is wrong is a finding.
import { toTimestamp } from '../../kernel/clock.js';
import { readCosignatures } from '../../kernel/cosignature.js';
import { type Finding, type Where, toFinding } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';
import type { Verifier } from '../../kernel/signed-note.js';
import type { Checkpoint } from '../event.js';
import { type Anchor, parseAnchors } from './anchors.js';
import { openCheckpoint, parseCheckpoint } from './checkpoint.js';
import { type Deletion, toDeletions } from './deletions.js';
import { type LogFiles, listLogs } from './log-files.js';
import type { TrustPolicy } from './trust-policy.js';
import { type LogReport, verifyLog } from './verify-log.js';

export interface ChainReport {
  /** In the order of the chain. Whole: none of severity `error`. */
  readonly findings: readonly Finding[];
  readonly logs: readonly Checkpoint[];
  /** Logs of the chain that are not there any more because an entry says that they were deleted; oldest first. */
  readonly deleted: readonly Deletion[];
  /** Of the newest log; null when there is none. */
  readonly checkpoint: Checkpoint | null;
  /** False: no public key was given, so that anybody may have signed. */
  readonly signatureChecked: boolean;
  /** The newest checkpoint that witnesses of the policy have cosigned, and who they are; null: none has, or no policy was given. */
  readonly cosigned: CosignedBy | null;
  /** Where its checkpoints were put, as it says itself: whoever can look there does, and believes that. */
  readonly anchored: readonly AnchoredAt[];
}

/** The first `size` entries of a log, as they were `at` then. */
export interface AnchoredAt extends Omit<Anchor, 'note'> {
  readonly origin: string;
  readonly size: number;
}

/** What whoever holds the log's key cannot have rewritten without these: the first `size` entries of the log, as they were at the earliest of these times. */
export interface CosignedBy {
  readonly origin: string;
  readonly size: number;
  /** RFC 3339. */
  readonly witnesses: readonly { readonly name: string; readonly at: string }[];
}

export interface Checks {
  readonly verifier?: Verifier;
  /** Whose cosignatures count, and how many it takes. */
  readonly policy?: TrustPolicy;
  /** Checkpoints of this chain that were seen before, or by somebody else: each as a note, with a name to call it by. */
  readonly known: readonly { readonly name: string; readonly note: string }[];
}

/** A writer may be at work meanwhile: then what was found may be half of an append, and is looked at again. */
const ATTEMPTS = 3;

export async function verifyChain(files: LogFiles, checks: Checks): Promise<ChainReport> {
  for (let attempt = 1; ; attempt++) {
    const before = await readNewest(files);
    const report = await new Chain(files, checks).verify();
    if (attempt === ATTEMPTS || report.findings.length === 0 || before === (await readNewest(files))) return report;
  }
}

async function readNewest(files: LogFiles): Promise<string> {
  const name = (await listLogs(files)).at(-1) ?? '';
  return `${name} ${(await files.read(`${name}/checkpoint`))?.toString('utf8') ?? ''}`;
}

interface Log {
  readonly name: string;
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly report: LogReport;
}

class Chain {
  readonly #findings: Finding[] = [];
  readonly #logs: Log[] = [];
  #deletions: readonly Deletion[] = [];
  #known: { readonly name: string; readonly checkpoint: Checkpoint }[] = [];
  /** Notes that witnesses were asked to cosign, by log. */
  readonly #cosigned = new Map<string, string>();
  readonly #anchored: (AnchoredAt & { readonly note: string })[] = [];

  constructor(
    private readonly files: LogFiles,
    private readonly checks: Checks,
  ) {}

  async verify(): Promise<ChainReport> {
    const names = await listLogs(this.files);
    for (const name of names) {
      const bytes = await this.files.read(`${name}/cosigned`);
      if (bytes) this.#cosigned.set(name, bytes.toString('utf8'));
      await this.#readAnchors(name);
    }
    // What a witness has seen, every later state of the log goes on from, whoever is asked about it.
    const seen = [...this.#cosigned].map(([name, note]) => ({ name: `${name}/cosigned`, note }));
    const anchored = this.#anchored.map(({ place, note }) => ({ name: place, note }));
    this.#known = [...this.checks.known, ...seen, ...anchored].flatMap(({ name, note }) => {
      const checkpoint = this.#open(name, note);
      return checkpoint ? [{ name, checkpoint }] : [];
    });
    if (names.length === 0) this.#say('LOG_EMPTY', {});
    for (const name of names) await this.#verifyLog(name, name === names.at(-1));
    this.#deletions = toDeletions(this.#logs.map(({ name, report }) => ({ log: name, chain: report.chain })));
    this.#compareLinks();
    this.#compareDeletions();
    this.#compareKnown();
    const cosigned = this.#readCosigned();
    return {
      findings: this.#findings,
      logs: this.#logs.map(({ checkpoint }) => checkpoint),
      deleted: this.#deletions.filter(({ origin }) => !this.#find(origin)),
      checkpoint: this.#logs.at(-1)?.checkpoint ?? null,
      signatureChecked: this.checks.verifier !== undefined,
      cosigned,
      anchored: this.#anchored.map(({ note: _, ...one }) => one),
    };
  }

  async #readAnchors(name: string): Promise<void> {
    const file = `${name}/anchors`;
    const bytes = await this.files.read(file);
    const anchors = bytes && parseAnchors(bytes.toString('utf8'));
    if (bytes && !anchors) this.#say('LOG_CHECKPOINT_MALFORMED', { file });
    for (const anchor of anchors ?? []) {
      const { origin, size } = parseCheckpoint(anchor.note)!;
      this.#anchored.push({ ...anchor, origin, size });
    }
  }

  /** Of the newest log that any witness was asked about: one that has just begun may have none yet, and begins with the one before it. */
  #readCosigned(): CosignedBy | null {
    const { policy } = this.checks;
    if (!policy) return null;
    const [name, note] = [...this.#cosigned].at(-1) ?? [this.#logs.at(-1)?.name ?? 'log', ''];
    const checkpoint = parseCheckpoint(note);
    const read = checkpoint ? readCosignatures(note, policy.witnesses.map(({ witness }) => witness)) : []; // prettier-ignore
    const file = `${name}/cosigned`;
    if (typeof read === 'string') this.#say('LOG_COSIGNATURE_FORGED', { file });
    const found = typeof read === 'string' ? [] : read;
    if (!policy.isQuorum(new Set(found.map(({ witness }) => witness))))
      this.#say('LOG_UNWITNESSED', { file, expected: policy.quorum, amount: String(found.length) });
    if (!checkpoint || found.length === 0) return null;
    const witnesses = found.map(({ witness, seconds }) => ({ name: witness.name, at: toTimestamp(seconds * 1000) }));
    return { origin: checkpoint.origin, size: checkpoint.size, witnesses };
  }

  async #verifyLog(name: string, isNewest: boolean): Promise<void> {
    const file = `${name}/checkpoint`;
    const bytes = await this.files.read(file);
    if (!bytes) {
      // A log that was just begun has entries first: nothing of it was promised to anybody.
      const begun = isNewest && this.#logs.at(-1)?.report.last?.event.data?.['next'] === name;
      return this.#say(begun ? 'LOG_UNFINISHED' : 'LOG_CHECKPOINT_MISSING', { file, entry: 0 }, begun ? 'warning' : 'error');
    }
    const note = bytes.toString('utf8');
    const checkpoint = this.#open(file, note) ?? parseCheckpoint(note);
    if (!checkpoint) return;
    const expected = this.checks.verifier ? `${this.checks.verifier.name}/${name}` : undefined;
    if (!checkpoint.origin.endsWith(`/${name}`) || (expected !== undefined && checkpoint.origin !== expected))
      this.#say('LOG_ORIGIN_WRONG', { file, name: checkpoint.origin, expected: expected ?? `…/${name}` });
    const sizes = this.#known.filter((known) => known.checkpoint.origin === checkpoint.origin).map((known) => known.checkpoint.size);
    const report = await verifyLog(this.files, name, checkpoint, sizes);
    this.#findings.push(...report.findings);
    this.#logs.push({ name, note, checkpoint, report });
  }

  /** Each log begins with the checkpoint that ended the one before it, and says which one comes next. */
  #compareLinks(): void {
    for (const [i, { name, report }] of this.#logs.entries()) {
      const before = this.#logs[i - 1];
      const file = name;
      if (report.first && report.first.event.type !== 'log.opened') this.#say('LOG_CHAIN_BROKEN', { file, entry: 0 });
      else if (report.first) this.#compareLink(name, report.first.event.data?.['previous'] ?? null, before);
      const closed = report.last?.event.type === 'log.closed' ? report.last.event.data?.['next'] : undefined;
      const next = this.#logs[i + 1];
      if (next && report.last && closed !== next.name) this.#say('LOG_CHAIN_BROKEN', { file, entry: this.#logs[i]!.checkpoint.size - 1 });
      if (!next && typeof closed === 'string') this.#say('LOG_ENDED', { file, expected: closed }, 'warning');
    }
  }

  #compareLink(file: string, previous: unknown, before: Log | undefined): void {
    if (typeof previous !== 'string') return before || previous !== null ? this.#say('LOG_CHAIN_BROKEN', { file, entry: 0 }) : undefined;
    const linked = this.#open(`${file}, entry 0`, previous);
    if (!linked) return;
    if (before && previous !== before.note) return this.#say('LOG_CHAIN_BROKEN', { file, entry: 0 });
    if (!before && !this.#isDeleted(linked)) this.#say('LOG_MISSING', { file, name: linked.origin, amount: String(linked.size) });
  }

  /** The deletion of a log whose time is over is itself an entry, which says how the log ended. */
  #isDeleted({ origin, size, root }: Checkpoint): boolean {
    return this.#deletions.some((deletion) => deletion.origin === origin && deletion.size === size && deletion.root === root);
  }

  /** An intent without its outcome: the deletion was cut short, and the next start finishes it. */
  #compareDeletions(): void {
    for (const { origin, log, entry, done } of this.#deletions) {
      const where = { file: log, entry, name: origin };
      if (this.#find(origin) || !done) this.#say('LOG_DELETION_UNFINISHED', where, 'warning');
    }
  }

  #compareKnown(): void {
    for (const { name, checkpoint: known } of this.#known) {
      const log = this.#find(known.origin);
      if (log) this.#compareWith(log.checkpoint, log.report.roots, known, { file: log.name, name });
      else {
        const deleted = this.#deletions.find(({ origin }) => origin === known.origin);
        // Of a deleted log only its end is known.
        if (deleted) this.#compareWith(deleted, undefined, known, { file: known.origin, name });
        else this.#say('LOG_ROLLED_BACK', { file: known.origin, amount: 'no', expected: String(known.size) });
      }
    }
  }

  #compareWith({ size, root }: Checkpoint, roots: ReadonlyMap<number, string> | undefined, known: Checkpoint, place: Where): void {
    const where = { ...place, amount: String(size), expected: String(known.size) };
    if (known.size > size) this.#say('LOG_ROLLED_BACK', where);
    else if (known.size === size && known.root !== root) this.#say('LOG_SPLIT_VIEW', where);
    else if (roots && known.size > 0 && known.size < size && roots.get(known.size) !== known.root) this.#say('LOG_FORKED', where);
  }

  #find(origin: string): Log | undefined {
    return this.#logs.find(({ checkpoint }) => checkpoint.origin === origin);
  }

  /** Without a public key a checkpoint is what it says. */
  #open(file: string, note: string): Checkpoint | undefined {
    if (!this.checks.verifier) {
      const checkpoint = parseCheckpoint(note);
      if (!checkpoint) this.#say('LOG_CHECKPOINT_MALFORMED', { file });
      return checkpoint;
    }
    const opened = openCheckpoint(note, [this.checks.verifier]);
    if (!opened.problem) return opened.checkpoint;
    const codes = { malformed: 'LOG_CHECKPOINT_MALFORMED', forged: 'LOG_CHECKPOINT_FORGED', unsigned: 'LOG_CHECKPOINT_UNSIGNED' } as const;
    this.#say(codes[opened.problem], { file, name: this.checks.verifier.name });
    return undefined;
  }

  #say(code: ErrorCode, where: Where, severity: Finding['severity'] = 'error'): void {
    this.#findings.push(toFinding(code, where, severity));
  }
}

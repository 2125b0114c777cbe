// The seam between a run and an encoding: how masked lines of one dataset version go out to the broker, and how they are read back from it.
// The run proves what `readBack` gives and nothing else; only then does it call `commit`. One outlet serves one run.
import type { Json } from '../../../kernel/canonical-json.js';
import type { Masked } from '../../../pipeline/batch.js';
import type { Plan } from '../../../pipeline/plan.js';
import type { OutBatch } from '../producer.js';

/** What an outlet is opened with. `streams[t]`: in how many streams table `t` of the plan is written; some of them may turn out empty. */
export interface OutletRun {
  readonly runId: string;
  readonly plan: Plan;
  readonly streams: readonly number[];
}

/** What one stream came to. */
export interface Written {
  readonly rows: number;
  /** Of COPY text. */
  readonly bytes: number;
  readonly records: number;
  /** As they went over the wire, values alone. */
  readonly wireBytes: number;
}

/** Lines as they stand at the broker. Records of one stream come in its order; streams of any tables come mixed. */
export interface ReadBack {
  /** Index into `Plan.tables`. */
  readonly table: number;
  /** Number of the stream in its table, from 0. */
  readonly stream: number;
  /** Nothing of this stream comes after it. */
  readonly last: boolean;
  readonly rows: number;
  /** Whole lines of COPY text; empty for the last record of an empty stream. */
  readonly lines: Uint8Array;
}

/** How it is told on the control topic what becomes of a run. */
export interface Say {
  /** By the one who may write there. Throws STREAM_TAKEN_OVER. */
  tell(): Promise<void>;
  /** The same as records, for who writes them in a transaction of his own: told if the rest of it is done, and not otherwise. */
  sign(more?: Readonly<Record<string, Json>>): OutBatch;
}

/** A shape, not a port: who makes it decides the encoding, and the Target alone knows it. */
export type Outlet = {
  /** Topics of the run exist, and this process alone writes to them, when it resolves. Before anything else. */
  begin(): Promise<void>;
  /**
   * One stream of one table, in order; several MAY run at once. Resolves when the broker has all of it, replicated as the topic asks. MUST NOT hold
   * more than a few records in memory, and MUST reject with coordinates and never a value.
   */
  write(table: number, stream: number, batches: AsyncIterable<Masked>): Promise<Written>;
  /**
   * What the broker has of this run, uncommitted records included, each once, from now until `close`. It MUST trust nothing that it did not write
   * itself: a record that is forged, changed, repeated or missing in its stream rejects. It reads no faster than it is asked.
   */
  readBack(): AsyncIterable<ReadBack>;
  /** What the signed `complete` says of the records, per table in the plan's order: streams, rows, bytes, and what the encoding adds. JSON. */
  manifest(): Readonly<Record<string, Json>>;
  /** What went over the wire so far. Absent: the encoding does not count it. */
  readonly sent?: { readonly topic: string; readonly records: number; readonly wireBytes: number };
  /** Everything written becomes readable to those for whom it is meant, and that is told: in one step where the encoding can. Once, after verification. */
  commit(say: Say): Promise<void>;
  /**
   * Nothing written stays readable, its records are deleted, and that is told. MUST be safe at any time, to call twice, and for a run that somebody
   * else has taken the place of: then it throws, and takes nothing of his away.
   */
  abort(say: Say): Promise<void>;
  /** Ends reading and sessions; changes nothing at the broker. MUST be safe to call twice. */
  close(): Promise<void>;
};

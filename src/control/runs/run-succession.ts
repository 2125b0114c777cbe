// How a run of the service outlives its worker: the snapshot is told of in the metadata database, and a process of its own holds it too.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

import type { Settings } from '../../config/settings.js';
import { toError, toKnownError } from '../../kernel/errors.js';
import type { Plan } from '../../pipeline/plan.js';
import type { HeldSnapshot, SourceScope } from '../../pipeline/ports.js';
import type { Succession } from '../../pipeline/run.js';
import type { Metadata, RunRow } from '../../systems/metadata/metadata.js';
import type { ConnectionTarget } from '../../systems/postgres/postgres.js';

const HOLDER = fileURLToPath(new URL('../../holder.js', import.meta.url));
/** Of the environment only what a connection may need; what is secret goes through a pipe. */
const passedOn = ['PATH', 'NODE_EXTRA_CA_CERTS', 'TMPDIR'] as const;

/** What a holder is told on its standard input. */
export interface HolderOrder {
  readonly id: string;
  /** Of the metadata database, as the service role. */
  readonly metadata: string;
  readonly workspaceId: string;
  readonly runId: string;
  readonly source: ConnectionTarget;
  readonly settings: Settings;
  readonly plan: Plan;
  readonly scope: SourceScope;
  readonly held: HeldSnapshot;
  readonly leaseMs: number;
}

export interface RunSuccessionOptions {
  readonly metadata: Metadata;
  /** Of the metadata database, as the service role. */
  readonly url: string;
  readonly settings: Settings;
  readonly workerId: string;
  readonly run: RunRow;
  readonly source: ConnectionTarget;
  readonly environment: NodeJS.ProcessEnv;
  /** Default: yes. Who only helps takes over what the leader holds, and starts no process of its own. */
  readonly leads?: boolean;
}

/** Who stops for one of these leaves the run to somebody else. */
const handedOn: ReadonlySet<string> = new Set(['RUN_HANDED_BACK', 'RUN_TAKEN_OVER']);

export class RunSuccession implements Succession {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: RunSuccessionOptions) {}

  async held(): Promise<readonly HeldSnapshot[]> {
    const { metadata, run, leads = true } = this.options;
    if (leads && run.attempt === 1) return [];
    const rows = await metadata.within(run.workspaceId, ({ holders }) => holders.of(run.id));
    return rows.map(({ snapshot: id, moment, backend, openedAtMs }) => ({ id, moment, backend, openedAtMs }));
  }

  async holding(held: HeldSnapshot, plan: Plan, scope: SourceScope): Promise<void> {
    const { metadata, run, workerId, settings, leads = true } = this.options;
    const { id: snapshot, moment, backend, openedAtMs } = held;
    const others = await metadata.within(run.workspaceId, async ({ holders }) => {
      const known = await holders.of(run.id);
      await holders.add(run.id, { id: randomUUID(), workerId, moment, snapshot, backend, openedAtMs }, settings.BAUTA_HOLD_MS);
      return known.filter((one) => one.moment === moment && one.workerId === null && !one.expired);
    });
    if (!leads || others.length > 0 || settings.BAUTA_HOLDER_AFTER_MS < 0) return;
    // A short run is soon begun again: a process for it would cost more than it saves.
    this.timer = setTimeout(() => void this.startHolder(held, plan, scope), settings.BAUTA_HOLDER_AFTER_MS);
  }

  async goingOn(): Promise<ReadonlySet<string>> {
    const rows = await this.options.metadata.query<{ id: string }>('SELECT id FROM bauta.find_held_runs()');
    return new Set(rows.map(({ id }) => id));
  }

  goesOn(reason: unknown): boolean {
    return handedOn.has(toKnownError(reason).code);
  }

  /** Nobody works on the run here any more; what holds its snapshot stays only where the run goes on. */
  async end(goesOn: boolean): Promise<void> {
    clearTimeout(this.timer);
    const { metadata, run, workerId } = this.options;
    await metadata.within(run.workspaceId, ({ holders }) => holders.remove(run.id, goesOn ? workerId : undefined));
  }

  /** Told in the run's lines, whichever way it goes: without a holder the run is as safe as its worker. */
  private async startHolder(held: HeldSnapshot, plan: Plan, scope: SourceScope): Promise<void> {
    const { metadata, url, settings, run, source, environment } = this.options;
    const order: HolderOrder = {
      id: randomUUID(),
      ...{ metadata: url, workspaceId: run.workspaceId, runId: run.id, leaseMs: settings.BAUTA_HOLD_MS },
      source: {
        ...source,
        signal: undefined,
        connectTimeoutMs: settings.BAUTA_CONNECT_TIMEOUT_MS,
        applicationName: `bauta hold ${run.id}`,
      },
      ...{ settings, plan, scope, held },
    };
    const line = await hold(order, environment).then(
      () => 'a process of its own holds the snapshot too',
      (error: unknown) => `no process of its own holds the snapshot: ${toKnownError(error).code}`,
    );
    await metadata.within(run.workspaceId, ({ runs }) => runs.say(run.id, line)).catch(() => undefined);
  }
}

/** Resolves when the holder has the snapshot; it then goes on without us, and ends by its lease. */
async function hold(order: HolderOrder, environment: NodeJS.ProcessEnv): Promise<void> {
  const env = Object.fromEntries(passedOn.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])));
  const child = spawn(process.execPath, [HOLDER], { detached: true, stdio: ['pipe', 'pipe', 'ignore'], env, cwd: '/' });
  try {
    const held = new Promise<boolean>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => resolve(false));
      child.stdout.once('data', () => resolve(true));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(JSON.stringify(order));
    if (!(await held)) throw toError('SNAPSHOT_NOT_HELD', { run: order.runId });
  } finally {
    letGo(child);
  }
}

function letGo(child: ChildProcess): void {
  child.stdout?.destroy();
  child.unref();
}

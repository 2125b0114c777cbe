// What one process sees: its requests, the runs that it works on, itself. Labels are names of ours only: no workspace, no person, no target.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

import type { Clock } from '../../kernel/clock.js';
import type { Event } from '../../pipeline/event.js';
import { type RunRow, type RunState, isEnded } from '../../systems/metadata/metadata.js';
import type { RunObserver } from '../runs/runs.js';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const STAGE_SECONDS = [1, 5, 15, 60, 300, 900, 3600, 14_400];

interface Entered {
  readonly state: RunState;
  readonly atMs: number;
}

export class ProcessMetrics implements RunObserver {
  readonly registry = new Registry();
  private readonly requests = new Counter({
    ...{ name: 'bauta_http_requests_total', help: 'Requests answered.', registers: [this.registry] },
    labelNames: ['method', 'route', 'status'],
  });
  private readonly requestSeconds = new Histogram({
    ...{ name: 'bauta_http_request_seconds', help: 'Time to the end of an answer.', registers: [this.registry] },
    labelNames: ['method', 'route'],
    buckets: SECONDS,
  });
  private readonly ended = new Counter({
    ...{ name: 'bauta_run_ends_total', help: 'Runs that ended in this process, by state.', registers: [this.registry] },
    labelNames: ['state'],
  });
  private readonly stageSeconds = new Histogram({
    ...{ name: 'bauta_stage_seconds', help: 'Time that a run spent in a state.', registers: [this.registry] },
    labelNames: ['state'],
    buckets: STAGE_SECONDS,
  });
  private readonly rows = new Counter({ name: 'bauta_rows_total', help: 'Rows loaded into targets.', registers: [this.registry] });
  private readonly bytes = new Counter({ name: 'bauta_bytes_total', help: 'Bytes of COPY text loaded.', registers: [this.registry] });
  private readonly decisions = new Counter({
    ...{ name: 'bauta_gate_decisions_total', help: 'Decisions of the gate about plans.', registers: [this.registry] },
    labelNames: ['decision'],
  });
  private readonly refusals = new Counter({
    ...{
      name: 'bauta_policy_bundles_refused_total',
      help: 'Bundles of one’s own that were refused or could not be had.',
      registers: [this.registry],
    },
    labelNames: ['question', 'code'],
  });
  private readonly entered = new Map<string, Entered>();
  private readonly snapshots = new Map<string, number>();

  constructor(private readonly clock: Clock) {
    collectDefaultMetrics({ register: this.registry });
    const { entered, snapshots } = this;
    new Gauge({
      ...{ name: 'bauta_runs_held', help: 'Runs that this process works on now.', registers: [this.registry] },
      collect() {
        this.set(entered.size);
      },
    });
    new Gauge({
      ...{ name: 'bauta_snapshot_age_seconds', help: 'Age of the oldest snapshot held on a source.', registers: [this.registry] },
      collect() {
        this.set(snapshots.size === 0 ? 0 : (clock.now() - Math.min(...snapshots.values())) / 1000);
      },
    });
  }

  refused(question: 'provision' | 'deploy', code: string): void {
    this.refusals.inc({ question, code });
  }

  answered(method: string, route: string, status: number, seconds: number): void {
    this.requests.inc({ method, route, status: String(status) });
    this.requestSeconds.observe({ method, route }, seconds);
  }

  enter({ id: run }: Pick<RunRow, 'id' | 'traceparent'>, state: RunState): void {
    const before = this.entered.get(run);
    const now = this.clock.now();
    if (before) this.stageSeconds.observe({ state: before.state }, Math.max(0, (now - before.atMs) / 1000));
    if (!isEnded(state)) this.entered.set(run, { state, atMs: now });
    else {
      this.ended.inc({ state });
      this.leave(run);
    }
  }

  leave(run: string): void {
    this.entered.delete(run);
    this.snapshots.delete(run);
  }

  tell({ runId, type, data }: Event): void {
    if (type === 'snapshot.opened' || type === 'snapshot.joined') this.snapshots.set(runId, this.clock.now());
    else if (type === 'plan.decided') this.decisions.inc({ decision: isAllowed(data['decision']) ? 'allow' : 'deny' });
    else if (type === 'table.loaded') {
      this.rows.inc(Number(data['rows']));
      this.bytes.inc(Number(data['bytes']));
    }
  }
}

const isAllowed = (decision: unknown): boolean => (decision as { allow?: unknown } | null)?.allow === true;

// Every day a report of the day before, of every workspace that has a log. Every process looks; the row of a period lets one of them make it, and who has
// one says so while it does. One that died leaves it to another, which makes the same; a period that nobody made stays due.
import { randomUUID } from 'node:crypto';

import type { Settings } from '../../config/settings.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toKnownError } from '../../kernel/errors.js';
import type { Json } from '../../kernel/canonical-json.js';
import type { DailyReportRow, Metadata } from '../../systems/metadata/metadata.js';
import { CHECKSUMS, type ReportOrder } from '../report-order.js';
import { Rounds } from '../rounds.js';
import { untilSequenced } from '../until-sequenced.js';
import { findReportDays } from './report-days.js';
import type { ReportMaker } from './report-maker.js';

const LOOK_MS = 30_000;
const BEAT_MS = 5000;
const SILENT_MS = 30_000;
const PATIENCE_MS = 20_000;
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [60_000, 3_600_000];

/** For whoever protects data, and for whoever examines. */
const papers: ReportOrder['papers'] = [
  ...(['json', 'html', 'pdf'] as const).map((format) => ({ report: 'gdpr' as const, format })),
  { report: 'soc2', format: 'zip' },
];

export interface DailyReportOptions {
  readonly metadata: Metadata;
  readonly settings: Settings;
  /** Of its own: who asks for a report does not wait for this one, nor this one for him. */
  readonly maker: ReportMaker;
  readonly clock: Clock;
  /** Told of every failure; the next look tries again. */
  readonly failed: (error: unknown) => void;
  /** For tests: how often it looks by itself, and how long a silent one is believed to be at it. */
  readonly lookMs?: number;
  readonly silentMs?: number;
}

interface Found {
  readonly workspace_id: string;
  readonly last_day: string | null;
  readonly last_to: Date | null;
  readonly began_at: Date;
}

export class DailyReportClock {
  private readonly rounds: Rounds;
  private readonly stopped = new AbortController();

  constructor(private readonly options: DailyReportOptions) {
    this.rounds = new Rounds(() => this.look(), options.lookMs ?? LOOK_MS, options.failed);
  }

  async look(): Promise<void> {
    const { metadata, clock, silentMs = SILENT_MS, failed } = this.options;
    const nowMs = clock.now();
    for (const one of await metadata.query<Found>('SELECT * FROM bauta.find_report_days()')) await this.decide(one, nowMs).catch(failed);
    const due = await metadata.query<{ workspace_id: string; day: string }>('SELECT * FROM bauta.find_due_reports($1, $2)', [
      ...[new Date(nowMs), silentMs],
    ]);
    for (const { workspace_id, day } of due) if (!this.stopped.signal.aborted) await this.make(workspace_id, day).catch(failed);
  }

  /** One that is being made is left to another process. */
  stop(): Promise<void> {
    this.stopped.abort();
    return this.rounds.stop();
  }

  /** That it is due is an entry of its own, after its period: so it is known that the log goes on beyond it. */
  private async decide({ workspace_id, last_day, last_to, began_at }: Found, nowMs: number): Promise<void> {
    const { metadata, settings } = this.options;
    const zone = settings.BAUTA_DAILY_REPORTS_ZONE;
    const last = last_day !== null && last_to !== null ? { day: last_day, toMs: last_to.getTime() } : null;
    for (const { day, fromMs, toMs } of findReportDays(zone, { last, beganMs: began_at.getTime() }, nowMs)) {
      const [from, to, key] = [new Date(fromMs), new Date(toMs), randomUUID()];
      await metadata.within(workspace_id, async (transaction) => {
        if (!(await transaction.dailyReports.insert({ day, from, to, zone, key }))) return;
        const data = { day, from: from.toISOString(), to: to.toISOString(), zone };
        await transaction.auditAll([{ event: { type: 'daily-report.due', at: toTimestamp(nowMs), data }, key }]);
      });
    }
  }

  private async make(workspaceId: string, day: string): Promise<void> {
    const { metadata, silentMs = SILENT_MS, failed } = this.options;
    const holder = randomUUID();
    const row = await metadata.within(workspaceId, ({ dailyReports }) => dailyReports.claim(day, holder, silentMs));
    if (!row) return;
    const beat = setInterval(
      () => void metadata.within(workspaceId, ({ dailyReports }) => dailyReports.hear(day, holder)).catch(failed),
      Math.min(BEAT_MS, silentMs / 3),
    );
    try {
      await this.makeOne(workspaceId, row, holder);
    } catch (error) {
      await this.tellFailed(workspaceId, row, holder, toKnownError(error).code);
    } finally {
      clearInterval(beat);
    }
  }

  private async makeOne(workspaceId: string, row: DailyReportRow, holder: string): Promise<void> {
    const { metadata, settings, maker, clock } = this.options;
    const { day, from, to, zone, key } = row;
    await untilSequenced(metadata, workspaceId, ({ log }) => log.find(key), PATIENCE_MS);
    const workspace = await metadata.workspaceName(workspaceId);
    const period = { from: from.toISOString(), to: to.toISOString(), zone };
    const order = { workspaceId, workspace, actor: null, period, papers, store: { settings, below: `${workspace}/${day}` } };
    const made = await maker.make(order, this.stopped.signal);
    await made.discard();
    const { folder = '', files = [] } = made.stored ?? {};
    await metadata.within(workspaceId, async (transaction) => {
      const now = clock.now();
      if (!(await transaction.dailyReports.end(day, holder, { at: new Date(now), folder, files }))) return;
      const checksums = `sha256:${files.find(({ name }) => name === CHECKSUMS)?.sha256 ?? ''}`;
      const data: Readonly<Record<string, Json>> = { day, ...period, files: files.length, checksums };
      await transaction.audit({ type: 'daily-report.made', at: toTimestamp(now), data });
    });
  }

  /** Told once for a day, however often it is tried; a process that stops has not failed. */
  private async tellFailed(workspaceId: string, { day, attempts }: DailyReportRow, holder: string, code: string): Promise<void> {
    const { metadata, clock } = this.options;
    const now = clock.now();
    const isStopping = this.stopped.signal.aborted;
    const wait = isStopping ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (attempts - 1), LONGEST_WAIT_MS);
    await metadata.within(workspaceId, async (transaction) => {
      const before = await transaction.dailyReports.find(day);
      const failed = await transaction.dailyReports.fail(day, holder, isStopping ? (before?.code ?? null) : code, new Date(now + wait));
      if (!failed || isStopping || before?.code !== null) return;
      const told = { type: 'daily-report.failed', at: toTimestamp(now), data: { day, code } };
      await transaction.audit(told);
      await transaction.notifications.note(told);
    });
  }
}

// Reports are made beside the API, each by a process of its own: reading a million entries takes many seconds and hundreds of megabytes, and no request
// waits for that. So many at once and no more; what is asked for beyond that is refused at once.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { toError } from '../../kernel/errors.js';
import { type MadePaper, type ReportAnswer, type ReportOrder, type StoredReport, readPolicyText } from '../report-order.js';

export const REPORT_MAKER = Symbol('report maker');

const REPORTER = fileURLToPath(new URL('../../reporter.js', import.meta.url));
/** Of the environment only what a connection may need; what is secret goes through a pipe. */
const passedOn: readonly string[] = ['PATH', 'NODE_EXTRA_CA_CERTS'];
/** Where the SDK looks for who it is, for a bucket. */
const ofAws = /^(AWS_|HOME$)/;
const LONGEST_MS = 10 * 60_000;

export interface ReportMakerOptions {
  /** Of the metadata database, as the service role. */
  readonly url: string;
  readonly environment: NodeJS.ProcessEnv;
  /** BAUTA_LOG_WITNESSES: file with the policy whose witnesses page 1 counts; empty: it counts nobody. */
  readonly witnesses: string;
  /** How many processes at once. */
  readonly atOnce: number;
}

export interface MadeReports {
  readonly papers: readonly MadePaper[];
  readonly folder: string;
  readonly stored?: StoredReport;
  /** MUST be called: what was made lies there until then. */
  readonly discard: () => Promise<void>;
}

export class ReportMaker {
  private readonly children = new Set<ChildProcess>();
  private busy = 0;

  constructor(private readonly options: ReportMakerOptions) {}

  /** Throws REPORTS_BUSY, REPORT_NOT_MADE, TRUST_POLICY_*, or what the process throws. */
  async make(order: Omit<ReportOrder, 'metadata' | 'policy' | 'folder'>, signal?: AbortSignal): Promise<MadeReports> {
    const { url, atOnce, witnesses } = this.options;
    if (this.busy >= atOnce) throw toError('REPORTS_BUSY', { amount: String(atOnce) });
    this.busy += 1;
    const folder = await mkdtemp(join(tmpdir(), 'bauta-reports-'));
    const discard = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
      const answer = await this.ask({ ...order, metadata: url, policy: await readPolicyText(witnesses), folder }, signal);
      if ('error' in answer) throw toError(answer.error.code, answer.error.where);
      return { ...answer, folder, discard };
    } catch (error) {
      await discard();
      throw error;
    } finally {
      this.busy -= 1;
    }
  }

  /** Ends what is being made; whoever asked for it is told. */
  close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    return Promise.resolve();
  }

  private async ask(order: ReportOrder, signal: AbortSignal | undefined): Promise<ReportAnswer> {
    const { environment } = this.options;
    const isPassed = (name: string): boolean => passedOn.includes(name) || (order.store !== undefined && ofAws.test(name));
    const env = Object.fromEntries(Object.entries(environment).filter(([name]) => isPassed(name)));
    const child = spawn(process.execPath, [REPORTER], {
      ...{ stdio: ['pipe', 'pipe', 'ignore'], cwd: '/' },
      // What it spools lies in the folder that is removed at the end.
      env: { ...env, TMPDIR: order.folder },
    });
    this.children.add(child);
    const kill = (): void => void child.kill('SIGKILL');
    const timer = setTimeout(kill, LONGEST_MS);
    signal?.addEventListener('abort', kill, { once: true });
    if (signal?.aborted) kill();
    try {
      const ended = new Promise<void>((resolve, reject) => child.once('error', reject).once('close', () => resolve()));
      child.stdin.on('error', () => undefined);
      // It stays open: when this process is gone, the other ends, too.
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const [said] = await Promise.all([text(child.stdout), ended]);
      return JSON.parse(said) as ReportAnswer;
    } catch {
      throw toError('REPORT_NOT_MADE', { name: 'the process that made it ended, or took too long' });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      this.children.delete(child);
    }
  }
}

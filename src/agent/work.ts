// The agent at work: what the service has signed is done in its order, and answered. One run at a time; what comes meanwhile stops it or is told to it.
import { setTimeout as sleep } from 'node:timers/promises';

import type { Json } from '../kernel/canonical-json.js';
import type { BautaError } from '../kernel/errors.js';
import { toError, toFindings, toKnownError } from '../kernel/errors.js';
import { type ControlMessage, type ReceiptType, parseBegin, parseComplete, parsePublish } from '../systems/kafka/kafka.js';
import { dropVersion, rollBack } from './commands.js';
import type { AgentDoors } from './doors.js';
import { Inbox } from './inbox.js';
import { type Answered, toFindingsJson } from './receipts.js';
import { AgentRun, isPassing } from './run.js';

/** `withdrawn`: whoever told it to end answers for it. */
type Ended = 'published' | 'failed' | 'withdrawn';

const RETRY_MS = [200, 1000, 2000, 5000, 10_000];

export class Agent {
  private readonly inbox: Inbox;
  /** The numbers of its messages, which are done when it has ended. */
  private current: { readonly run: AgentRun; readonly sequences: number[]; readonly ended: Promise<Ended> } | undefined;

  constructor(private readonly doors: AgentDoors) {
    this.inbox = new Inbox(doors);
  }

  /** Until the signal; what is under way then is left as it stands. Throws AGENT_REVOKED. */
  async serve(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    await this.inbox.load();
    const reading = this.retry('control', both, () => this.inbox.read(both));
    reading.catch(() => ended.abort());
    try {
      for (let message = await this.inbox.next(both); message; message = await this.inbox.next(both)) await this.act(message, both);
    } finally {
      ended.abort();
      this.current?.run.stop();
      await this.current?.ended;
      await reading;
    }
  }

  private async act(message: ControlMessage, signal: AbortSignal): Promise<void> {
    const { type, runId, sequence } = message;
    if (type === 'begin') return this.begin(message, signal);
    if (type === 'complete' || type === 'publish') return this.tell(message);
    if (type === 'revoked' && runId === this.doors.home.identity.agentId) {
      await this.giveUp(toError('AGENT_REVOKED'));
      throw toError('AGENT_REVOKED');
    }
    if (type === 'withdraw') await this.withdraw(message, signal);
    else if (type === 'rollback') await this.answer(message, signal, 'rolled-back', () => rollBack(this.doors, message));
    else if (type === 'expire') {
      await this.endCurrent(runId, toError('AGENT_WITHDRAWN', { run: runId }));
      await this.answer(message, signal, 'expired', () => dropVersion(this.doors, runId, this.underWay));
    }
    await this.doors.home.done(sequence);
  }

  private async begin(message: ControlMessage, signal: AbortSignal): Promise<void> {
    const { runId, sequence } = message;
    await this.giveUp(toError('AGENT_SUPERSEDED', { run: this.current?.run.runId }));
    const body = parseBegin(message.body);
    if (!body) {
      await this.fail(message, toError('AGENT_BEGIN_INVALID', { name: 'begin' }), signal);
      return this.doors.home.done(sequence);
    }
    const run = new AgentRun(this.doors, runId, sequence, body);
    const sequences = [sequence];
    this.current = { run, sequences, ended: this.follow(run, message, sequences, signal) };
  }

  /** Attempt after attempt, for as long as the message lasts. Never rejects. */
  private async follow(run: AgentRun, message: ControlMessage, sequences: readonly number[], signal: AbortSignal): Promise<Ended> {
    const { doors } = this;
    let ended: Ended = 'published';
    doors.say(`run ${run.runId}: version ${message.version ?? ''} is loaded`);
    for (let attempt = 0; ; attempt++) {
      try {
        const { version, database } = await run.attempt();
        await this.send('published', run, { version, database }, signal);
        doors.metrics.ends.inc({ state: 'published' });
        doors.say(`run ${run.runId}: version ${version} is published`);
        break;
      } catch (error) {
        if (signal.aborted) return 'withdrawn';
        const known = toKnownError(error);
        const again = isPassing(known) && doors.clock.now() < Date.parse(message.expiresAt);
        if (!again) {
          ended = await this.end(run, known, signal);
          break;
        }
        doors.say(`run ${run.runId}: ${known.code}; it is tried again`);
        await sleep(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)], undefined, { signal }).catch(() => undefined);
      }
    }
    if (!signal.aborted) for (const sequence of sequences) await doors.home.done(sequence);
    return ended;
  }

  private async end(of: Answered, error: BautaError, signal: AbortSignal): Promise<Ended> {
    const ended = error.code === 'AGENT_WITHDRAWN' ? 'withdrawn' : 'failed';
    this.doors.metrics.ends.inc({ state: ended });
    if (ended === 'failed') await this.fail(of, error, signal);
    return ended;
  }

  private async fail(of: Answered, error: BautaError, signal: AbortSignal): Promise<void> {
    this.doors.say(`run ${of.runId}: ${error.code}: ${error.message}`);
    await this.send('failed', of, { findings: toFindingsJson(toFindings(error)) }, signal);
  }

  private async tell({ type, runId, sequence, body }: ControlMessage): Promise<void> {
    const { current } = this;
    if (current?.run.runId !== runId) return this.doors.home.done(sequence);
    current.sequences.push(sequence);
    const parsed = type === 'complete' ? parseComplete(body) : parsePublish(body);
    if (!parsed) return current.run.stop(toError('AGENT_BEGIN_INVALID', { name: type }));
    if ('root' in parsed) current.run.complete(parsed);
    else current.run.publish(parsed);
  }

  /** What is not published goes. A published version stays unless its own run took it back: then the version before it is current again. */
  private async withdraw(message: ControlMessage, signal: AbortSignal): Promise<void> {
    const { runId } = message;
    const ended = await this.endCurrent(runId, toError('AGENT_WITHDRAWN', { run: runId }));
    // It has said why, and nothing of it is left.
    if (ended === 'failed') return;
    const { reason } = message.body as { readonly reason?: unknown };
    await this.answer(message, signal, 'withdrawn', () =>
      dropVersion(this.doors, runId, this.underWay, reason === 'RUN_ENDED' ? 'roll back' : 'keep'),
    );
  }

  /** How it ended, by this or before; undefined: another one is under way, or none. */
  private async endCurrent(runId: string, reason: BautaError): Promise<Ended | undefined> {
    if (this.current?.run.runId !== runId) return undefined;
    const { run, ended } = this.current;
    run.stop(reason);
    const how = await ended;
    this.current = undefined;
    return how;
  }

  /** Of another run than the one that is asked about: what it has so far stays, also between two attempts. */
  private get underWay(): ReadonlySet<string> {
    return new Set(this.current ? [this.current.run.runId] : []);
  }

  private async giveUp(reason: BautaError): Promise<void> {
    if (this.current) await this.endCurrent(this.current.run.runId, reason);
  }

  /** Tried again while server or broker are away; whatever else goes wrong is told. */
  private async answer(
    message: ControlMessage,
    signal: AbortSignal,
    type: ReceiptType,
    work: () => Promise<Readonly<Record<string, Json>>>,
  ): Promise<void> {
    try {
      const body = await this.retry(message.runId, signal, work);
      if (body) await this.send(type, message, body, signal);
    } catch (error) {
      await this.fail(message, toKnownError(error), signal);
    }
  }

  private async send(type: ReceiptType, to: Answered, body: Readonly<Record<string, Json>>, signal: AbortSignal): Promise<void> {
    const refused = [...this.inbox.refused].map(([problem, amount]) => ({ problem, amount }));
    await this.retry('receipts', signal, () => this.doors.receipts.send(type, to, { ...body, refused }));
  }

  /** Undefined when the signal came. */
  private async retry<T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (signal.aborted) return undefined;
        const known = toKnownError(error);
        if (!isPassing(known) && !/^(TOPIC_MISSING|BROKER_)/.test(known.code)) throw error;
        this.doors.say(`${what}: ${known.code}; it is tried again`);
        await sleep(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)], undefined, { signal }).catch(() => undefined);
      }
    }
    return undefined;
  }
}

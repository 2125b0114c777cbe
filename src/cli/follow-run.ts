// A run of a service as somebody sees it who sits beside it: its server-sent events told by the renderer of a local run. A connection that is cut is
// made again, from the last event on.
import { setTimeout as sleep } from 'node:timers/promises';

import { toKnownError } from '../kernel/errors.js';
import type { Told } from '../pipeline/told.js';
import { type Server, parseAnswer } from './server.js';
import type { Telling } from './telling.js';

/** For so long a service that was there may be away. */
const PATIENCE_MS = 60_000;
const AGAIN_MS = 500;
/** Of one event: a verdict for each of thousands of columns. */
const LIMIT = 16 << 20;

/** What `GET /v1/runs/ID` tells, as far as it is needed here. */
export interface RunView {
  readonly id: string;
  readonly state: string;
  readonly endedAt: string | null;
  readonly summary: Readonly<Record<string, unknown>> | null;
}

interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** The run when it has ended. Throws what the service answers, or SERVER_UNREACHABLE once patience has ended. */
export async function followRun(server: Server, id: string, telling: Telling, stop?: AbortSignal): Promise<RunView> {
  const teller = new Teller(id, telling);
  let [last, heardAt] = ['', performance.now()];
  for (;;) {
    stop?.throwIfAborted();
    try {
      for await (const event of eventsOf(server, id, last, stop)) {
        heardAt = performance.now();
        if (event.id !== '') last = event.id;
        teller.tell(event);
      }
      const run = await server.ask<RunView>('GET', toRunPath(id));
      heardAt = performance.now();
      if (run.endedAt !== null) return run;
    } catch (error) {
      stop?.throwIfAborted();
      if (!isPassing(error) || performance.now() - heardAt > PATIENCE_MS) throw error;
    }
    await sleep(AGAIN_MS);
  }
}

export const toRunPath = (id: string): string => `/v1/runs/${encodeURIComponent(id)}`;

/** What time may mend; a certificate that is not trusted is none of it. */
export function isPassing(error: unknown): boolean {
  const { class: kind, code } = toKnownError(error);
  return (kind === 'UnavailableError' && code !== 'HTTP_CERTIFICATE_REFUSED') || code === 'RATE_EXCEEDED';
}

/** Until the service has no more, or the connection is cut. */
async function* eventsOf(server: Server, id: string, last: string, stop?: AbortSignal): AsyncGenerator<ServerEvent, void, undefined> {
  const headers = { Accept: 'text/event-stream', ...(last === '' ? {} : { 'Last-Event-ID': last }) };
  const { body, pieces, close = () => undefined } = await server.own.stream(`${toRunPath(id)}/events`, headers);
  if (!pieces) throw server.toTheirs(parseAnswer(body ?? ''));
  stop?.addEventListener('abort', close, { once: true });
  try {
    const decoder = new TextDecoder();
    let text = '';
    for await (const piece of pieces) {
      text += decoder.decode(piece, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      if (text.length > LIMIT) return;
      yield* events.map(parseEvent);
    }
  } finally {
    stop?.removeEventListener('abort', close);
    close();
  }
}

/** As `control/runs/stream-run.ts` writes them: one line for each member. */
function parseEvent(text: string): ServerEvent {
  const members = new Map(text.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]));
  const id = members.get('id') ?? '';
  return { id: /^[\d.]{1,20}$/.test(id) ? id : '', event: members.get('event') ?? '', data: parseAnswer(members.get('data') ?? '') };
}

class Teller {
  private rows = 0;

  constructor(
    private readonly id: string,
    private readonly telling: Telling,
  ) {}

  tell({ event, data }: ServerEvent): void {
    if (typeof data !== 'object' || data === null) return;
    if (event === 'told') this.telling.tell((data as { told: Told }).told);
    else if (event === 'progress') this.moved((data as { movedRows: number }).movedRows);
    else if (event === 'late') this.telling.say(`late     it was to have ended by ${(data as { deadlineAt: string }).deadlineAt}`);
    else if (event === 'state') this.entered(data as { state: string; attempt: number });
  }

  private moved(rows: number): void {
    if (rows > this.rows) this.telling.moved(rows - this.rows);
    this.rows = rows;
  }

  /** States that a run in this process does not have are said, all others show by what is told in them. */
  private entered({ state, attempt }: { readonly state: string; readonly attempt: number }): void {
    if (state !== 'extracting') this.telling.copied();
    if (state === 'awaiting-approval')
      this.telling.say('wait     until somebody with the right approves of the plan: bauta approvals list --state waiting');
    if (state === 'paused') this.telling.say(`wait     paused: bauta runs resume ${this.id}`);
    if (state === 'queued' && attempt > 1) this.telling.say(`again    attempt ${attempt}`);
  }
}

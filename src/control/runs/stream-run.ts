// Server-sent events of one run: every transition with its number, the rows in between, until the run has ended or the caller is gone.
import { type Metadata, isEnded } from '../../systems/metadata/metadata.js';
import type { Request, Response } from '../http/http.js';

const LOOK_MS = 250;
/** Then the stream ends; a client asks again with Last-Event-ID, and with a token that is looked at again. */
const LONGEST_MS = 10 * 60 * 1000;

export async function streamRun(metadata: Metadata, workspaceId: string, id: string, request: Request, response: Response): Promise<void> {
  const last = request.headers['last-event-id'];
  let seq = typeof last === 'string' && /^\d{1,9}$/.test(last) ? Number(last) : 0;
  let rows = '0';
  let late = false;
  const startedAt = performance.now();
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
  while (!response.closed && performance.now() - startedAt < LONGEST_MS) {
    const { run, events } = await metadata
      .within(workspaceId, async ({ runs }) => ({ events: await runs.events(id, seq), run: await runs.find(id) }))
      .catch(() => ({ run: undefined, events: [] }));
    for (const event of events) {
      seq = event.seq;
      response.write(`id: ${seq}\nevent: state\ndata: ${JSON.stringify(event)}\n\n`);
    }
    if (run && run.movedRows !== rows) {
      rows = run.movedRows;
      response.write(`event: progress\ndata: ${JSON.stringify({ movedRows: Number(rows) })}\n\n`);
    }
    if (run?.lateAt && !late) {
      late = true;
      response.write(`event: late\ndata: ${JSON.stringify({ deadlineAt: run.deadlineAt, lateAt: run.lateAt })}\n\n`);
    }
    // What cannot be read now is asked for again by the client.
    const unsent = events.length === 0;
    if (!run || (isEnded(run.state) && unsent)) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  response.end();
}

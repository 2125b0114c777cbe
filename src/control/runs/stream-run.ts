// Server-sent events of one run: every transition with its number, what the run tells people, the rows in between, until the run has ended or the
// caller is gone. An id is of both kinds of events that stay, as in 5.2: transitions that were sent, and things told.
import { type Metadata, isEnded } from '../../systems/metadata/metadata.js';
import { type Request, type Response, callerOf, isUuid } from '../http/http.js';

const LOOK_MS = 250;
/** Then the stream ends; a client asks again with Last-Event-ID, and with a token that is looked at again. */
const LONGEST_MS = 10 * 60 * 1000;
/** A stream that says nothing for longer is taken for dead on its way. */
const SILENT_MS = 10_000;

export async function streamRun(metadata: Metadata, workspaceId: string, id: string, request: Request, response: Response): Promise<void> {
  const last = request.headers['last-event-id'];
  const [, sent, heard] = (typeof last === 'string' && /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(last)) || [];
  let [seq, toldSeq] = [Number(sent ?? 0), Number(heard ?? 0)];
  let rows = '0';
  let late = false;
  const { personId, tokenId } = callerOf(request);
  const caller = { personId, tokenId: isUuid(tokenId) ? tokenId : null };
  const startedAt = performance.now();
  let saidAt = startedAt;
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
  while (!response.closed && performance.now() - startedAt < LONGEST_MS) {
    const { run, events, told } = await metadata
      .within(workspaceId, async ({ runs, log, people }) => ({
        // In this order: what was told before the run ended is there when its end is. Who was let out meanwhile sees no more.
        run: (await people.isStillIn(caller)) ? await runs.find(id) : undefined,
        events: await runs.events(id, seq),
        told: await log.withTexts(await runs.told(id, toldSeq)),
      }))
      .catch(() => ({ run: undefined, events: [], told: [] }));
    // What cannot be read now is asked for again by the client.
    if (!run) break;
    for (const one of told) {
      toldSeq = one.seq;
      response.write(`id: ${seq}.${toldSeq}\nevent: told\ndata: ${JSON.stringify(one)}\n\n`);
    }
    for (const event of events) {
      seq = event.seq;
      response.write(`id: ${seq}.${toldSeq}\nevent: state\ndata: ${JSON.stringify(event)}\n\n`);
    }
    if (run.movedRows !== rows) {
      rows = run.movedRows;
      response.write(`event: progress\ndata: ${JSON.stringify({ movedRows: Number(rows) })}\n\n`);
    }
    if (run.lateAt && !late) {
      late = true;
      response.write(`event: late\ndata: ${JSON.stringify({ deadlineAt: run.deadlineAt, lateAt: run.lateAt })}\n\n`);
    }
    const unsent = events.length === 0 && told.length === 0;
    if (isEnded(run.state) && unsent) break;
    if (!unsent) saidAt = performance.now();
    else if (performance.now() - saidAt > SILENT_MS) {
      saidAt = performance.now();
      response.write(': still here\n\n');
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  response.end();
}

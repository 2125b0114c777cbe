// The load, on a thread of its own: requests leave at a constant rate whatever becomes of those before them (an open model). A client that waits for
// its answer before it asks again would ask less of a service that stalls, and would measure one slow answer where many callers waited
// (coordinated omission). So each latency counts from the instant at which the request was due, not from when it could be sent.
import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

export interface Asked {
  /** What its latency is counted under. */
  readonly route: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

export interface Load {
  readonly url: string;
  readonly token: string;
  readonly perSecond: number;
  /** In this order, each once. */
  readonly asked: readonly Asked[];
  /** The first ones are not counted: nothing is compiled yet. */
  readonly uncounted: number;
}

export interface Arrived {
  readonly milliseconds: Readonly<Record<string, readonly number[]>>;
  /** From when the first counted request was due until the last answer. */
  readonly seconds: number;
  /** Answers that were none, or no 2xx, by status. */
  readonly refused: Readonly<Record<string, number>>;
  /** How late the requests left, the latest, in milliseconds: it is in the latencies. */
  readonly latestMs: number;
}

if (parentPort) parentPort.postMessage(await send(workerData as Load));

async function send({ url, token, perSecond, asked, uncounted }: Load): Promise<Arrived> {
  const agent = new Agent({ keepAlive: true });
  const milliseconds: Record<string, number[]> = {};
  const refused: Record<string, number> = {};
  const startedAt = performance.now() + 100;
  const dueAt = (i: number): number => startedAt + (i * 1000) / perSecond;
  let latestMs = 0;
  const answers: Promise<void>[] = [];
  for (const [i, one] of asked.entries()) {
    const wait = dueAt(i) - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    if (i >= uncounted) latestMs = Math.max(latestMs, performance.now() - dueAt(i));
    answers.push(
      ask(agent, url, token, one).then((status) => {
        if (i < uncounted) return;
        (milliseconds[one.route] ??= []).push(performance.now() - dueAt(i));
        if (status < 200 || status > 299) refused[status] = (refused[status] ?? 0) + 1;
      }),
    );
  }
  await Promise.all(answers);
  agent.destroy();
  return { milliseconds, refused, latestMs, seconds: (performance.now() - dueAt(uncounted)) / 1000 };
}

/** The status, once the whole answer is there; 0 when there was none. */
function ask(agent: Agent, url: string, token: string, { method, path, body }: Asked): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  return new Promise((resolve) => {
    const asking = request(url + path, { agent, method, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', () => resolve(0));
    });
    asking.once('error', () => resolve(0));
    asking.end(body);
  });
}

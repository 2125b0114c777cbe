// A network that can be cut: a proxy on this machine between a client and a server. MUST be closed in afterAll.
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

export interface CutNetwork {
  readonly port: number;
  /** Where it leads. */
  leadTo(port: number): void;
  /** Ends every connection, and takes no further one. */
  cut(): void;
  /** When a server of Kafka's protocol has answered the next request of this number, and before anybody hears of it. Resolves when it is cut. */
  cutBeforeAnswer(apiKey: number): Promise<void>;
  mend(): void;
  close(): Promise<void>;
}

export async function createCutNetwork(): Promise<CutNetwork> {
  let [to, isCut] = [0, false];
  const open = new Set<Socket>();
  let trap: { readonly apiKey: number; readonly caught: () => void } | undefined;
  const server = createServer((from) => {
    if (isCut) return void from.destroy();
    const on = connect({ host: '127.0.0.1', port: to });
    eachRequest(from, (apiKey) => {
      if (trap?.apiKey !== apiKey) return;
      const { caught } = trap;
      trap = undefined;
      on.unpipe(from);
      on.once('data', () => {
        cut();
        caught();
      }).resume();
    });
    for (const [one, other] of [
      [from, on],
      [on, from],
    ] as const) {
      open.add(one);
      one.pipe(other);
      // A reset of one side is the other's end.
      one.on('error', () => other.destroy());
      one.once('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    isCut = true;
    for (const socket of open) socket.resetAndDestroy();
  };
  return {
    ...{ port: (server.address() as AddressInfo).port, cut },
    cutBeforeAnswer: (apiKey) => new Promise((caught) => (trap = { apiKey, caught })),
    leadTo: (port) => void (to = port),
    mend: () => void (isCut = false),
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Frames of Kafka's protocol: a length in four bytes, then the request, which begins with its number in two. */
function eachRequest(from: Socket, hear: (apiKey: number) => void): void {
  let rest = Buffer.alloc(0);
  from.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 6 && rest.length >= 4 + rest.readInt32BE(0)) {
      hear(rest.readInt16BE(4));
      rest = rest.subarray(4 + rest.readInt32BE(0));
    }
  });
}

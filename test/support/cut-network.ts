// A network that can be cut: a proxy on this machine between a client and a server. MUST be closed in afterAll.
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

export interface CutNetwork {
  readonly port: number;
  /** Where it leads. */
  leadTo(port: number): void;
  /** Ends every connection, and takes no further one. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function createCutNetwork(): Promise<CutNetwork> {
  let [to, isCut] = [0, false];
  const open = new Set<Socket>();
  const server = createServer((from) => {
    if (isCut) return void from.destroy();
    const on = connect({ host: '127.0.0.1', port: to });
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
    leadTo: (port) => void (to = port),
    mend: () => void (isCut = false),
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

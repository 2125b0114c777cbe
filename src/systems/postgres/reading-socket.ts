// A socket that reads into one buffer of its own: Node's would leave 64 KiB of garbage per read, and a copy of a database is many reads.
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

const bufferBytes = 64 * 1024;

/** Sees the bytes while the call lasts; they are overwritten by the next read. */
export type Sink = (bytes: Uint8Array) => void;

const sinks = new WeakMap<Socket, Sink | undefined>();

/** Emits `data` as any socket does, with a copy, unless a sink is set. For connections without TLS, which takes the socket's place. */
export function createReadingSocket(): Socket {
  const onread: OnReadOpts = {
    buffer: Buffer.allocUnsafeSlow(bufferBytes),
    callback: (length, buffer) => {
      const bytes = buffer.subarray(0, length);
      const sink = sinks.get(socket);
      if (sink) sink(bytes);
      else socket.emit('data', Buffer.from(bytes));
      return true;
    },
  };
  // Node's types know `onread` for `connect` only.
  const options: SocketConstructorOpts & { readonly onread: OnReadOpts } = { onread };
  const socket = new Socket(options);
  sinks.set(socket, undefined);
  return socket;
}

/** Lets `sink` have what the socket reads instead of `listener`, who listens to its `data`; call the result to give it back. */
export function divert(socket: Socket, listener: (chunk: Buffer) => void, sink: Sink): () => void {
  if (sinks.has(socket)) {
    sinks.set(socket, sink);
    return () => void sinks.set(socket, undefined);
  }
  socket.removeListener('data', listener);
  socket.on('data', sink);
  return () => {
    socket.removeListener('data', sink);
    socket.on('data', listener);
  };
}

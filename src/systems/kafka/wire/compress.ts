// hot path: gzip whose state is used again. Made anew for each record it is 268 KB that V8 is told of, and every 64 MB of what it is told of are one more
// collection of the whole heap.
import { type Gzip, type ZlibReset, constants, createGzip } from 'node:zlib';

/** What came of several records lies in one piece of so many bytes. */
const chunkSize = 512 * 1024;

interface Compressor {
  readonly gzip: Gzip & ZlibReset;
  parts: Buffer[];
}

const idle: Compressor[] = [];

function create(): Compressor {
  // Each write is a whole. Gzip is deflate with a head and a sum, and is reset as deflate is; Node's types say so of deflate only.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, flush: constants.Z_FINISH, chunkSize }) as Gzip & ZlibReset;
  const one: Compressor = { gzip, parts: [] };
  // Whoever wrote is told of an error.
  gzip.on('data', (part: Buffer) => one.parts.push(part)).on('error', () => undefined);
  return one;
}

/** One gzip member (RFC 1952), at level 1. `bytes` are not kept. */
export function compress(bytes: Uint8Array): Promise<Buffer> {
  const one = idle.pop() ?? create();
  return new Promise((resolve, reject) => {
    one.gzip.write(bytes, (error) => {
      if (error) return reject(error);
      // What the stream has not handed on yet comes as `data` too.
      while (one.gzip.read() !== null);
      const { parts } = one;
      one.parts = [];
      one.gzip.reset();
      idle.push(one);
      resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
    });
  });
}

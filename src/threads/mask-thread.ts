// Entry of a masking thread: batch in, masked batch out. Holds derived keys only, opens no file but word tables, no socket, and logs nothing.
import { MessageChannel, parentPort, workerData } from 'node:worker_threads';

import { BautaError } from '../kernel/errors.js';
import { createMaskExecutor, type PreparedMask } from '../pipeline/mask/mask.js';
import { type Answer, type Request, toTransferable } from './message.js';

const port = parentPort;
if (!port) throw new Error('this file runs as a thread');

const executor = createMaskExecutor(workerData as PreparedMask);

/** The stage changes what it is given; shared memory is somebody else's, so it works on a copy, in memory that is kept. */
let own = new Uint8Array(0);
function toOwn(bytes: Uint8Array): Uint8Array {
  if (!(bytes.buffer instanceof SharedArrayBuffer)) return bytes;
  if (own.length < bytes.length) own = new Uint8Array(bytes.length * 2);
  own.set(bytes);
  return own.subarray(0, bytes.length);
}

/** A port that leads nowhere: memory that is transferred to it is freed at once, and not when the collector comes by. */
const nowhere = new MessageChannel().port1;
nowhere.close();

port.on('message', ({ id, batch, into }: Request) => {
  executor.mask({ ...batch, bytes: toOwn(batch.bytes) }).then(
    ({ table, range, sequence, rows, bytes }) => {
      const place = { table, range, sequence, rows };
      const { length } = bytes;
      if (length <= into.length) {
        into.set(bytes);
        if (bytes.byteLength === bytes.buffer.byteLength) nowhere.postMessage(null, [bytes.buffer as ArrayBuffer]);
        port.postMessage({ id, batch: { ...place, bytes: length } } satisfies Answer);
      } else {
        const whole = toTransferable(bytes);
        port.postMessage({ id, batch: { ...place, bytes: whole } } satisfies Answer, [whole.buffer]);
      }
    },
    (error: unknown) => {
      // Anything else is a defect without coordinates: the thread ends, and with it everything in flight.
      if (!(error instanceof BautaError)) process.exit(1);
      port.postMessage({ id, code: error.code, where: error.where } satisfies Answer);
    },
  );
});

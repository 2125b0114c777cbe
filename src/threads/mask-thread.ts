// Entry of a masking thread: batch in, masked batch out. Holds derived keys only, opens no file but word tables, no socket, and logs nothing.
import { parentPort, workerData } from 'node:worker_threads';

import { BautaError } from '../kernel/errors.js';
import { createMaskExecutor, type PreparedMask } from '../pipeline/mask/mask.js';
import { type Answer, type Request, toTransferable } from './message.js';

const port = parentPort;
if (!port) throw new Error('this file runs as a thread');

const executor = createMaskExecutor(workerData as PreparedMask);

port.on('message', ({ id, batch, into }: Request) => {
  executor.mask(batch, into).then(
    ({ table, range, sequence, rows, bytes }) => {
      const place = { table, range, sequence, rows };
      if (bytes.buffer === into.buffer) return port.postMessage({ id, batch: { ...place, bytes: bytes.length } } satisfies Answer);
      const whole = toTransferable(bytes);
      port.postMessage({ id, batch: { ...place, bytes: whole } } satisfies Answer, [whole.buffer]);
    },
    (error: unknown) => {
      // Anything else is a defect without coordinates: the thread ends, and with it everything in flight.
      if (!(error instanceof BautaError)) process.exit(1);
      port.postMessage({ id, code: error.code, where: error.where } satisfies Answer);
    },
  );
});

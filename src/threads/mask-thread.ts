// Entry of a masking thread: batch in, masked batch out. Holds derived keys only, opens no file but word tables, no socket, and logs nothing.
import { parentPort, workerData } from 'node:worker_threads';

import { BautaError } from '../kernel/errors.js';
import { createMaskExecutor, type PreparedMask } from '../pipeline/mask/mask.js';
import { type Answer, type Request, toTransferable } from './message.js';

const port = parentPort;
if (!port) throw new Error('this file runs as a thread');

const executor = createMaskExecutor(workerData as PreparedMask);

port.on('message', ({ id, batch }: Request) => {
  executor.mask(batch).then(
    (masked) => {
      const { batch: answer, buffer } = toTransferable(masked);
      port.postMessage({ id, batch: answer } satisfies Answer, [buffer]);
    },
    (error: unknown) => {
      // Anything else is a defect without coordinates: the thread ends, and with it everything in flight.
      if (!(error instanceof BautaError)) process.exit(1);
      port.postMessage({ id, code: error.code, where: error.where } satisfies Answer);
    },
  );
});

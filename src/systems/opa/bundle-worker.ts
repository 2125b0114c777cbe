// The thread in which a bundle of one's own is unpacked, checked and read, so that no decision waits for it. Of what goes wrong its code and place leave the thread.
import { parentPort, workerData } from 'node:worker_threads';

import { digestBytes } from '../../kernel/digest.js';
import { BautaError } from '../../kernel/errors.js';
import type { ReadApart, ToRead } from './read-apart.js';
import { parseUserBundle } from './user-bundle.js';

const { bytes, trust, entrypoint } = workerData as ToRead;
const digest = digestBytes(bytes);

async function read(): Promise<ReadApart> {
  try {
    const { revision, wasm, data } = await parseUserBundle(bytes, trust, entrypoint);
    return { digest, bundle: { revision, digest, wasm, data } };
  } catch (error) {
    return { digest, failure: error instanceof BautaError ? { code: error.code, where: error.where } : undefined };
  }
}

parentPort?.postMessage(await read());

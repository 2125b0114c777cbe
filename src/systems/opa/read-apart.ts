// A bundle of one's own, read in a thread of its own: unpacking, digests and data of a large one take longer than a decision may wait.
import { Worker } from 'node:worker_threads';

import { type BautaError, type Where, toError } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';
import type { Trust, UserBundle } from './user-bundle.js';

export interface ToRead {
  readonly bytes: Uint8Array;
  readonly trust: Trust;
  readonly entrypoint: string;
}

export interface ReadApart {
  /** Of what came, whatever it is. */
  readonly digest: string;
  readonly bundle?: Omit<UserBundle, 'entrypoints' | 'files'>;
  readonly failure?: { readonly code: ErrorCode; readonly where: Where } | undefined;
}

const limitMs = 60_000;

/** Throws POLICY_BUNDLE_* with the digest told before. */
export async function readApart(asked: ToRead, tellDigest: (digest: string) => void): Promise<NonNullable<ReadApart['bundle']>> {
  const { digest, bundle, failure } = await ask(asked);
  tellDigest(digest);
  if (bundle) return bundle;
  throw failure ? toError(failure.code, failure.where) : unreadable();
}

const unreadable = (): BautaError => toError('POLICY_BUNDLE_UNREADABLE', { expected: 'read within a minute and half a gigabyte' });

function ask(asked: ToRead): Promise<ReadApart> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./bundle-worker.js', import.meta.url), {
      ...{ workerData: asked, execArgv: [], env: {} },
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    const end = (): void => {
      clearTimeout(timer);
      void worker.terminate();
    };
    const gone = (): void => {
      end();
      reject(unreadable());
    };
    const timer = setTimeout(gone, limitMs);
    worker.once('message', (read: ReadApart) => {
      end();
      resolve(read);
    });
    worker.once('error', gone).once('exit', gone);
  });
}

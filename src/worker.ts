// Works on runs from the queue of a metadata database, until SIGINT or SIGTERM. Any number of these beside any number of `main.ts`.
import { composeRun, describeSource, toRequest } from './cli/compose.js';
import { sealProcess, tellUncaught } from './cli/seal-process.js';
import { tellWhyNot } from './control/announce.js';
import { startWorker } from './control/service.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
tellUncaught((error) => tellWhyNot(error, say));
try {
  sealProcess();
  const worker = await startWorker(process.env, { composeRun, describeSource, toRequest });
  say('bauta works; Ctrl-C stops it');
  let stopping: Promise<void> | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void (stopping ??= worker.stop()));
} catch (error) {
  process.exitCode = tellWhyNot(error, say);
}

// `npm start`: API, worker and sequencer in one process, until SIGINT or SIGTERM.
import { composeRun, describeSource, toRequest } from './cli/compose.js';
import { sealProcess, tellUncaught } from './cli/seal-process.js';
import { parseSettings } from './config/settings.js';
import { announce, tellWhyNot } from './control/announce.js';
import { startService } from './control/service.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
tellUncaught((error) => tellWhyNot(error, say));
try {
  const startedAt = performance.now();
  sealProcess();
  const service = await startService(process.env, { composeRun, describeSource, toRequest });
  announce(service, parseSettings(process.env).BAUTA_HOME, process.stderr.isTTY, say);
  say(`ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s; Ctrl-C stops it`);
  let stopping: Promise<void> | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void (stopping ??= service.stop()));
} catch (error) {
  process.exitCode = tellWhyNot(error, say);
}

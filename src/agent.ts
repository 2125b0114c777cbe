// The agent process, until SIGINT or SIGTERM: beside a test environment, from settings alone (BAUTA_AGENT_*). It holds no credential of production.
import { startAgent } from './agent/agent.js';
import { sealProcess, tellUncaught } from './cli/seal-process.js';
import { tellWhyNot } from './control/announce.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
tellUncaught((error) => tellWhyNot(error, say));
try {
  sealProcess();
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
  await startAgent({ environment: process.env, signal: stopping.signal, say });
} catch (error) {
  process.exitCode = tellWhyNot(error, say);
}

// `bauta agent`: the agent process on the command line.
import { join } from 'node:path';

import { startAgent } from '../agent/agent.js';
import type { GlobalOptions } from './context.js';
import { stripControls } from './print.js';

export interface AgentOptions extends GlobalOptions {
  readonly broker?: string;
  readonly target?: string;
  readonly tokenFile?: string;
}

export async function agent({ home, broker, target, tokenFile }: AgentOptions): Promise<number> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  try {
    const say = (line: string): void => void process.stderr.write(`${stripControls(line)}\n`);
    const folder = home === undefined ? undefined : join(home, 'agent');
    await startAgent({ environment: process.env, home: folder, broker, target, tokenFile, signal: stopping.signal, say });
    return 0;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}

// Processes of the service, started as a person starts them and ended as nobody should.
import { type ChildProcess, spawn } from 'node:child_process';

import { packageFile } from '../../src/kernel/package-root.js';

export interface ServiceProcess {
  readonly child: ChildProcess;
  /** What it said until it was ready. */
  readonly words: string;
}

const children = new Set<ChildProcess>();

/** Resolves when it is ready; rejects with its words when it ends before. */
export function begin(entry: 'main' | 'worker', env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [packageFile('dist', 'src', `${entry}.js`)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  child.once('close', () => children.delete(child));
  // What nobody reads would fill the pipe and hold the process.
  child.stdout.resume();
  return new Promise((resolve, reject) => {
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString();
      if (words.includes(entry === 'main' ? 'ready after' : 'bauta works')) resolve({ child, words });
    });
    child.once('close', () => reject(new Error(words)));
  });
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill(signal);
  await closed;
}

export async function endAll(): Promise<void> {
  await Promise.all([...children].map((child) => end(child, 'SIGTERM')));
}

// `node dist/bench/life.js`: what the life of a copy costs, one after the other at full scale: clones, drift, checks, archives and tokens. Each figure stands
// beside its ceiling in the same run; the first lines say which machine, when, and how busy it was.
// Usage: node dist/bench/life.js [--scale N] [--rows N]
import { spawn } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

import { packageFile } from '../src/kernel/package-root.js';
import { exitForHelp } from './help.js';

exitForHelp(`Usage: node dist/bench/life.js [--scale N] [--rows N]

Clones, drift, checks, archives and tokens, one after the other in processes of their own: what bench/clones, drift, checks, archive, kept-tokens and
tokens-in-a-run say, with machine, date and command.

  --scale N    how much of the reference workload: 1 is four million rows, 583 MB (1)
  --rows N     rows with tokens in a run (200,000)`);

const option = (name: string, fallback: string): string => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
};
const scale = ['--scale', option('--scale', '1')];
const parts: readonly (readonly [name: string, ...words: string[]])[] = [
  ['clones', ...scale],
  ['drift', ...scale],
  ['checks', ...scale],
  ['archive', ...scale],
  ['kept-tokens'],
  ['tokens-in-a-run', '--rows', option('--rows', '200000')],
];
const say = (text: string): void => void process.stdout.write(`${text}\n`);

say(
  `machine  ${cpus().length} × ${cpus()[0]?.model ?? ''}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}`,
);
say(`command  node dist/bench/life.js ${[...scale, '--rows', option('--rows', '200000')].join(' ')}`);
for (const [name, ...words] of parts) {
  say(`── ${name}  ${new Date().toISOString()}, load average ${loadavg()[0]?.toFixed(1) ?? ''}`);
  const code = await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(packageFile('dist', 'bench'), `${name}.js`), ...words], { stdio: 'inherit' });
    child.once('error', reject).once('exit', resolve);
  });
  if (code !== 0) {
    process.exitCode = 1;
    say(`${name} ended with ${String(code)}`);
  }
}

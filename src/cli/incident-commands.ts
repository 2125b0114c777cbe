// `bauta anomalies`, as the command line has it.
import { type Command, Option } from 'commander';

import { watchRules } from '../pipeline/watch.js';
import { command } from './command.js';

export function addIncidentCommands(program: Command, done: (exitCode: number) => void): void {
  command(program, 'anomalies', 'what a service found odd in its log, newest first', [
    'bauta anomalies list --server https://bauta.internal --token env:TOKEN',
    'bauta anomalies list --rule residual --json',
  ])
    .argument('<action>', 'list')
    .addOption(new Option('--rule <rule>', 'only of this one').choices([...watchRules]))
    .action(async (action: string, _, self: Command) =>
      done(await (await import('./anomalies.js')).anomalies(action, self.optsWithGlobals())),
    );
}

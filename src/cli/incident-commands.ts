// `bauta anomalies` and `bauta incidents`, as the command line has them.
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

  command(program, 'incidents', 'what is done about a leak at a service: open an incident, follow its steps, close it', [
    'bauta incidents open shop --reason "raw e-mail seen in qa-7, ticket SEC-42"',
    'bauta incidents list --open',
    'bauta incidents show ID',
    'bauta incidents file ID --name evidence.zip',
    'bauta incidents close ID --outcome resolved --reason "copy destroyed, rule mended in !311"',
  ])
    .argument('<action>', 'open, list, show, file, retry or close')
    .argument('[what]', 'with open: the pipeline; else the id')
    .option('--playbook <name>', 'with open: default pii-leak')
    .option('--rule <name>', 'with open: what says that something is wrong; default manual')
    .option('--reason <text>', 'with open and close: why; the log holds a commitment to it')
    .addOption(new Option('--outcome <word>', 'with close').choices(['resolved', 'false-alarm']))
    .option('--open', 'with list: only those that are not closed')
    .option('--name <file>', 'with file: which of them', 'evidence.zip')
    .option('--out <path>', 'with file: where to; default: its name here')
    .addHelpText('after', '\nExit code 1: a step of the incident failed.')
    .action(async (action: string, what: string | undefined, _, self: Command) =>
      done(await (await import('./incidents.js')).incidents(action, what, self.optsWithGlobals())),
    );
}

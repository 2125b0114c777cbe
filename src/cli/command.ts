// How every command is added, and which of them a service can do.
import type { Command } from 'commander';
import { Argument, Option } from 'commander';

import { toError } from '../kernel/errors.js';

/** A command with what every command has; `formats`: what `--format` may be. */
export function command(
  program: Command,
  name: string,
  summary: string,
  examples: readonly string[],
  formats: readonly string[] = ['text', 'json'],
): Command {
  // Known there too, so that who asks for it is told what it is for.
  const local = !remote.includes(name);
  return program
    .command(name)
    .description(summary)
    .exitOverride()
    .option('--home <folder>', 'folder of keys, log and runs (default: BAUTA_HOME or .bauta)')
    .hook('preAction', (_, self) => refuseServer(self))
    .option('--json', 'one JSON object on stdout, everything else on stderr')
    .addOption(new Option('--format <format>', '`--format json` is `--json`').choices(formats))
    .addOption(
      new Option('--server <url>', 'the service to do it at: https://HOST, or http:// here (default: BAUTA_SERVER)').hideHelp(local),
    )
    .addOption(new Option('--token <reference>', 'a token of that service: env:NAME or file:PATH (default: BAUTA_TOKEN)').hideHelp(local))
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}

const remote = [
  'plan',
  'apply',
  'run',
  'runs',
  'approvals',
  'people',
  'access',
  'apikeys',
  'check',
  'datasets',
  'environments',
  'clones',
  'rollback',
  'pull',
  'expire',
  'hold',
  'revoke',
  'erase',
  'breach',
  'evidence',
  'waivers',
  'anomalies',
  'incidents',
  'schedules',
  'keys',
  'secrets',
  'gate',
  'decisions',
  'policy',
  'breakglass',
  'agents',
  'audit',
  'report',
  'reports',
];

/** A service that is named is spoken to, or it is an error: nothing is done here that was meant for there. */
function refuseServer(command: Command): void {
  const name = command.name();
  if (!remote.includes(name) && command.opts<{ server?: string }>().server !== undefined)
    throw toError('COMMAND_NOT_REMOTE', { name, expected: remote.join(', ') });
}

export function nameArgument(): Argument {
  return new Argument('[name]', 'with --server: a pipeline that is applied there');
}

export function fileOption(): Option {
  return new Option('-f, --file <path>', 'the pipeline document (YAML or JSON); with --server it has to be what is applied there');
}

// The commands, their options and their examples; what each does is in the file of its name.
import { readFileSync } from 'node:fs';

import { Command, CommanderError, Option } from 'commander';

import { packageFile } from '../kernel/package-root.js';
import { InputError } from '../kernel/errors.js';
import type { GlobalOptions } from './context.js';
import { printError, toExitCode } from './print.js';

/** Runs one command line and gives its exit code; never throws and never ends the process. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => (exitCode = code));
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 3;
    const options = program.opts<{ json?: boolean; format?: string }>();
    printError(error, options.json === true || options.format === 'json' || words.includes('--json'));
    return toExitCode(error);
  }
}

/** `done` is called with the exit code of the command that ran. */
export function createProgram(done: (exitCode: number) => void): Command {
  const { version, description } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    version: string;
    description: string;
  };
  const program = new Command('bauta')
    .description(description)
    .version(version)
    .exitOverride()
    .showHelpAfterError('(bauta <command> --help shows examples)');
  program.configureHelp({ sortSubcommands: false, showGlobalOptions: false });

  command(program, 'completion', 'print a completion script for bash, zsh or fish', [
    'bauta completion bash > /etc/bash_completion.d/bauta',
  ])
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => done((await import('./completion.js')).completion(shell, program)));
  return program;
}

function command(program: Command, name: string, summary: string, examples: readonly string[]): Command {
  return program
    .command(name)
    .description(summary)
    .exitOverride()
    .option('--home <folder>', 'folder of keys, log and runs (default: BAUTA_HOME or .bauta)')
    .option('--json', 'one JSON object on stdout, everything else on stderr')
    .addOption(new Option('--format <format>', '`--format json` is `--json`').choices(['text', 'json']))
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}

export function fileOption(): Option {
  return new Option('-f, --file <path>', 'the pipeline document (YAML or JSON)').makeOptionMandatory();
}

export function parseCount(name: string, text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) < 1) throw new InputError('OPTION_INVALID', { name, expected: 'a number from 1 to 999' });
  return Number(text);
}

/** `90s`, `30m`, `2h` or milliseconds with `ms`, as milliseconds. */
export function parseDuration(text: string): number {
  const [, amount, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const factors: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (amount === undefined || unit === undefined)
    throw new InputError('OPTION_INVALID', { name: '--timeout', expected: 'a duration such as 90s, 30m or 2h' });
  return Number(amount) * (factors[unit] ?? 1);
}

export type { GlobalOptions };

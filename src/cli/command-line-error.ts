// What commander says of a command line becomes an error of ours: a code, the word, the nearest one. Words of the caller are shown only if
// they look like the name of an option or a command: anything else may be a value.
import type { Command, CommanderError } from 'commander';

import { type BautaError, toError } from '../kernel/errors.js';
import { isConnectionString } from '../kernel/connection-string.js';
import { findNearest } from '../kernel/nearest.js';

/** Refused before anything is parsed, so that nothing repeats it. */
export function findSecretWord(words: readonly string[]): BautaError | undefined {
  const at = words.findIndex((word) => isConnectionString(word) || /^-{0,2}(pg)?pass(word|wd)?=./i.test(word));
  return at < 0 ? undefined : toError('COMMAND_LINE_SECRET', { amount: String(at + 1) });
}

export function toCommandLineError(error: CommanderError, program: Command, words: readonly string[]): BautaError {
  const command = program.commands.find((one) => words.includes(one.name()));
  const help = command ? `bauta ${command.name()} --help` : 'bauta --help';
  const [, quoted = ''] = /'([^']*)'/.exec(error.message) ?? [];
  switch (error.code) {
    case 'commander.unknownCommand': {
      const names = program.commands.map((one) => one.name());
      return toError('COMMAND_UNKNOWN', { name: toShown(quoted), expected: findNearest(quoted, names) ?? names.join(', ') });
    }
    case 'commander.unknownOption': {
      const options = (command ?? program).options.flatMap(({ long }) => long ?? []).concat('--help');
      return toError('OPTION_UNKNOWN', { name: toShown(quoted), expected: findNearest(quoted, options) ?? options.join(', ') });
    }
    case 'commander.missingMandatoryOptionValue':
    case 'commander.missingArgument':
      return toError('OPTION_MISSING', { name: quoted, expected: help });
    case 'commander.optionMissingArgument':
      return toError('OPTION_MISSING', { name: `the value of ${quoted}`, expected: help });
    case 'commander.excessArguments':
      return toError('COMMAND_LINE_INVALID', { name: 'there is a word too many', expected: help });
    case 'commander.invalidArgument': {
      const [, flags = 'an option', choices = 'something else'] =
        /option '([^']+)'.*Allowed choices are ([\w, ]+)/.exec(error.message) ?? [];
      return toError('OPTION_INVALID', { name: flags, expected: `one of ${choices}` });
    }
    default:
      return toError('COMMAND_LINE_INVALID', { name: 'it names no command', expected: help });
  }
}

function toShown(word: string): string {
  const [name = ''] = word.split('=');
  return /^-{0,2}[A-Za-z][A-Za-z-]{0,30}$|^-[A-Za-z]$/.test(name) ? name : '[not shown]';
}

// Completion scripts, written from the same program that parses: a new option completes the day it is there.
import type { Command } from 'commander';

import { InputError } from '../kernel/errors.js';

const shells = ['bash', 'zsh', 'fish'];

export function completion(shell: string, program: Command): number {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    summary: command.description(),
    options: [...command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? ''), '--help'],
    choices: command.options.flatMap(({ long, argChoices }) => (argChoices ? [{ option: long ?? '', words: argChoices }] : [])),
  }));
  const bash = toBash(commands);
  const scripts: Readonly<Record<string, string>> = {
    bash,
    zsh: `autoload -U +X bashcompinit && bashcompinit\n${bash}`,
    fish: toFish(commands),
  };
  const script = scripts[shell];
  if (script === undefined) throw new InputError('OPTION_INVALID', { name: 'shell', expected: 'bash, zsh or fish' });
  process.stdout.write(script);
  return 0;
}

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly string[];
  readonly choices: readonly { readonly option: string; readonly words: readonly string[] }[];
}

function toBash(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, options }) => `    ${name}) words="${options.join(' ')}" ;;`);
  const choices = new Map(commands.flatMap((command) => command.choices.map(({ option, words }) => [option, words.join(' ')])));
  const values = [...choices].map(([option, words]) => `    ${option}) COMPREPLY=($(compgen -W "${words}" -- "$word")); return ;;`);
  return `_bauta() {
  local word="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -le 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')}$([[ "$word" == -* ]] && echo ' --help --version')" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
    completion) COMPREPLY=($(compgen -W "${shells.join(' ')}" -- "$word")); return ;;
  esac
  if [[ "$word" != -* ]]; then COMPREPLY=($(compgen -f -- "$word")); return; fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o filenames -F _bauta bauta
`;
}

function toFish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, summary, options, choices }) => [
    `complete -c bauta -f -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", '’')}'`,
    ...options.map((option) => {
      const words = choices.find((choice) => choice.option === option)?.words;
      return `complete -c bauta -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}${words ? ` -x -a '${words.join(' ')}'` : ''}`;
    }),
  ]);
  return `${lines.join('\n')}\ncomplete -c bauta -f -n '__fish_seen_subcommand_from completion' -a '${shells.join(' ')}'\n`;
}

// Completion scripts, written from the same program that parses: a new option completes the day it is there.
import type { Command } from 'commander';

import { InputError } from '../kernel/errors.js';

export function completion(shell: string, program: Command): number {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    summary: command.description(),
    options: command.options.map((option) => option.long ?? ''),
  }));
  const cases = commands.map(({ name, options }) => `    ${name}) words="${options.join(' ')}" ;;`).join('\n');
  const names = commands.map(({ name }) => name).join(' ');
  const bash = `_bauta() {
  local words="${names}"
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
  if [ "$COMP_CWORD" -gt 1 ] && [[ "\${COMP_WORDS[COMP_CWORD]}" != -* ]]; then COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); return; fi
  [ "$COMP_CWORD" -eq 1 ] && words="${names}"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _bauta bauta
`;
  const fish = commands
    .flatMap(({ name, summary, options }) => [
      `complete -c bauta -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", '’')}'`,
      ...options.map((option) => `complete -c bauta -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`),
    ])
    .join('\n');
  const scripts: Readonly<Record<string, string>> = {
    bash,
    zsh: `autoload -U +X bashcompinit && bashcompinit\n${bash}`,
    fish: `${fish}\n`,
  };
  const script = scripts[shell];
  if (script === undefined) throw new InputError('OPTION_INVALID', { name: 'shell', expected: 'bash, zsh or fish' });
  process.stdout.write(script);
  return 0;
}

// `bauta environments`, `bauta hold`, `bauta revoke`, `bauta erase` and `bauta drift`, as the command line has them.
import type { Argument, Command, Option } from 'commander';

type AddCommand = (name: string, summary: string, examples: readonly string[]) => Command;

export function addMarkCommands(
  command: AddCommand,
  {
    parseVersion,
    nameArgument,
    fileOption,
  }: {
    readonly parseVersion: (name: string, text: string) => number;
    readonly nameArgument: () => Argument;
    readonly fileOption: () => Option;
  },
  done: (exitCode: number) => void,
): void {
  command('environments', 'what a service has in each environment: versions, drift, readers, expiry, holds, clones', [
    'bauta environments --server https://bauta.internal --token env:TOKEN',
  ]).action(async (_, self: Command) => done(await (await import('./environments.js')).environments(self.optsWithGlobals())));

  command('hold', 'keep a dataset version from being dropped, until an instant, or lift that again', [
    'bauta hold 3 -f pipeline.yaml --until 2031-01-31T00:00:00Z --reason "dispute 2026/17"',
    'bauta hold 3 -f pipeline.yaml --lift --reason "the dispute is settled"',
    'bauta hold 3 shop --until 2031-01-31T00:00:00Z --reason "dispute 2026/17" --server https://bauta.internal --token env:TOKEN',
  ])
    .argument('<version>', 'its number', (text: string) => parseVersion('the version', text))
    .addArgument(nameArgument())
    .addOption(fileOption())
    .requiredOption('--reason <text>', 'why; the log holds a commitment to it')
    .option('--until <instant>', 'as RFC 3339; afterwards it stops nothing')
    .option('--lift', 'it is held no more')
    .addHelpText('after', '\nExit code 2: with --server a lift waits for a second person.')
    .action(async (version: number, name: string | undefined, _, self: Command) =>
      done(await (await import('./mark.js')).hold(version, { ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  command('revoke', 'make a dataset version unusable for roll-back, clones and reuse; it stays where it is', [
    'bauta revoke 3 -f pipeline.yaml --reason "made with a wrong rulebook"',
    'bauta revoke 3 shop --reason "made with a wrong rulebook" --server https://bauta.internal --token env:TOKEN',
  ])
    .argument('<version>', 'its number', (text: string) => parseVersion('the version', text))
    .addArgument(nameArgument())
    .addOption(fileOption())
    .requiredOption('--reason <text>', 'why; the log holds a commitment to it')
    .action(async (version: number, name: string | undefined, _, self: Command) =>
      done(await (await import('./mark.js')).revoke(version, { ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  command('erase', 'make sure that a person who is gone at the source is gone from the copies of a target too', [
    'bauta erase -f pipeline.yaml --reason "request 2026/17 of the data protection officer"',
    'bauta erase -f pipeline.yaml',
    'bauta erase shop --server https://bauta.internal --token env:TOKEN --reason "request 2026/17" --how refresh --subject person.json',
  ])
    .addArgument(nameArgument())
    .addOption(fileOption())
    .option('--reason <text>', 'asks for it; why, and never who: the log holds a commitment. Without: what was asked for is gone on with')
    .option(
      '--how <way>',
      'with --server: drop (somebody makes the next version; the default) or refresh (a run for it is asked for at once)',
    )
    .option(
      '--subject <path>',
      'with --server: a file, or - for stdin, of [{"table": "shop.customer", "column": "id", "value": "17"}]: who is looked for before anything is dropped',
    )
    .addHelpText(
      'after',
      '\nDelete the rows at the source first. From then on nothing uses a version that was made before; previous ones and clones are dropped at\nonce, the current one by the next run. At a service who it is goes to one worker, sealed, and is kept nowhere. Exit codes: 0 nothing is left on the target, 1 something is: held, or current.',
    )
    .action(async (name: string | undefined, _, self: Command) =>
      done(await (await import('./erase.js')).erase({ ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  command('drift', 'say whether the rows of the current dataset version are still those that were published', [
    'bauta drift -f pipeline.yaml',
    'bauta drift -f pipeline.yaml --json',
  ])
    .requiredOption('-f, --file <path>', 'the pipeline document (YAML or JSON)')
    .addHelpText('after', '\nReads every row of the copy, and never the source. Exit codes: 0 as published, 1 drifted or unknown.')
    .action(async (_, self: Command) => done(await (await import('./drift.js')).drift(self.optsWithGlobals())));
}

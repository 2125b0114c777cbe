// `bauta policy`, as the command line has it.
import { Argument, type Command } from 'commander';

import { command } from './command.js';
import { parseCount } from './option-values.js';

export function addPolicyCommands(program: Command, done: (exitCode: number) => void): void {
  command(program, 'policy', 'rules: test them, build a signed bundle, explain a decision, see what other rules would decide', [
    'bauta policy test my-rules',
    'bauta policy build my-rules --out bundle.tar.gz --signing-key file:key.pem',
    'bauta policy explain 6f1c1c1e-8a55-4c1e-9d3c-2f5d5a1f0b11',
    'bauta policy explain --inputs question.json --bundle bundle.tar.gz',
    'bauta policy diff before.tar.gz after.tar.gz --server https://bauta.internal --token env:TOKEN',
  ])
    .addArgument(new Argument('<action>', 'test, build, explain or diff').choices(['test', 'build', 'explain', 'diff']))
    .argument('[what...]', 'with test and build: the folder of rules; with explain: the decision; with diff: two bundles, or the new one')
    .option('--out <file>', 'with build: where the bundle goes (default: bundle.tar.gz)')
    .option('--signing-key <reference>', 'with build: the private key that signs it, in PEM: env:NAME or file:PATH')
    .option('--revision <text>', 'with build: what the bundle is called in decisions (default: a digest of its rules and data)')
    .option(
      '--inputs <path>',
      'with explain and diff: a record or input, or a folder of them, as JSON instead of decisions that were taken',
    )
    .option('--bundle <file>', 'with explain: a bundle that is asked, too (default: the one in force)')
    .option('--count <n>', 'with diff and --server: how many of the newest decisions (200)', (text) => parseCount('--count', text))
    .addHelpText(
      'after',
      '\ntest and build need the opa program on PATH; explain and diff do not, and deciding never does.\nExit codes: test 1: a test failed; diff 1: a decision would change.',
    )
    .action(async (action: string, what: readonly string[], _, self: Command) =>
      done(await (await import('./policy.js')).policy(action, what, self.optsWithGlobals())),
    );
}

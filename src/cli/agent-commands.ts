// `bauta agents` and `bauta agent`, as the command line has them.
import type { Command } from 'commander';

import { command } from './command.js';
import { parseDuration } from './option-values.js';

export function addAgentCommands(program: Command, done: (exitCode: number) => void): void {
  command(program, 'agents', 'who may load what goes to an environment through a broker: invite, list, revoke', [
    'bauta agents invite dev --broker env:BROKER_URL --wait 10m > agent.token',
    'bauta agents list dev --broker env:BROKER_URL',
    'bauta agents revoke dev 0abcdefghjkmnpqr --broker env:BROKER_URL',
    'bauta agents invite dev --server https://bauta.example.com > agent.token',
  ])
    .argument('<action>', 'invite, list or revoke')
    .argument('<of>', 'name of the environment, as the pipeline has it')
    .argument('[id]', 'with revoke: that of the agent')
    .option('--broker <reference>', 'address of the broker: env:NAME or file:PATH; not with --server')
    .option('--prefix <prefix>', 'what the names of its topics begin with (bauta)')
    .option('--lasts <duration>', 'with invite: how long the token may be used, from 15m to 168h (1h)', parseDuration)
    .option('--wait <duration>', 'with invite: until an agent is enrolled', parseDuration)
    .addHelpText(
      'after',
      '\nThe token is shown once. Whoever answered by one is enrolled when somebody lists, or waits; a service takes him by itself.',
    )
    .action(async (action: string, environment: string, agent: string | undefined, _, self: Command) =>
      done(await (await import('./agents.js')).agents(action, environment, agent, self.optsWithGlobals())),
    );

  command(program, 'agent', 'load and publish what a service signed, beside a test environment, until Ctrl-C', [
    'bauta agent --token-file agent.token --broker env:BROKER_URL --target env:TARGET_URL',
    'bauta agent --broker env:BROKER_URL --target env:TARGET_URL',
  ])
    .option('--broker <reference>', 'address of the broker: env:NAME or file:PATH (default: BAUTA_AGENT_BROKER)')
    .option('--target <reference>', 'connection string of its database (default: BAUTA_AGENT_TARGET)')
    .option('--token-file <path>', 'a file with the token of bauta agents invite; needed once (default: BAUTA_AGENT_TOKEN)')
    .addHelpText('after', '\nIts keys and what it was told lie in the folder `agent` of its home: whoever has that folder is the agent.')
    .action(async (_, self: Command) => done(await (await import('./agent.js')).agent(self.optsWithGlobals())));
}

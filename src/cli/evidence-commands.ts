// `bauta evidence` and `bauta waivers`, as the command line has them.
import { type Command, Option } from 'commander';

import { scanFormats } from '../systems/scanners/scanners.js';
import { command } from './command.js';

export function addEvidenceCommands(program: Command, done: (exitCode: number) => void): void {
  command(program, 'evidence', 'send a report of a scanner or a test to a service, or see what was sent', [
    'bauta evidence send trivy.json --image shop@sha256:… --server https://bauta.internal --token env:TOKEN',
    'bauta evidence send junit.xml --commit $GITHUB_SHA --json',
    'bauta evidence list --environment staging',
    'bauta evidence show ID',
    'bauta evidence withdraw ID --reason "the scanner ran without its database"',
  ])
    .argument('<action>', 'send, list, show or withdraw')
    .argument('[what]', 'with send: the file; with show and withdraw: the id')
    .addOption(new Option('--type <format>', 'with send: what the tool wrote; default: what the file looks like').choices(scanFormats))
    .option('--commit <sha>', 'of which commit it is; of a job its identity token says it')
    .option('--image <digest>', 'of which image: sha256:… or NAME@sha256:…; a tag is what somebody moves')
    .option('--environment <name>', 'of which environment')
    .option('--repository <id>', 'of the commit; of a job its identity token says it')
    .option('--reason <text>', 'with withdraw: why; the log holds a commitment to it')
    .addHelpText('after', '\nExit code 1: the report was kept, and is no evidence: no rule ran, nothing was looked at, or the tool failed.')
    .action(async (action: string, what: string | undefined, _, self: Command) =>
      done(await (await import('./evidence.js')).evidence(action, what, self.optsWithGlobals())),
    );

  command(program, 'waivers', 'findings that do not count for a while at a service: ask for one, list, end', [
    'bauta waivers ask CVE-2026-1234 --repository 74 --until 2026-12-31T00:00:00Z --reason "not reachable, see SEC-17"',
    'bauta waivers list --server https://bauta.internal --token env:TOKEN',
    'bauta waivers end ID',
  ])
    .argument('<action>', 'ask, list or end')
    .argument('[what]', 'with ask: the rule, as the tool names it; with end: the id')
    .option('--until <instant>', 'with ask: as RFC 3339, a year away at most')
    .option('--reason <text>', 'with ask: why; the log holds a commitment to it')
    .option('--finding <fingerprint>', 'with ask: only this one (bauta evidence show)')
    .option('--repository <id>', 'with ask: only what jobs of this repository send')
    .option('--image <digest>', 'with ask: only this image, by sha256:…')
    .option('--environment <name>', 'with ask: only this environment')
    .addHelpText('after', '\nExit code 2: with ask it waits for a second person.')
    .action(async (action: string, what: string | undefined, _, self: Command) =>
      done(await (await import('./waivers.js')).waivers(action, what, self.optsWithGlobals())),
    );
}

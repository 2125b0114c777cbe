// `bauta gate` and `bauta decisions`, as the command line has them.
import { Argument, type Command } from 'commander';

import { command } from './command.js';
import { parseCount, parseDuration } from './option-values.js';

export function addGateCommands(program: Command, done: (exitCode: number) => void): void {
  command(program, 'decisions', 'what gates decided: list, show, replay; without a service replay takes a decision about a plan again', [
    'bauta decisions replay 6f1c1c1e-8a55-4c1e-9d3c-2f5d5a1f0b11',
    'bauta decisions list --gate production --server https://bauta.internal --token env:TOKEN',
    'bauta decisions show 6f1c1c1e-8a55-4c1e-9d3c-2f5d5a1f0b11 --json',
  ])
    .addArgument(new Argument('<action>', 'list, show or replay').choices(['list', 'show', 'replay']))
    .argument('[id]', 'of the decision')
    .option('--gate <name>', 'with list: of this gate')
    .option('--count <n>', 'with list: how many of the newest (20)', (text) => parseCount('--count', text))
    .addHelpText('after', '\nExit code 1: taken again, the answer is another one.')
    .action(async (action: string, id: string | undefined, _, self: Command) =>
      done(await (await import('./decisions.js')).decisions(action, id, self.optsWithGlobals())),
    );

  command(
    program,
    'gate',
    'ask a gate of a service whether a version may be deployed',
    [
      'bauta gate check production --environment prod-eu --service web --commit "$GIT_SHA" --image "$IMAGE" --statement statement.json',
      'bauta gate check production --environment prod-eu --service web --commit "$GIT_SHA" --format markdown >> "$GITHUB_STEP_SUMMARY"',
    ],
    ['text', 'json', 'junit', 'sarif', 'markdown'],
  )
    .addArgument(new Argument('<action>', 'check').choices(['check']))
    .argument('[gate]', 'a Gate that is applied there')
    .option('--environment <name>', 'where it shall go')
    .option('--service <name>', 'what shall go there')
    .option('--commit <id>', 'the commit, in full')
    .option('--image <name>', 'the image as REPOSITORY@sha256:DIGEST; a tag alone is denied')
    .option('--dataset <version>', 'what the tests ran on, to be held against the statement: the run, or TARGET@VERSION')
    .option('--statement <file>', 'what bauta attest --json said of the database that the tests ran on; - is stdin')
    .option('--environment-statement <file>', 'what it said of the database that the deployment is connected with')
    .option('--timeout <duration>', 'how long to wait for an answer, such as 10s', parseDuration)
    .option('--breakglass <file>', 'a signed note of bauta breakglass fetch: past the gate, once, where it says no or cannot be asked')
    .option('--key <file>', 'log.pub, to check the note by where the service cannot be reached')
    .addHelpText('after', '\nExit codes: 0 allow, 2 deny, 4 the time-out passed, 1 it could not be asked or decided, whatever the reason.')
    .action(async (action: string, name: string | undefined, _, self: Command) =>
      done(await (await import('./gate.js')).gate(action, name, self.optsWithGlobals())),
    );

  command(program, 'breakglass', 'one deployment past its gate, by two approvers, at a service', [
    'bauta breakglass ask production --environment prod-eu --service web --commit "$GIT_SHA" --for 2h --reason "outage 4711"',
    'bauta breakglass fetch ID --output glass.note',
    'bauta gate check production --environment prod-eu --service web --commit "$GIT_SHA" --breakglass glass.note --key log.pub',
    'bauta breakglass review ID --comment "the fix was tested the next day"',
  ])
    .addArgument(new Argument('<action>', 'what to do').choices(['ask', 'list', 'show', 'fetch', 'review', 'hand-in']))
    .argument('[what]', 'with ask: the gate; with show, fetch and review: the id')
    .option('--environment <name>', 'with ask: where it shall go')
    .option('--service <name>', 'with ask: what shall go there')
    .option('--commit <id>', 'with ask: the commit, in full')
    .option('--for <duration>', 'with ask: how long it is good for, four hours at most (4h)', parseDuration)
    .option('--reason <text>', 'with ask: why; the log holds a commitment to it')
    .option('--output <file>', 'with fetch: a new file that nobody else can read; default: stdout')
    .option('--comment <text>', 'with review: what was found')
    .addHelpText('after', '\nExit codes: 2 with ask: two others have to agree first; 1 with hand-in: something is still to be handed in.')
    .action(async (action: string, what: string | undefined, _, self: Command) =>
      done(await (await import('./breakglass.js')).breakglass(action, what, self.optsWithGlobals())),
    );
}

// The commands, their options and their examples; what each does is in the file of its name.
import { readFileSync } from 'node:fs';

import { Command, CommanderError, Option } from 'commander';

import { packageFile } from '../kernel/package-root.js';
import type { GlobalOptions } from './context.js';
import { findSecretWord, toCommandLineError } from './command-line-error.js';
import { addAgentCommands } from './agent-commands.js';
import { addAuditCommands } from './audit-commands.js';
import { command, fileOption, nameArgument } from './command.js';
import { addEvidenceCommands } from './evidence-commands.js';
import { addIncidentCommands } from './incident-commands.js';
import { addGateCommands } from './gate-commands.js';
import { addMarkCommands } from './mark-commands.js';
import { addPolicyCommands } from './policy-commands.js';
import { addReportCommands } from './report-commands.js';
import { parseCount, parseDuration, parseHours, parseVersion } from './option-values.js';
import { asksForJson, findCommand, writeFailure } from './failure.js';
import { printError, toExitCode } from './print.js';

/** Runs one command line and gives its exit code; never throws and never ends the process. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => (exitCode = code));
  try {
    const secret = findSecretWord(words);
    if (secret) throw secret;
    if (words.length === 0) {
      // Nothing was asked: the help is the answer, and no success.
      process.stderr.write(program.helpInformation());
      return 3;
    }
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    return tellFailure(words, thrown instanceof CommanderError ? toCommandLineError(thrown, program, words) : thrown);
  } finally {
    // Who has neither does not load their code.
    const { BAUTA_VAULT: vault, BAUTA_AWS_REGION: region } = process.env;
    if (vault || region) await (await import('../control/stores.js')).closeAllStores();
  }
}

/** What is said when a command does not get as far as its own output; gives the exit code. */
export function tellFailure(words: readonly string[], error: unknown): number {
  if (asksForJson(words)) writeFailure(findCommand(words), error);
  printError(error);
  return toExitCode(error);
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
    // Errors are said by our own printer: commander repeats the caller's words, and one of them may be a password.
    .configureOutput({ writeErr: () => undefined });
  program.addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 denied, 3 invalid input, 4 the time-out of --timeout passed, 5 consistent, signer not checked.\nbauta <command> --help shows examples.',
  );
  program.configureHelp({ sortSubcommands: false, showGlobalOptions: false });

  command(program, 'plan', 'show what will happen to every column, why, and what the gate says; moves no row', [
    'bauta plan -f pipeline.yaml',
    'bauta plan -f pipeline.yaml --sample 5',
    'bauta plan shop --server https://bauta.internal --token env:TOKEN',
  ])
    .addArgument(nameArgument())
    .addOption(fileOption())
    .option('--sample <rows>', 'show masked previews of so many rows of each table; not with --server', (text) =>
      parseCount('--sample', text),
    )
    .action(async (name: string | undefined, _, self: Command) =>
      done(await (await import('./plan.js')).plan({ ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  command(program, 'run', 'make a masked copy, verify it and publish it in one step', [
    'bauta run -f pipeline.yaml',
    'bauta run -f pipeline.yaml --json --timeout 30m',
    'bauta run shop --server https://bauta.internal --token env:TOKEN',
  ])
    .addArgument(nameArgument())
    .addOption(fileOption())
    .option('--timeout <duration>', 'give up after this time (90s, 30m, 2h); nothing is published then', parseDuration)
    .option('--reuse', 'take the version that is there, if plan, key and source have not changed since; else make a new one')
    .action(async (name: string | undefined, _, self: Command) =>
      done(await (await import('./run.js')).run({ ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  command(program, 'apply', 'documents as they shall be at a service from now on, all or none, and what changed', [
    'bauta apply -f pipeline.yaml --server https://bauta.internal --token env:TOKEN',
    'bauta apply -f pipeline.yaml --dry-run',
  ])
    .requiredOption('-f, --file <path>', 'documents (YAML or JSON), with what they import')
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', '\nExit code 2: what protects less waits for a second person, and nothing was applied.')
    .action(async (_, self: Command) => done(await (await import('./apply.js')).apply(self.optsWithGlobals())));

  command(program, 'runs', 'the runs of a service: list, show, cancel, pause, resume, rerun', [
    'bauta runs list --pipeline shop --state failed --server https://bauta.internal --token env:TOKEN',
    'bauta runs show 0abcdefghjkmnpqr',
    'bauta runs cancel 0abcdefghjkmnpqr',
  ])
    .argument('<action>', 'list, show, cancel, pause, resume or rerun')
    .argument('[id]', 'the run')
    .option('--pipeline <name>', 'with list: of this pipeline')
    .option('--state <state>', 'with list: in this state')
    .option('--count <n>', 'with list: how many of the newest (20)', (text) => parseCount('--count', text))
    .action(async (action: string, id: string | undefined, _, self: Command) =>
      done(await (await import('./runs.js')).runs(action, id, self.optsWithGlobals())),
    );

  command(program, 'approvals', 'what waits for a second person at a service: list, approve, refuse', [
    'bauta approvals list --state waiting --server https://bauta.internal --token env:TOKEN',
    'bauta approvals approve 5f0c1c9e-5d36-4c4e-9d5c-0d6f6d3c8a11',
  ])
    .argument('<action>', 'list, approve or refuse')
    .argument('[id]', 'the approval')
    .option('--state <state>', 'with list: in this state, as in waiting')
    .action(async (action: string, id: string | undefined, _, self: Command) =>
      done(await (await import('./approvals.js')).approvals(action, id, self.optsWithGlobals())),
    );

  command(program, 'people', 'who may do what at a service: list, add, grant', [
    'bauta people add bob --roles policy-admin --server https://bauta.internal --token env:TOKEN',
    'bauta people grant bob --roles requester@dev,viewer',
    'bauta people list',
  ])
    .argument('<action>', 'list, add or grant')
    .argument('[name]', 'the person')
    .option('--roles <roles>', 'what the person may do from now on, separated by commas; ROLE@ENVIRONMENT for one environment')
    .option('--owner <person>', 'with add: a service account, and who answers for it')
    .addHelpText('after', '\nExit code 2: what the person gains waits for another administrator.')
    .action(async (action: string, name: string | undefined, _, self: Command) =>
      done(await (await import('./people.js')).people(action, name, self.optsWithGlobals())),
    );

  command(program, 'apikeys', 'the keys by which a service knows people: list, make, revoke', [
    'bauta apikeys make ada --token file:.bauta/first-token --server http://127.0.0.1:4280 > ada.key',
    'bauta apikeys make bob --name laptop --days 30',
    'bauta apikeys list',
    'bauta apikeys revoke 5f0c1c9e-5d36-4c4e-9d5c-0d6f6d3c8a11',
  ])
    .argument('<action>', 'list, make or revoke')
    .argument('[of]', 'with make: the person; with revoke: the id of the key')
    .option('--name <name>', 'with make: what the key is called (command-line)')
    .option('--days <n>', 'with make: for how long it holds, at most 365 (90)', (text) => parseCount('--days', text))
    .addHelpText('after', '\nThe key alone goes to stdout, once. Exit code 2: another administrator has to agree first.')
    .action(async (action: string, of: string | undefined, _, self: Command) =>
      done(await (await import('./api-keys.js')).apiKeys(action, of, self.optsWithGlobals())),
    );

  command(program, 'access', 'review who holds which role, API key and login of a clone at a service', [
    'bauta access review --days 14 --server https://bauta.internal --token env:TOKEN',
    'bauta access show ID',
    'bauta access keep ID 3 --reason "on call for dev"',
    'bauta access revoke ID 4 --reason "has left the team"',
  ])
    .argument('<action>', 'review (open one), list, show, keep or revoke')
    .argument('[id]', 'the review')
    .argument('[item]', 'with keep and revoke: the number of the item')
    .option('--reason <text>', 'with keep and revoke: why; the log holds a commitment to it')
    .option('--days <n>', 'with review: within how many days it is to be decided, at most 90 (14)', (text) => parseCount('--days', text))
    .addHelpText('after', '\nNobody decides of what he holds himself. Exit code 2: what is revoked waits for another administrator.')
    .action(async (action: string, id: string | undefined, item: string | undefined, _, self: Command) =>
      done(await (await import('./access.js')).access(action, { id, item }, self.optsWithGlobals())),
    );

  command(program, 'secrets', 'give a login of Vault new passwords while it is in use', [
    'bauta secrets rotate shop -f pipeline.yaml',
    'bauta secrets rotate shop --server https://bauta.internal --token env:TOKEN',
  ])
    .argument('<action>', 'rotate')
    .argument('<name>', 'the Connection whose credentials are a secret of Vault with two roles')
    .option('-f, --file <path>', 'documents with the Connection, and the files that they import; not with --server')
    .addHelpText('after', '\nWhen it stopped half-way, run it again: what is in use works all the time.')
    .action(async (action: string, name: string, _, self: Command) =>
      done(await (await import('./secrets.js')).secrets(action, name, self.optsWithGlobals())),
    );

  command(program, 'detokenize', 'tokens on stdin, one a line, as the values that they stand for; every call is logged', [
    'bauta detokenize dev/cards --purpose refunds --reason "ticket 17: the refund of a customer" < tokens.txt',
    'bauta detokenize dev/cards --purpose refunds --reason "ticket 17" --key-version 1 --server https://bauta.internal --token env:TOKEN',
  ])
    .argument('<of>', 'ENVIRONMENT/DOMAIN: a domain that the Environment document names')
    .option('--purpose <word>', 'one of the purposes of the domain')
    .option('--reason <text>', 'why; the log holds a commitment to it')
    .option('--key-version <n>', 'of the token key, where there were several', (text) => parseCount('--key-version', text))
    .action(async (of: string, _, self: Command) => done(await (await import('./detokenize.js')).detokenize(of, self.optsWithGlobals())));

  command(program, 'datasets', 'list the dataset versions of a target', [
    'bauta datasets -f pipeline.yaml',
    'bauta datasets shop --server https://bauta.internal --token env:TOKEN',
  ])
    .addArgument(nameArgument())
    .addOption(fileOption())
    .action(async (name: string | undefined, _, self: Command) =>
      done(await (await import('./datasets.js')).datasets({ ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  command(program, 'clones', 'databases of their own for tests, copied from the published version: make, list, drop', [
    'bauta clones make -f pipeline.yaml --for pr-123 --hours 24 --out clone.url',
    'bauta clones list -f pipeline.yaml',
    'bauta clones drop -f pipeline.yaml --for pr-123',
    'bauta clones make --environment dev --for pr-123 --out clone.url --server https://bauta.internal --token env:TOKEN',
  ])
    .argument('<action>', 'make, list or drop')
    .option('-f, --file <path>', 'the pipeline document (YAML or JSON), to do it here')
    .option('--environment <name>', 'with --server: of which environment')
    .option(
      '--for <what>',
      'with make and drop: what the clone is for, as in pr-123; who asks again gets the same one, with a new password',
    )
    .option('--hours <n>', 'with make: for how long (default: as long as the document allows)', (text) => parseHours(text))
    .option('--out <path>', 'with make: a file of mode 0600 for the connection string, which is shown once; default: stdout')
    .action(async (action: string, _, self: Command) => done(await (await import('./clones.js')).clones(action, self.optsWithGlobals())));

  command(program, 'rollback', 'make the previous dataset version current again, in one step', [
    'bauta rollback -f pipeline.yaml',
    'bauta rollback shop --server https://bauta.internal --token env:TOKEN',
  ])
    .addArgument(nameArgument())
    .addOption(fileOption())
    .action(async (name: string | undefined, _, self: Command) =>
      done(await (await import('./rollback.js')).rollback({ ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  command(program, 'expire', 'drop the dataset versions that have expired, or one that is withdrawn, and attest it in the log', [
    'bauta expire -f pipeline.yaml --dry-run',
    'bauta expire -f pipeline.yaml',
    'bauta expire -f pipeline.yaml --withdraw 3 --reason "a column was kept by mistake"',
  ])
    .addArgument(nameArgument())
    .addOption(fileOption())
    .option('--withdraw <version>', 'this version, expired or not', (text) => parseVersion('--withdraw', text))
    .option('--reason <text>', 'with --withdraw: why; the log holds a commitment to it')
    .option('--dry-run', 'only say what would be dropped')
    .action(async (name: string | undefined, _, self: Command) =>
      done(await (await import('./expire.js')).expire({ ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  addEvidenceCommands(program, done);
  addIncidentCommands(program, done);
  addGateCommands(program, done);
  addPolicyCommands(program, done);
  addReportCommands(program, done);
  addMarkCommands((...of) => command(program, ...of), { parseVersion, nameArgument, fileOption }, done);

  addAgentCommands(program, done);

  command(program, 'attest', 'say whether a database is the masked copy that was published', [
    'bauta attest env:DATABASE_URL --key log.pub',
    'bauta attest env:DATABASE_URL --key log.pub --nonce "$NONCE" --json > statement.json',
  ])
    .argument('<reference>', 'connection to the database: env:NAME or file:PATH; read-only is enough')
    .option('--key <path>', 'the public key of the log that published it (log.pub); without it nobody checks the signer: exit code 5')
    .option('--nonce <hex>', 'bytes of the gate that asks, repeated in the statement')
    .option('--counts', 'compare the number of rows only, not the rows')
    .action(async (reference: string, _, self: Command) =>
      done(await (await import('./attest.js')).attest({ ...self.optsWithGlobals(), reference })),
    );

  command(program, 'load', 'check an archive, and load it into a database that is there and empty', [
    'bauta load shop.tar.age',
    'bauta load shop.tar.age --into env:DATABASE_URL --of test',
    'bauta load shop.tar.age --into env:DATABASE_URL --key log.pub --identity file:vendor.key',
  ])
    .argument('<archive>', 'the file: sealed, or the tar inside')
    .option('--into <reference>', 'connection to the database: env:NAME or file:PATH; without it the archive is only checked')
    .option('--of <environment>', 'open it with the keys of this environment; default: with all that the home has')
    .option('--identity <reference>', 'open it with this age identity: env:NAME or file:PATH')
    .option('--key <path>', "the public key of the log that signed it (log.pub); default: that of the home's log; without one: exit code 5")
    .option('--confirm <database>', 'the name of the database once more, where it is called like one in production')
    .action(async (archive: string, _, self: Command) =>
      done(await (await import('./load.js')).load({ ...self.optsWithGlobals(), archive })),
    );

  command(program, 'pull', 'fetch the archive of what an environment has now, and load it or keep it', [
    'bauta pull ci --into env:DATABASE_URL --server https://bauta.internal --token env:ID_TOKEN',
    'bauta pull ci --output shop.tar --server https://bauta.internal --token env:ID_TOKEN',
  ])
    .argument('<environment>', 'the environment')
    .option('--into <reference>', 'connection to a database that is there and empty: env:NAME or file:PATH')
    .option('--output <file>', 'where it is kept instead; what of it is there already is not fetched again')
    .option('--recipient <key>', 'with --output: seal it to this age public key; without it the file is the tar inside')
    .option('--pipeline <name>', 'which one delivers to that environment, where several do')
    .option('--key <path>', 'the public key of the log (log.pub); default: what the service says')
    .option('--confirm <database>', 'with --into: the name of the database once more, where it is called like one in production')
    .action(async (environmentName: string, _, self: Command) =>
      done(await (await import('./pull.js')).pull({ ...self.optsWithGlobals(), environmentName })),
    );

  const checking = command(
    program,
    'check',
    'make the checks of a pipeline against a version that is published; with --server, what the last run counted',
    [
      'bauta check -f pipeline.yaml',
      'bauta check -f pipeline.yaml --database env:DATABASE_URL --format junit > checks.xml',
      'bauta check -f pipeline.yaml --rows 5',
      'bauta check shop --server https://bauta.internal --token env:TOKEN',
    ],
    ['text', 'json', 'junit', 'sarif'],
  );
  checking
    .addArgument(nameArgument())
    .addOption(fileOption())
    .option('--database <reference>', 'any database that a connection leads to, as who that is: env:NAME or file:PATH')
    .option('--key <path>', 'with --rows: the public key of the log that published it (default: that of the home)')
    .option('--rows <n>', 'show so many failing rows of each check, of a masked copy that carries a signed marker', (text) =>
      parseCount('--rows', text),
    )
    .addHelpText('after', '\nExit code 1: a check that withholds failed, or one could not be made.')
    .action(async (name: string | undefined, _, self: Command) =>
      done(await (await import('./check.js')).check({ ...self.optsWithGlobals(), ...(name === undefined ? {} : { name }) })),
    );

  command(program, 'classify', 'suggest what each column is, let a person confirm it, check that nothing is new', [
    'bauta classify --source env:SOURCE_URL > classification.yaml',
    'bauta classify --catalogue env:SOURCE_URL > schema.json',
    'bauta classify -f classification.yaml --source env:SOURCE_URL --confirm "shop.*.created_at" --by "Ada"',
    'bauta classify -f classification.yaml --check --schema schema.json',
  ])
    .option('-f, --file <path>', 'the classification document (or the pipeline that names it)')
    .option('--source <reference>', 'connection to look at: env:NAME or file:PATH')
    .option('--catalogue <reference>', 'write the catalogue of this connection as JSON, for --schema')
    .option('--check', 'fail when a column is neither tagged nor kept; needs no rows')
    .option('--schema <file|reference>', 'with --check: a catalogue file, or a connection')
    .option('--confirm <pattern...>', 'record that a person confirmed these columns in classification.lock')
    .option('--by <person>', 'with --confirm: who')
    .addOption(
      new Option('--as <format>', 'with --check: text, junit, sarif or github')
        .choices(['text', 'junit', 'sarif', 'github'])
        .default('text'),
    )
    .action(async (_, self: Command) => done(await (await import('./classify.js')).classify(self.optsWithGlobals())));

  command(program, 'demo', 'a sample production database, its masked copy, and a denied one, on this machine', [
    'bauta demo',
    'bauta demo --keep',
  ])
    .option('--keep', 'leave the servers up until Ctrl-C')
    .action(async (_, self: Command) => done(await (await import('./demo.js')).demo(self.optsWithGlobals())));

  command(program, 'doctor', 'look whether everything that a run needs is there', [
    'bauta doctor -f pipeline.yaml',
    'bauta doctor -f pipeline.yaml --fix',
  ])
    .option('-f, --file <path>', 'the pipeline document')
    .option('--fix', 'drop staging databases and roles of dead runs')
    .action(async (_, self: Command) => done(await (await import('./doctor.js')).doctor(self.optsWithGlobals())));

  command(program, 'keys', 'the keys of each environment: which versions there are and what they made, the next one, the end of old ones', [
    'bauta keys list',
    'bauta keys rotate --environment dev --reason "a year is over"',
    'bauta keys destroy --environment dev --up-to 3 --dry-run',
    'bauta keys list --server https://bauta.internal --token env:TOKEN',
    'bauta keys destroy --environment dev --up-to 3 --reason "the project has ended" --backups "on tapes that are overwritten after 14 days"',
  ])
    .argument('<action>', 'list, rotate or destroy')
    .option('--environment <name>', 'whose keys')
    .addOption(new Option('--purpose <purpose>', 'what they are for (default: masking)').choices(['masking', 'token', 'transport']))
    .option('--up-to <version>', 'with destroy: this version and every one before it; never the newest', (text) =>
      parseVersion('--up-to', text),
    )
    .option('--reason <text>', 'with destroy, and with rotate if you like: why; the log holds a commitment to it')
    .option('--backups <text>', 'with destroy: what becomes of backups of the keys, as it is to be attested (default: unknown)')
    .option('--dry-run', 'with destroy: only say what would be destroyed, what stays, and what cannot be reached')
    .addHelpText('after', '\nA key that was destroyed cannot be had back. The copies that it made stay, and stay personal data.')
    .action(async (action: string, _, self: Command) => done(await (await import('./keys.js')).keys(action, self.optsWithGlobals())));

  addAuditCommands(program, done);

  command(program, 'schedules', 'when runs are due, from a document or of a service; pause and resume there', [
    'bauta schedules next -f schedule.yaml --from 2026-10-24T00:00:00Z --count 3',
    'bauta schedules list --server https://bauta.internal --token env:TOKEN',
    'bauta schedules pause nightly --server https://bauta.internal --token file:token',
  ])
    .argument('<action>', 'next, list, pause or resume')
    .argument('[name]', 'the schedule of the service')
    .option('-f, --file <path>', 'with next: Schedule documents instead of a service')
    .option('--from <instant>', 'with next and a file: from when on, as RFC 3339 (default: now)')
    .option('--count <n>', 'with next: how many of each (10)', (text) => parseCount('--count', text))
    .action(async (action: string, name: string | undefined, _, self: Command) =>
      done(await (await import('./schedules.js')).schedules(action, name, self.optsWithGlobals())),
    );

  command(program, 'completion', 'print a completion script for bash, zsh or fish', [
    'bauta completion bash > /etc/bash_completion.d/bauta',
  ])
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => done((await import('./completion.js')).completion(shell, program)));
  return program;
}

export type { GlobalOptions };

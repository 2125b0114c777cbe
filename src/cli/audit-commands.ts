// `bauta audit` and `bauta witness`, as the command line has them.
import type { Command } from 'commander';

import { command } from './command.js';

export function addAuditCommands(program: Command, done: (exitCode: number) => void): void {
  command(
    program,
    'audit',
    'check the log or fetch it, prove an entry, ask witnesses, anchor it, delete an old log, erase a text or a person',
    [
      'bauta audit verify',
      'bauta audit verify --log copy/log --key log.pub --known checkpoint-of-last-week',
      'bauta audit prove 17 --out entry-17.tlog-proof',
      'bauta audit verify --proof entry-17.tlog-proof --key log.pub',
      'bauta audit cosign --policy policy.txt',
      'bauta audit verify --log copy/log --policy policy.txt',
      'bauta audit anchor --to s3://evidence/bauta --to git+https://git.example/evidence.git#main:bauta',
      'bauta audit verify --log copy/log --key log.pub --anchor s3://evidence/bauta',
      'bauta audit export --server https://bauta.internal --token env:TOKEN --out copy',
      'bauta audit delete 2019 --reason "retention of six years has ended"',
      'bauta audit erase p-2d1f0c4b6a798e35 --reason "request of the data subject"',
      'bauta audit delete 2019 --reason "retention has ended" --server https://bauta.internal --token env:TOKEN',
      'bauta audit erase ada --also "Ada Lovelace" --reason "request of the data subject" --server https://bauta.internal --token env:TOKEN',
    ],
  )
    .argument('<action>', 'verify, prove, export, cosign, anchor, delete or erase')
    .argument(
      '[what]',
      'with prove: number of the entry, or LOG/NUMBER as in 2026/17; with delete: the log, as in 2019; with erase: a commitment, the id of a person, or the name',
    )
    .option('--log <folder>', 'the log; default: that of the home, with its key and the checkpoint that was signed last')
    .option('--key <file>', 'the public key of the log (log.pub)')
    .option(
      '--policy <file>',
      'a trust policy (c2sp.org/tlog-policy): with verify, keys of the log and of witnesses; with cosign, whom to ask',
    )
    .option('--known <checkpoint...>', 'checkpoints of this log that were seen before, or by somebody else')
    .option(
      '--anchor <place...>',
      'with verify: places that hold checkpoints of it (file:///FOLDER, git+https://HOST/REPOSITORY.git#BRANCH:FOLDER, s3://BUCKET/PREFIX)',
    )
    .option('--to <place...>', 'with anchor: such places; default: BAUTA_LOG_ANCHORS')
    .option('--proof <file>', 'with verify: a proof instead of a log')
    .option('--out <path>', 'with prove: where the proof goes (default: stdout); with export: the folder')
    .option('--reason <text>', 'with delete and erase: why; the log holds a commitment to it')
    .option('--also <name...>', 'with erase and --server: what else the person is called')
    .addHelpText(
      'after',
      '\nExit codes: 0 whole, 1 broken (what is wrong is named), 5 consistent but nobody knows who signed: no key was given.',
    )
    .action(async (action: string, entry: string | undefined, _, self: Command) =>
      done(await (await import('./audit.js')).audit(action, entry, self.optsWithGlobals())),
    );

  command(program, 'witness', 'cosign what goes on from what was seen of a log: run by somebody else than the log, until Ctrl-C', [
    'bauta witness --folder witness --name witness.example/auditor --log log.pub --listen 127.0.0.1:8455',
    'bauta witness --folder witness --log log.pub --log other.pub --listen 0.0.0.0:8455 --tls-cert tls.crt --tls-key tls.key',
  ])
    .requiredOption('--folder <folder>', 'its key and what it has seen; made at the first start')
    .option('--name <name>', 'what its key is called, at the first start; a name that nobody else has')
    .requiredOption('--log <file...>', 'public keys of the logs that it cosigns (log.pub)')
    .option('--listen <host:port>', 'where it is asked', '127.0.0.1:8455')
    .option('--tls-cert <file>', 'certificate chain, PEM; without it put a proxy with TLS in front for everybody but this machine')
    .option('--tls-key <file>', 'its private key, PEM')
    .addHelpText(
      'after',
      '\nIt prints its line of a trust policy: change NAME and the URL, and give it to whoever checks the log and to whoever runs it.',
    )
    .action(async (_, self: Command) => done(await (await import('./witness.js')).witness(self.optsWithGlobals())));
}

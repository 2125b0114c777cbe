// `bauta report`, as the command line has it.
import { Argument, type Command } from 'commander';

import { command } from './command.js';
import type { ReportOptions } from './report-log.js';
import { spareMemory } from './spare-memory.js';

const formats = ['text', 'json', 'html', 'pdf', 'csv', 'xlsx', 'oscal', 'zip'];

export function addReportCommands(program: Command, done: (exitCode: number) => void): void {
  command(
    program,
    'report',
    'what the log shows of a period: gdpr, soc2, pci, hipaa, iso27001, of a release or a breach; or check a package of evidence',
    [
      'bauta report gdpr --from 2026-10-01 --to 2027-01-01 -f pipeline.yaml --format html --out gdpr.html',
      'bauta report soc2 --from 2026-01-01 --to 2027-01-01',
      'bauta report pci --from 2026-10-01 --to 2027-01-01 --log copy --key log.pub',
      'bauta report gdpr --from 2026-10-01 --to 2027-01-01 --key log.pub --server https://bauta.internal --token env:TOKEN',
      'bauta report gdpr --from 2026-10-01 --to 2027-01-01 --rendered --format pdf --out gdpr.pdf --server https://bauta.internal --token env:TOKEN',
      'bauta report gdpr --from 2026-10-01 --to 2027-01-01 --policy policy.txt --format pdf --out gdpr.pdf',
      'bauta report iso27001 --from 2026-10-01 --to 2027-01-01 --format oscal --model poam --out poam.json',
      'bauta report release v1.4.2 --commit "$GIT_SHA" --format html --out release.html',
      'bauta report breach --environment staging --from 2026-11-20 --to 2026-11-22T09:00:00Z -f pipeline.yaml --format pdf --out breach.pdf',
      'bauta report reach -f pipeline.yaml --subject person.json --format html --out reach.html',
      'bauta report reach shop --subject - --key log.pub --server https://bauta.internal --token env:TOKEN',
      'bauta report verify soc2-default-2026-01-01-2027-01-01.zip --key log.pub',
      'bauta report verify soc2-default-2026-01-01-2027-01-01.zip --policy policy.txt',
      'bauta report reconcile --key log.pub --server https://bauta.internal --token env:TOKEN',
    ],
    formats,
  )
    .addArgument(new Argument('<what>', 'gdpr, soc2, pci, hipaa, iso27001, release, breach, reach, verify or reconcile'))
    .argument('[file]', 'with verify: the package; with release: the tag, or a commit; with reach and a service: the name of the pipeline')
    .option('--from <instant>', 'where the period begins: a day (UTC) or RFC 3339')
    .option('--to <instant>', 'where it ends, without that instant')
    .option('--environment <name>', 'with breach: where somebody may have had what he should not')
    .option('--at <instant>', 'with breach: up to when the log is read (to its end): awareness and measures come after the window')
    .option(
      '--subject <path>',
      'with reach: a file, or - for stdin, of [{"table": "shop.customer", "column": "id", "value": "17"}]: one person',
    )
    .option('--zone <name>', 'the zone that times are shown in (UTC)')
    .option(
      '-f, --file <path>',
      'documents whose Organisation and Pipelines say what is declared; default with --server: those of the service',
    )
    .option('--log <folder>', 'a log that was exported, instead of the home’s own')
    .option('--key <file>', 'the public key of the log; with verify, --log and --server')
    .option(
      '--policy <file>',
      'a trust policy (c2sp.org/tlog-policy): page 1 names its witnesses that have cosigned; with verify, keys of the log and of witnesses, and the quorum that it takes',
    )
    .option('--model <name>', 'with --format oscal: assessment-results, component-definition or poam (assessment-results)')
    .option('--rendered', 'with --server: the service computes it instead of this machine; less work, and more to believe')
    .option('--commit <id>', 'with release: the commit that the tag is, where no call of a gate said it')
    .option('--out <path>', 'where to; default: stdout, and for a package soc2-WORKSPACE-FROM-TO.zip')
    .addHelpText(
      'after',
      '\nsoc2 is a package (a ZIP) unless --format asks for its report alone; the others are JSON unless --format says otherwise. Exit codes: 1 the log or the package is broken, with reach a copy could not be looked into, or with reconcile (all that the log of a service tells, held against its tables) something is missing; 5 consistent, signer not checked.',
    )
    .action(async (what: string, file: string | undefined, _, self: Command) => {
      const options = self.optsWithGlobals<ReportOptions>();
      // All of them read a whole log.
      spareMemory();
      if (what === 'breach' && file === undefined) return done(await (await import('./report-breach.js')).reportBreach(options));
      if (what === 'reconcile' && file === undefined) return done(await (await import('./report-reconcile.js')).reportReconcile(options));
      if (what === 'reach') return done(await (await import('./report-reach.js')).reportReach(file, options));
      return done(await (await import('./report.js')).report(what, file, options));
    });

  command(program, 'reports', 'the reports that a service made of each day: list them, or get the files of one', [
    'bauta reports list --server https://bauta.internal --token env:TOKEN',
    'bauta reports get 2026-11-21 --out reports --server https://bauta.internal --token env:TOKEN',
  ])
    .addArgument(new Argument('<action>', 'list or get').choices(['list', 'get']))
    .argument('[day]', 'with get: the day, such as 2026-11-21')
    .option('--out <folder>', 'with get: where to (report-DAY)')
    .action(async (action: string, day: string | undefined, _, self: Command) =>
      done(await (await import('./reports.js')).reports(action, day, self.optsWithGlobals())),
    );

  command(program, 'breach', 'say that you are aware of a breach in an environment: the 72 hours of Art. 33 GDPR run from then', [
    'bauta breach aware --environment staging --detected 2026-11-22T07:30:00Z',
    'bauta breach aware --environment staging --detected 2026-11-22T07:30:00Z --server https://bauta.internal --token env:TOKEN',
  ])
    .addArgument(new Argument('<action>', 'aware'))
    .requiredOption('--environment <name>', 'where')
    .requiredOption('--detected <instant>', 'when it was detected, as RFC 3339; the clock runs from now')
    .option('--incident <id>', 'the incident that it belongs to')
    .addHelpText(
      'after',
      '\nThe log knows you by a random id. What it has of the breach: bauta report breach --environment NAME --from … --to ….',
    )
    .action(async (action: string, _, self: Command) => done(await (await import('./breach.js')).breach(action, self.optsWithGlobals())));
}

// `bauta report breach`: what a notification under Art. 33 GDPR needs of one environment and one window.
import { makeBreachReport } from '../control/make-breach-report.js';
import { readProduct } from '../control/product.js';
import { InputError } from '../kernel/errors.js';
import { readDeclared } from './declared.js';
import { type ReportOptions, openReportLog, requirePaper, tellDocument, toInstant, toPeriod } from './report-log.js';
import { readServerDeclared } from './server-declared.js';
import { readWorkspaceName } from './server-package.js';

export interface BreachOptions extends ReportOptions {
  readonly environment?: string;
  readonly at?: string;
}

export async function reportBreach(options: BreachOptions): Promise<number> {
  const { environment, at } = options;
  if (environment === undefined) throw new InputError('OPTION_MISSING', { name: '--environment', expected: 'bauta report --help' });
  requirePaper(options, 'breach');
  const window = toPeriod(options);
  const until = at === undefined ? undefined : toInstant('--at', at);
  if (until !== undefined && until < window.to)
    throw new InputError('OPTION_INVALID', { name: '--at', expected: 'an instant that is not before --to' });
  const { files, verifier, policy, server } = await openReportLog(options);
  const of = {
    workspace: server ? await readWorkspaceName(server) : 'default',
    product: readProduct(),
    declared: server && options.file === undefined ? await readServerDeclared(server, window) : await readDeclared(options.file, window),
    breach: { environment, window, at: until },
  };
  const { document, log } = await makeBreachReport(files, of, verifier, policy);
  return tellDocument(document, log.state, options);
}

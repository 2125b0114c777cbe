// `bauta report reach`: where one person is in the copies of a pipeline, for a request under Art. 17 GDPR. Who it is comes from a file or stdin, as with
// `bauta erase`, and stands in no argument, log, error or report.
import { makeReachReport } from '../control/make-reach-report.js';
import { type Reached, lookAndTell } from '../control/look-and-tell.js';
import { readProduct } from '../control/product.js';
import { InputError } from '../kernel/errors.js';
import { isTimeZone } from '../kernel/zone.js';
import type { Identifier } from '../pipeline/trace-person.js';
import { type PersonLooked, isReached } from '../pipeline/report/report.js';
import { askErrand } from './await-errand.js';
import { compose } from './compose.js';
import { readSubject } from './erase-remote.js';
import { choosePlace } from './place.js';
import { type ReportOptions, openReportLog, requirePaper, tellDocument } from './report-log.js';
import { readWorkspaceName } from './server-package.js';

export interface ReachOptions extends ReportOptions {
  readonly subject?: string;
}

/** `others`: at a service the other pipelines of the same source. */
type Looked = Reached & Pick<PersonLooked, 'others'>;

/** Exit codes: 0 every copy could be looked into · 1 one could not, or the log is broken. */
export async function reportReach(name: string | undefined, options: ReachOptions): Promise<number> {
  const { subject: path, zone = 'UTC', format, log, ...rest } = options;
  requirePaper(options, 'reach');
  if (path === undefined) throw new InputError('OPTION_MISSING', { name: '--subject', expected: 'bauta report --help' });
  if (log !== undefined) throw new InputError('OPTION_INVALID', { name: '--log with reach', expected: 'the log of the home, or --server' });
  if (!isTimeZone(zone))
    throw new InputError('OPTION_INVALID', { name: '--zone', expected: 'the IANA name of a zone, such as Europe/Vienna' });
  const place = await choosePlace('report', { ...rest, ...(name === undefined ? {} : { name }) });
  const subject = await readSubject(path);
  if (subject.length === 0) throw new InputError('OPTION_INVALID', { name: '--subject', expected: 'at least one identifier' });
  const looked: Looked = place.server
    ? (await askErrand<Looked>(place.server, '/v1/subjects/reach', { pipeline: place.pipeline, subject }, { once: false })).result
    : { ...(await lookHere({ ...rest, file: place.file }, subject)), others: null };
  const { files, verifier, policy, server } = await openReportLog(options);
  const workspace = server ? await readWorkspaceName(server) : 'default';
  const context = { workspace, product: readProduct(), declared: { organisation: [], pipelines: {} } };
  const made = await makeReachReport(files, { ...context, looked, zone }, verifier, policy);
  const code = await tellDocument(made.document, made.log.state, { ...options, ...(format === undefined ? {} : { format }) });
  return code === 0 && !isReached(looked) ? 1 : code;
}

async function lookHere(options: Parameters<typeof compose>[0], subject: readonly Identifier[]): Promise<Reached> {
  const { doors, request, run, target, close } = await compose(options);
  try {
    return await lookAndTell(
      { doors, request, target: request.pipeline.body.target.kafka ? undefined : target },
      subject,
      await run.actor?.(),
    );
  } finally {
    await close();
  }
}

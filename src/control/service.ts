// The service: metadata database, migrations, sequencer, worker and API in one process, or worker alone. Everything opened here is closed here, in the reverse order.
import type { IncomingMessage } from 'node:http';

import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { type Settings, parseSettings } from '../config/settings.js';
import { systemClock } from '../kernel/clock.js';
import { toError, toErrorView } from '../kernel/errors.js';
import { HttpClient } from '../systems/http/http.js';
import { openPolicy } from '../systems/opa/opa.js';
import { Metadata, Sequencer, migrate } from '../systems/metadata/metadata.js';
import { IssuerKeys } from '../systems/oidc/oidc.js';
import { RunTraces } from '../systems/otlp/otlp.js';
import { migrateQueue } from '../systems/queue/queue.js';
import { AnomalyClock } from './anomalies/anomalies.js';
import { issueFirstToken } from './access/access.js';
import { openAnchoring, openCosigning } from './audit/audit.js';
import { ApprovalExpiry } from './approvals/approvals.js';
import { AccessReviewClock } from './accessreviews/accessreviews.js';
import { BreakglassClock } from './breakglasses/breakglasses.js';
import { consequences } from './consequences.js';
import { ControlModule, type Opened } from './control.module.js';
import { ErrandClock, ErrandWorker } from './errands/errands.js';
import { loadServerKey, readReference } from './home.js';
import {
  Authentication,
  type ReadHookSecret,
  type Request,
  createOpenApi,
  RateLimit,
  isSigned,
  requestId,
  securityHeaders,
} from './http/http.js';
import { openEventPublication } from './events/events.js';
import { AgentClock } from './agents/agents.js';
import { CloneClock } from './environments/environments.js';
import { DatasetClock } from './datasets/datasets.js';
import { CallbackSender, FlipClock, GateDoors, toReadEvidence } from './gates/gates.js';
import { IncidentClock } from './incidents/incidents.js';
import { IdentityLogin } from './issuers/issuers.js';
import { openLogKeys } from './log-keys.js';
import { openMetadataServer } from './metadata-server.js';
import { ProcessMetrics, countRequests } from './metrics/metrics.js';
import { logRuns } from './log-runs.js';
import { JsonLogger } from './json-logger.js';
import { ScheduleTimer, Scheduler } from './schedules/schedules.js';
import { Notifier } from './notifications/notifications.js';
import { Description } from './openapi-controller.js';
import { openKeys } from './open-keys.js';
import { openGatePolicy } from './open-policy.js';
import { Grants, createReadSecret } from './references.js';
import { type RunComposer, RunWorker } from './runs/runs.js';
import { DailyReportClock, ReportMaker } from './reports/reports.js';
import { parseReportPlace } from './report-store.js';
import { RefusalTelling } from './refusal-telling.js';
import { TokenDoors } from './tokens/tokens.js';
import { closeStores, createReadStored } from './stores.js';
import { vaultOf } from './vaults.js';

export interface Service {
  readonly url: string;
  /** Works once, for fifteen minutes; absent when somebody administers this installation already. */
  readonly firstToken?: string;
  stop(): Promise<void>;
}

export async function startService(environment: NodeJS.ProcessEnv, composer: RunComposer): Promise<Service> {
  const settings = parseSettings(environment);
  const serverKey = loadServerKey(settings, environment);
  const grants = await Grants.load(settings);
  const logger = new JsonLogger(settings.BAUTA_LOG_LEVEL);
  const { metadata, metrics, reports, closers, stop } = await openMetadata(settings, environment, composer, logger);
  try {
    const readHookSecret: ReadHookSecret = async (id, reference) =>
      createReadSecret({
        ...{ environment, settings, grants, workspace: await metadata.workspaceName(id) },
        readStored: createReadStored(settings, environment),
      })(reference);
    const tokens = await openTokenDoors(settings, closers);
    const telling = new RefusalTelling({
      metadata,
      metrics,
      question: 'deploy',
      failed: (error) => logger.error({ ...toErrorView(error) }, 'policy'),
    });
    const gates = new GateDoors(metadata, toReadEvidence(metadata), () =>
      telling.open((onRefused) =>
        openGatePolicy({ settings, home: settings.BAUTA_HOME, environment, question: 'deploy', watch: true, onRefused }),
      ),
    );
    closers.unshift(() => gates.close());
    if (settings.BAUTA_NOTIFY_MS > 0) {
      const failed = (error: unknown): void => logger.error({ ...toErrorView(error) }, 'callbacks');
      const http = new HttpClient({ hosts: settings.BAUTA_HTTP_HOSTS });
      const sender = new CallbackSender({ metadata, doors: gates, http, settings, environment, grants, serverKey, failed });
      closers.unshift(() => sender.stop());
    }
    const flips = new FlipClock({
      ...{ metadata, doors: gates, clock: systemClock },
      failed: (error) => logger.error({ ...toErrorView(error) }, 'flips'),
    });
    closers.unshift(() => flips.stop());
    const app = await createApplication(
      { metadata, serverKey, settings, ...readListener(settings, environment), readHookSecret, grants, metrics, tokens, gates, reports },
      settings.BAUTA_HTTP_BODY_BYTES,
      logger,
    );
    closers.unshift(() => app.close());
    await listen(app, settings.BAUTA_HTTP_HOST, settings.BAUTA_HTTP_PORT);
    if (settings.BAUTA_SCHEDULE_TICK_MS > 0) {
      const failed = (error: unknown): void => logger.error({ ...toErrorView(error) }, 'scheduler');
      const scheduler = new Scheduler({ metadata, clock: systemClock, failed });
      app.get(ScheduleTimer).start(scheduler, settings.BAUTA_SCHEDULE_TICK_MS, failed);
    }
    const firstToken = await issueFirstToken(metadata, serverKey, systemClock);
    return { url: toUrl(app, settings.BAUTA_HTTP_CERTIFICATE !== ''), stop, ...(firstToken === undefined ? {} : { firstToken }) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Works on runs and sequences the log, and answers nobody. */
export async function startWorker(environment: NodeJS.ProcessEnv, composer: RunComposer): Promise<Pick<Service, 'stop'>> {
  const settings = parseSettings(environment);
  if (settings.BAUTA_METADATA === '') throw toError('SETTING_MISSING', { name: 'BAUTA_METADATA', expected: 'env:NAME or file:PATH' });
  const logger = new JsonLogger(settings.BAUTA_LOG_LEVEL);
  const { metadata, metrics, closers, stop } = await openMetadata(settings, environment, composer, logger);
  try {
    if (settings.BAUTA_WORKER_PORT > 0) {
      const app = await createListener(ControlModule.forWorker(metadata, metrics), logger);
      app.use(requestId, securityHeaders);
      closers.unshift(() => app.close());
      await listen(app, settings.BAUTA_HTTP_HOST, settings.BAUTA_WORKER_PORT);
    }
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface OpenMetadata {
  readonly metadata: Metadata;
  readonly metrics: ProcessMetrics;
  readonly reports: ReportMaker;
  /** Called in order by `stop`; what is opened later is put in front. */
  readonly closers: (() => Promise<void>)[];
  readonly stop: () => Promise<void>;
}

/** What API and worker have in common: the database, up to date, and what works beside the requests. */
async function openMetadata(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
  composer: RunComposer,
  logger: JsonLogger,
): Promise<OpenMetadata> {
  // Opened when something needs it.
  vaultOf(settings, environment);
  const closers: (() => Promise<void>)[] = [() => closeStores(settings)];
  const stop = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer();
  };
  const metrics = new ProcessMetrics(systemClock);
  const failed = (from: string) => (error: unknown) => logger.error({ ...toErrorView(error) }, from);
  try {
    const server = await openMetadataServer(settings, environment);
    closers.unshift(() => server.stop());
    const { owner, service, sequencer: url } = server;
    const making = { url: service, environment, witnesses: settings.BAUTA_LOG_WITNESSES };
    const reports = new ReportMaker({ ...making, atOnce: settings.BAUTA_REPORTS_AT_ONCE });
    closers.unshift(() => reports.close());
    if (owner !== undefined) await migrate(owner, { beside: () => migrateQueue(owner) });
    const metadata = await Metadata.open(service, settings.BAUTA_METADATA_CONNECTIONS);
    closers.unshift(() => metadata.close());
    const expiry = new ApprovalExpiry(metadata, consequences, failed('approvals'));
    closers.unshift(() => expiry.stop());
    const datasets = new DatasetClock({ metadata, settings, clock: systemClock, failed: failed('datasets') });
    closers.unshift(() => datasets.stop());
    const clones = new CloneClock({ metadata, clock: systemClock, failed: failed('clones') });
    closers.unshift(() => clones.stop());
    const agents = new AgentClock({ metadata, clock: systemClock, failed: failed('agents') });
    closers.unshift(() => agents.stop());
    const unfinished = new ErrandClock({ metadata, clock: systemClock, failed: failed('errands') });
    closers.unshift(() => unfinished.stop());
    const breakglasses = new BreakglassClock({ metadata, clock: systemClock, failed: failed('breakglasses') });
    closers.unshift(() => breakglasses.stop());
    const incidents = new IncidentClock({
      ...{ metadata, clock: systemClock, approvalHours: settings.BAUTA_APPROVAL_HOURS, failed: failed('incidents') },
    });
    closers.unshift(() => incidents.stop());
    const anomalies = new AnomalyClock({ metadata, clock: systemClock, failed: failed('anomalies') });
    closers.unshift(() => anomalies.stop());
    const everyDays = settings.BAUTA_ACCESS_REVIEW_DAYS;
    const reviews = new AccessReviewClock({ metadata, clock: systemClock, everyDays, failed: failed('access-reviews') });
    closers.unshift(() => reviews.stop());
    if (parseReportPlace(settings) !== undefined) {
      const maker = new ReportMaker({ ...making, atOnce: 1 });
      const daily = new DailyReportClock({ metadata, settings, maker, clock: systemClock, failed: failed('reports') });
      closers.unshift(
        () => daily.stop(),
        () => maker.close(),
      );
    }
    if (settings.BAUTA_NOTIFY_MS > 0) {
      const http = new HttpClient({ hosts: settings.BAUTA_HTTP_HOSTS });
      const notifier = new Notifier({
        metadata,
        http,
        settings,
        environment,
        grants: await Grants.load(settings),
        failed: failed('notifications'),
      });
      closers.unshift(() => notifier.stop());
    }
    if (url !== undefined) {
      const sequencer = new Sequencer(url, await openLogKeys(settings, environment), failed('sequencer'));
      closers.unshift(() => sequencer.stop());
      const cosigning = await openCosigning({ settings, metadata, failed: failed('witnesses') });
      if (cosigning) closers.unshift(() => cosigning.stop());
      const anchoring = openAnchoring({ settings, environment, metadata, failed: failed('anchors') });
      if (anchoring) closers.unshift(() => anchoring.stop());
    }
    if (settings.BAUTA_RUNS > 0) {
      const { BAUTA_OTLP_URL: collector } = settings;
      const traces = collector === '' ? undefined : new RunTraces(collector);
      if (traces) closers.unshift(() => traces.close());
      const working = {
        ...{ metadata, url: service, settings, environment, composer },
        ...{ metrics: logRuns(logger, [metrics, ...(traces ? [traces] : [])]), failed: failed('worker') },
      };
      const worker = await RunWorker.start(working);
      closers.unshift(() => worker.stop());
      const errands = await ErrandWorker.start(working);
      closers.unshift(() => errands.stop());
      const http = new HttpClient({ hosts: settings.BAUTA_HTTP_HOSTS });
      const events = openEventPublication({ metadata, settings, environment, http, failed: failed('events') });
      if (events) closers.unshift(() => events.stop());
    }
    return { metadata, metrics, reports, closers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Of this process: keys of hierarchy `token` and no others, and a policy thread that the first exchange starts. */
async function openTokenDoors(settings: Settings, closers: (() => Promise<void>)[]): Promise<TokenDoors> {
  const keys = await openKeys(settings.BAUTA_HOME, settings);
  closers.unshift(() => keys.close());
  const doors = new TokenDoors(keys.open, () => openPolicy({ question: 'exchange' }), settings.BAUTA_RATE_EXCHANGE);
  closers.unshift(() => doors.close());
  return doors;
}

/** OpenAPI 3.1, without a database. */
export async function describeApi(): Promise<object> {
  const opened = { metadata: Metadata.unconnected(), serverKey: new Uint8Array(32), settings: parseSettings({}) };
  const app = await createApplication(opened, 1024, new JsonLogger('fatal'));
  try {
    return app.get(Description).document();
  } finally {
    await app.close();
  }
}

/** The Nest application, not listening yet: also what the description of the API is made from. */
export async function createApplication(opened: Opened, bodyBytes: number, logger: JsonLogger): Promise<NestExpressApplication> {
  const { metrics = new ProcessMetrics(opened.clock ?? systemClock) } = opened;
  const app = await createListener(ControlModule.of({ ...opened, metrics }), logger, opened.tls);
  const { BAUTA_RATE_ADDRESS: perAddress, BAUTA_RATE_TOKEN: perToken, BAUTA_HTTP_PROXIES: proxies } = opened.settings;
  const { byAddress, byToken } = new RateLimit({ perAddress, perToken, proxies });
  const { middleware: authenticate } = createAuthentication(opened, logger);
  app.use(countRequests(metrics), requestId, securityHeaders, byAddress, authenticate, byToken);
  // Who sends his request drop by drop holds a connection for so long at most.
  Object.assign(app.getHttpServer(), { headersTimeout: 10_000, requestTimeout: 60_000 });
  // Only now is a body read: nobody without a token makes us parse anything. What is signed is kept as the bytes that were signed.
  app.useBodyParser('raw', { type: (request: IncomingMessage) => isSigned(request as Request), limit: bodyBytes, inflate: false });
  app.useBodyParser('text', { type: isReadable, limit: bodyBytes, inflate: false, defaultCharset: 'utf-8' });
  await app.init();
  app.get(Description).make = () => createOpenApi(app);
  return app;
}

function createAuthentication(opened: Opened, logger: JsonLogger): Authentication {
  const { metadata, serverKey, settings, clock = systemClock } = opened;
  const http = opened.http ?? new HttpClient({ hosts: settings.BAUTA_HTTP_HOSTS });
  const login = new IdentityLogin({
    ...{ metadata, clock, skewSeconds: settings.BAUTA_OIDC_SKEW_SECONDS },
    keys: new IssuerKeys({
      read: (url) => http.send({ url, limitBytes: 262_144 }),
      keepMs: settings.BAUTA_OIDC_KEYS_SECONDS * 1000,
      refreshMs: settings.BAUTA_OIDC_REFRESH_SECONDS * 1000,
      failed: (error, issuer) => logger.error({ ...toErrorView(error), issuer }, 'identities'),
    }),
  });
  const { gates } = opened;
  return new Authentication({
    ...{ metadata, serverKey, identify: (token, workspace) => login.identify(token, workspace) },
    ...(gates ? { away: (request, response) => gates.memory.answer(request, response, clock) } : {}),
  });
}

/** Of the API; a worker tells how it is to whoever is beside it. */
function readListener(settings: Settings, environment: NodeJS.ProcessEnv): Pick<Opened, 'tls'> {
  const { BAUTA_HTTP_CERTIFICATE: cert, BAUTA_HTTP_KEY: key } = settings;
  if (cert === '' && key === '') return {};
  if (cert === '' || key === '')
    throw toError('SETTING_MISSING', {
      name: cert === '' ? 'BAUTA_HTTP_CERTIFICATE' : 'BAUTA_HTTP_KEY',
      expected: 'env:NAME or file:PATH',
    });
  return { tls: { cert: readReference(cert, environment), key: readReference(key, environment) } };
}

async function createListener(module: DynamicModule, logger: JsonLogger, tls?: Opened['tls']): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(module, {
    logger,
    bodyParser: false,
    forceCloseConnections: true,
    abortOnError: false,
    ...(tls ? { httpsOptions: tls } : {}),
  });
  app.disable('x-powered-by');
  app.disable('etag');
  return app;
}

const readable = /^(application\/json|application\/(x-)?yaml|text\/yaml)\s*(;\s*charset="?utf-?8"?)?\s*$/i;

const isReadable = (request: IncomingMessage): boolean =>
  readable.test(request.headers['content-type'] ?? '') && !isSigned(request as Request) && !isStreamed(request as Request);

/** A report of a scanner is read by its route, piece by piece; what an OPA sends may be packed. */
const isStreamed = ({ path, method }: Pick<Request, 'path' | 'method'>): boolean =>
  method === 'POST' && /^\/v1\/(evidence|opa\/(logs|status))\/?$/.test(path);

async function listen(app: NestExpressApplication, host: string, port: number): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    throw ['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'ENOTFOUND'].includes(code)
      ? toError('SERVICE_ADDRESS_TAKEN', { name: `${host}:${port}` })
      : error;
  }
}

function toUrl(app: NestExpressApplication, isTls: boolean): string {
  const { address, family, port } = app.getHttpServer().address() as { address: string; family: string; port: number };
  return `${isTls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

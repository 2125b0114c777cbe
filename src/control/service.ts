// The service as one process: metadata database, migrations, API. Everything opened here is closed here, in the reverse order.
import type { IncomingMessage } from 'node:http';

import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';

import { parseSettings } from '../config/settings.js';
import { systemClock } from '../kernel/clock.js';
import { toError, toErrorView } from '../kernel/errors.js';
import { Metadata, Sequencer, migrate } from '../systems/metadata/metadata.js';
import { migrateQueue } from '../systems/queue/queue.js';
import { issueFirstToken } from './access/access.js';
import { ControlModule, type Opened } from './control.module.js';
import { loadServerKey } from './home.js';
import { Authentication, createOpenApi, requestId, securityHeaders } from './http/http.js';
import { openMetadataServer } from './metadata-server.js';
import { JsonLogger } from './json-logger.js';
import { Description } from './openapi-controller.js';

export interface Service {
  readonly url: string;
  /** Works once, for fifteen minutes; absent when somebody administers this installation already. */
  readonly firstToken?: string;
  stop(): Promise<void>;
}

export async function startService(environment: NodeJS.ProcessEnv): Promise<Service> {
  const settings = parseSettings(environment);
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    const serverKey = loadServerKey(settings, environment);
    const server = await openMetadataServer(settings, environment);
    closers.unshift(() => server.stop());
    const { owner } = server;
    if (owner !== undefined) await migrate(owner, { beside: () => migrateQueue(owner) });
    const metadata = await Metadata.open(server.service, settings.BAUTA_METADATA_CONNECTIONS);
    closers.unshift(() => metadata.close());
    const logger = new JsonLogger(settings.BAUTA_LOG_LEVEL);
    if (server.sequencer !== undefined) {
      const sequencer = new Sequencer(server.sequencer, (error) => logger.error({ ...toErrorView(error) }, 'sequencer'));
      closers.unshift(() => sequencer.stop());
    }
    const app = await createApplication({ metadata, serverKey }, settings.BAUTA_HTTP_BODY_BYTES, logger);
    closers.unshift(() => app.close());
    await listen(app, settings.BAUTA_HTTP_HOST, settings.BAUTA_HTTP_PORT);
    const firstToken = await issueFirstToken(metadata, serverKey, systemClock);
    return { url: toUrl(app), stop, ...(firstToken === undefined ? {} : { firstToken }) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** OpenAPI 3.1, without a database. */
export async function describeApi(): Promise<object> {
  const app = await createApplication({ metadata: Metadata.unconnected(), serverKey: new Uint8Array(32) }, 1024, new JsonLogger('fatal'));
  try {
    return app.get(Description).document;
  } finally {
    await app.close();
  }
}

/** The Nest application, not listening yet: also what the description of the API is made from. */
export async function createApplication(opened: Opened, bodyBytes: number, logger: JsonLogger): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ControlModule.of(opened), {
    logger,
    bodyParser: false,
    forceCloseConnections: true,
    abortOnError: false,
  });
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requestId, securityHeaders, new Authentication(opened.metadata, opened.serverKey).middleware);
  // Only now is a body read: nobody without a token makes us parse anything.
  app.useBodyParser('text', { type: isReadable, limit: bodyBytes, inflate: false, defaultCharset: 'utf-8' });
  await app.init();
  app.get(Description).document = createOpenApi(app);
  return app;
}

const readable = /^(application\/json|application\/(x-)?yaml|text\/yaml)\s*(;\s*charset="?utf-?8"?)?\s*$/i;

const isReadable = ({ headers }: IncomingMessage): boolean => readable.test(headers['content-type'] ?? '');

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

function toUrl(app: NestExpressApplication): string {
  const { address, family, port } = app.getHttpServer().address() as { address: string; family: string; port: number };
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

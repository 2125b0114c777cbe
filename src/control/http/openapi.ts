// The API's description, and a page to read it: Swagger UI from its package, as files of ours, so that no script comes from elsewhere.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { Request, Response } from './exchange.js';

import { packageFile } from '../../kernel/package-root.js';
import { toError } from '../../kernel/errors.js';
import { messages } from '../../kernel/messages.js';

const problem = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'detail', 'code', 'where', 'requestId'],
  properties: {
    type: { type: 'string', description: 'urn:bauta:error:CODE' },
    title: { type: 'string', description: 'what is wrong' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'what to do' },
    code: { type: 'string', description: 'a code of docs/errors.md', enum: Object.keys(messages).sort() },
    where: { type: 'object', description: 'names and positions, never a value' },
    requestId: { type: 'string' },
    findings: { type: 'array', items: { type: 'object' } },
  },
};

/** OpenAPI 3.1 of what the application answers. */
export function createOpenApi(app: INestApplication): object {
  const { version, description } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as {
    version: string;
    description: string;
  };
  const head = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Bauta')
    .setDescription(description)
    .setVersion(version)
    .addBearerAuth({
      ...{ type: 'http', scheme: 'bearer' },
      description:
        'a token of Bauta, or an identity token of an issuer that the workspace trusts, with the header Bauta-Workspace unless that is `default`',
    })
    .build();
  const document = SwaggerModule.createDocument(app, head, {
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '').toLowerCase()}.${method}`,
  });
  return { ...document, components: { ...document.components, schemas: { ...document.components?.schemas, Problem: problem } } };
}

const files: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
};

const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bauta API</title>
<link rel="stylesheet" href="/openapi/swagger-ui.css"></head><body><div id="ui"></div>
<script src="/openapi/swagger-ui-bundle.js"></script><script src="/openapi/start.js"></script></body></html>
`;
const start = `window.addEventListener('load', () => SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', validatorUrl: null }));\n`;
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/** `/openapi`, `/openapi.json` and the files of the page. The package's own entry is never loaded. */
export function openApiPages(document: () => object): (name: string, request: Request, response: Response) => void {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return (name, _, response) => {
    const send = (type: string, text: string): void => void response.setHeader('Content-Security-Policy', policy).type(type).send(text);
    if (name === '') return send('text/html', page);
    if (name === 'start.js') return send('text/javascript', start);
    if (name === 'openapi.json') return send('application/json', JSON.stringify(document()));
    const type = files[name];
    if (type === undefined || !Object.hasOwn(files, name)) throw toError('ROUTE_UNKNOWN');
    send(type, readFileSync(join(folder, name), 'utf8'));
  };
}

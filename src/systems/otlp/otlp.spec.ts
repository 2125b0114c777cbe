// Against a collector of the test: what arrives, and that none is missed.
import { type Server, createServer } from 'node:http';

import { afterEach, beforeEach, expect, it } from '@jest/globals';

import { RunTraces } from './otlp.js';

interface Sent {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status?: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
}

let collector: Server;
let url: string;
const sent: Sent[] = [];
beforeEach(async () => {
  sent.length = 0;
  collector = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as { resourceSpans: { scopeSpans: { spans: Sent[] }[] }[] };
      sent.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(collector.address() as { port: number }).port}/v1/traces`;
});
afterEach(() => new Promise((resolve) => collector.close(resolve)));

it('sends a run as a span in the trace of who asked for it, and each state as a span inside', async () => {
  const traces = new RunTraces(url);
  const run = { id: 'r1', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
  for (const state of ['planning', 'extracting', 'withheld']) traces.enter(run, state);
  traces.leave('r1');
  await traces.close();
  const root = sent.find(({ name }) => name === 'run');
  expect(root).toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7', status: { code: 2 } });
  expect(root?.attributes).toContainEqual({ key: 'bauta.run.id', value: { stringValue: 'r1' } });
  expect(root?.attributes).toContainEqual({ key: 'bauta.run.state', value: { stringValue: 'withheld' } });
  const inside = sent.filter(({ parentSpanId }) => parentSpanId === root?.spanId).map(({ name }) => name);
  expect(inside.sort()).toEqual(['extracting', 'planning', 'withheld']);
});

it('sends nothing of a trace that its caller does not record', async () => {
  const traces = new RunTraces(url);
  traces.enter({ id: 'r1', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' }, 'planning');
  await traces.close();
  expect(sent).toEqual([]);
});

it('lets a run go on when there is no collector', async () => {
  const traces = new RunTraces('http://127.0.0.1:1/v1/traces');
  traces.enter({ id: 'r1', traceparent: null }, 'planning');
  traces.leave('r1');
  await traces.close();
}, 20_000);

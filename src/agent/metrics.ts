// What the agent counts, in Prometheus' text format. Labels are words of ours: no table, no run, no person.
import { type Server, createServer } from 'node:http';

import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';

export class AgentMetrics {
  readonly registry = new Registry();
  private readonly of = { registers: [this.registry] };
  readonly rows = new Counter({ name: 'bauta_agent_rows_total', help: 'Rows that were loaded and committed.', ...this.of });
  readonly bytes = new Counter({ name: 'bauta_agent_bytes_total', help: 'Bytes of COPY text that were loaded and committed.', ...this.of });
  readonly lag = new Gauge({
    name: 'bauta_agent_lag_records',
    help: 'Records of the version that are at the broker and not yet read.',
    ...this.of,
  });
  readonly rate = new Gauge({
    name: 'bauta_agent_bytes_per_second',
    help: 'Bytes loaded per second since the run began here.',
    ...this.of,
  });
  readonly secondsLeft = new Gauge({
    name: 'bauta_agent_seconds_left',
    help: 'Estimate by the ranges that are left; -1: nobody knows.',
    ...this.of,
  });
  readonly ends = new Counter({
    name: 'bauta_agent_runs_total',
    help: 'Runs by how they ended.',
    labelNames: ['state'] as const,
    ...this.of,
  });
  readonly refused = new Counter({
    ...{ name: 'bauta_agent_refused_total', help: 'Messages and records that were refused, by where and why.', ...this.of },
    labelNames: ['topic', 'problem'] as const,
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** GET /metrics and GET /health, and nothing else. */
  async listen(port: number, host: string): Promise<Server> {
    const server = createServer((request, response) => {
      if (request.method !== 'GET' || (request.url !== '/metrics' && request.url !== '/health')) return void response.writeHead(404).end();
      if (request.url === '/health') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
      void this.registry.metrics().then((text) => response.writeHead(200, { 'content-type': this.registry.contentType }).end(text));
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return server;
  }
}

// The door of OpenTelemetry: runs as spans, sent by OTLP over HTTP to whoever the operator names. It never waits for the collector and never fails a run.
import { ROOT_CONTEXT, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

export interface TracedRun {
  readonly id: string;
  /** W3C trace context of what asked for it; null: the run begins a trace. */
  readonly traceparent: string | null;
}

interface Open {
  readonly run: Span;
  state: Span;
}

export class RunTraces {
  private readonly provider: BasicTracerProvider;
  private readonly tracer: Tracer;
  private readonly open = new Map<string, Open>();

  /** `url` of the collector's traces, `https://…/v1/traces`. */
  constructor(url: string) {
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: 10_000 });
    this.provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'bauta' }),
      spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: 2048 })],
    });
    this.tracer = this.provider.getTracer('bauta');
  }

  /** The run came into a state: a span of its own inside that of the run, which begins with the first and ends with `leave`. */
  enter({ id, traceparent }: TracedRun, state: string): void {
    const known = this.open.get(id);
    known?.state.end();
    const run = known?.run ?? this.tracer.startSpan('run', { attributes: { 'bauta.run.id': id } }, toContext(traceparent));
    run.setAttribute('bauta.run.state', state);
    if (['failed', 'withheld', 'compensation-failed'].includes(state)) run.setStatus({ code: SpanStatusCode.ERROR });
    const span = this.tracer.startSpan(state, {}, trace.setSpan(ROOT_CONTEXT, run));
    this.open.set(id, { run, state: span });
  }

  /** The run is not this process's any more. */
  leave(id: string): void {
    const known = this.open.get(id);
    known?.state.end();
    known?.run.end();
    this.open.delete(id);
  }

  /** Sends what has ended; what the collector does not take in time is lost. */
  async close(): Promise<void> {
    for (const id of [...this.open.keys()]) this.leave(id);
    await this.provider.shutdown().catch(() => undefined);
  }
}

function toContext(traceparent: string | null): typeof ROOT_CONTEXT {
  const [, traceId = '', spanId = '', flags = ''] = traceparent?.split('-') ?? [];
  if (traceId === '') return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
}

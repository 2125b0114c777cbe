// A service whose pipelines go through a broker: workers for runs and errands, and the clock that has agents listened to.
import { AgentClock } from '../../src/control/agents/agents.js';
import { systemClock } from '../../src/kernel/clock.js';
import { type ServiceWorld, startErrandWorker, startRunWorker } from './service.js';
import { pipelineText } from './tiny-source.js';

export interface StreamService {
  readonly world: ServiceWorld;
  readonly home: string;
  readonly connections: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly failed: (error: unknown) => void;
}

/** In this process. Resolves with what stops it, which MUST be called in afterAll. */
export async function startStreamService({ world, home, connections, settings, failed }: StreamService): Promise<() => Promise<void>> {
  const runs = await startRunWorker(world, home, connections, settings);
  const errands = await startErrandWorker(world, home, connections, settings);
  const pace = { lookMs: 100, soonMs: 300, againMs: 500 };
  const clock = new AgentClock({ metadata: world.metadata, clock: systemClock, failed, pace });
  return async () => {
    await clock.stop();
    await errands.stop();
    await runs.stop();
  };
}

/** The tiny pipeline by this name, to an environment behind the broker of `env:BAUTA_CONN_<connection>`. `kafka`: members of it. */
export function toStreamPipeline(name: string, environment: string, kafka: string, connection = 'BROKER'): string {
  const target = `target: { connection: env:BAUTA_CONN_${connection}, environment: ${environment}, class: dev, region: eu-central-1, allows: [pii], kafka: { ${kafka} } }\n`;
  return pipelineText
    .replace('name: tiny', `name: ${name}`)
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('import: [classification.yaml]\n', '')
    .replace(/target:[^]*?(?=classification)/, target);
}

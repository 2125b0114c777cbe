// Which copies were made with which version of an environment's keys, as the log tells it.
import type { Json } from '../kernel/canonical-json.js';
import { isInForce } from './choose-key.js';
import type { KeysDefinition } from './definition.js';
import type { Event } from './event.js';
import type { Plan } from './plan.js';
import type { AuditSink, KeyHierarchy } from './ports.js';

/** What one pipeline made with one version at one target. */
export interface KeyUse {
  readonly version: number;
  readonly pipeline: string;
  /** Of the copies: another than the hierarchy's, where one joins the other. */
  readonly environment: string;
  readonly target: string;
  /** Versions of the dataset that were published. */
  readonly datasets: readonly number[];
  /** When the last of them was. */
  readonly lastAt: string;
  /** Last day on which the version was to be used, as the last of them was made. */
  readonly until?: string;
}

/** What the entry of a publication says of its keys. */
export function toKeyData(plan: Plan, nowMs: number): Readonly<Record<string, Json>> {
  const { pipeline, environment, keyEnvironment = environment, keyVersion } = plan;
  const { previous } = plan.facts.target.keys ?? {};
  const until = previous && isInForce(previous, nowMs) ? { until: previous.until } : {};
  return { pipeline, environment, key: { environment: keyEnvironment, version: keyVersion, ...until } };
}

export const useTypes: readonly string[] = ['dataset.published.done', 'dataset.published.completed'];

/** Of the log of the hierarchy's workspace. Only masking keys make copies. */
export async function readKeyUse(sink: Pick<AuditSink, 'read'>, hierarchy: KeyHierarchy): Promise<readonly KeyUse[]> {
  return hierarchy.purpose === 'masking' ? toKeyUse(await sink.read(useTypes), hierarchy) : [];
}

export function toKeyUse(events: readonly Event[], { environment: wanted }: KeyHierarchy): readonly KeyUse[] {
  const uses = new Map<string, KeyUse>();
  for (const { at, data } of events) {
    const { pipeline, environment, target, version: dataset, key } = data as unknown as Published;
    if (key?.environment !== wanted) continue;
    const { version, until } = key;
    const place = JSON.stringify([version, pipeline, environment, target]);
    const datasets = [...(uses.get(place)?.datasets ?? []), dataset];
    uses.set(place, { version, pipeline, environment, target, datasets, lastAt: at, ...(until === undefined ? {} : { until }) });
  }
  return [...uses.values()];
}

/** Pipelines whose last copy was made with one of these versions because a document keeps it, and still does. */
export function findNeeds(uses: readonly KeyUse[], upTo: number, nowMs: number): readonly (KeyUse & { readonly until: string })[] {
  const last = new Map<string, KeyUse>();
  for (const use of uses) {
    const place = JSON.stringify([use.pipeline, use.environment]);
    if ((last.get(place)?.lastAt ?? '') <= use.lastAt) last.set(place, use);
  }
  return [...last.values()].flatMap((use) => {
    const { version, until } = use;
    return until !== undefined && version <= upTo && isInForce({ version, until } satisfies KeysDefinition['previous'], nowMs)
      ? [{ ...use, until }]
      : [];
  });
}

interface Published {
  readonly pipeline: string;
  readonly environment: string;
  readonly target: string;
  readonly version: number;
  readonly key?: { readonly environment: string; readonly version: number; readonly until?: string };
}

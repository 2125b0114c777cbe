// Which copies were made with which version of an environment's keys, as the log tells it.
import type { Json } from '../kernel/canonical-json.js';
import { isInForce } from './choose-key.js';
import { type KeysDefinition, toTokenEnvironment } from './definition.js';
import type { Event } from './event.js';
import type { Plan } from './plan.js';
import type { Hold, HeldVersion } from './hold.js';
import type { KeyHierarchy } from './ports.js';

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

/** What the entry of a publication says of its keys; that of an archive says its own. */
export function toKeyData(plan: Plan, nowMs: number): Readonly<Record<string, Json>> {
  const { pipeline, environment, keyEnvironment = environment, keyVersion, tokenKeyVersion } = plan;
  const { previous } = plan.facts.target.keys ?? {};
  const until = previous && isInForce(previous, nowMs) ? { until: previous.until } : {};
  const tokenKey =
    tokenKeyVersion === undefined
      ? {}
      : {
          tokenKey: { environment: toTokenEnvironment(environment, plan.facts.target.keys), version: tokenKeyVersion },
        };
  return { pipeline, environment, key: { environment: keyEnvironment, version: keyVersion, ...until }, ...tokenKey };
}

export const useTypes: readonly string[] = ['dataset.published.done', 'dataset.published.completed', 'archive.published'];

/** One version of a dataset that was published, and the key version of the hierarchy that it was made with. */
interface Made extends Omit<KeyUse, 'datasets' | 'lastAt'>, HeldVersion {
  readonly dataset: number;
  readonly at: string;
}

/** Of events of `useTypes`, those that this hierarchy had a part in. */
function toMade(events: readonly Event[], { purpose, environment: wanted }: KeyHierarchy): readonly Made[] {
  const sealed = new Map(events.flatMap(({ type, runId, data }) => (type === 'archive.published' ? [[runId, data['keyVersion']]] : [])));
  return events.flatMap(({ type, at, runId, data }): readonly Made[] => {
    if (type === 'archive.published') return [];
    const { pipeline, environment, server, target, version: dataset, key, tokenKey } = data as unknown as Published;
    const archive = sealed.has(runId) ? { environment, version: Number(sealed.get(runId)) } : undefined;
    const used: Published['key'] = { masking: key, token: tokenKey, transport: archive }[purpose];
    if (used?.environment !== wanted) return [];
    const { version, until } = used;
    const ending = until === undefined ? {} : { until };
    return [{ version, pipeline, environment, server, target, dataset, run: runId, at, ...ending }];
  });
}

/** Of events of `useTypes`, in the log of the hierarchy's workspace. */
export function toKeyUse(events: readonly Event[], hierarchy: KeyHierarchy): readonly KeyUse[] {
  const uses = new Map<string, KeyUse>();
  for (const { version, pipeline, environment, target, dataset, at: lastAt, until } of toMade(events, hierarchy)) {
    const place = JSON.stringify([version, pipeline, environment, target]);
    const datasets = [...(uses.get(place)?.datasets ?? []), dataset];
    uses.set(place, { version, pipeline, environment, target, datasets, lastAt, ...(until === undefined ? {} : { until }) });
  }
  return [...uses.values()];
}

/** What was made with one of these versions and is held: it may have to be made, or reversed, again. */
export function findHeld(events: readonly Event[], hierarchy: KeyHierarchy, upTo: number, holds: readonly Hold[]): Hold | undefined {
  const made = toMade(events, hierarchy).filter(({ version }) => version <= upTo);
  return holds.find(({ server, target, run }) => made.some((one) => one.server === server && one.target === target && one.run === run));
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
  readonly server: string;
  readonly target: string;
  readonly version: number;
  readonly key?: UsedKey;
  readonly tokenKey?: UsedKey;
}

interface UsedKey {
  readonly environment: string;
  readonly version: number;
  readonly until?: string;
}

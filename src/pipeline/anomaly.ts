// Signs in the log of what may be odd: entry by entry, counted per rule, subject and stretch of time. Counting is adding: in whichever order batches
// of the log come, the counts are the same. What the counts say is for `find-anomalies.ts`.
import { countRaw } from './data-drift.js';
import type { Event } from './event.js';
import type { WatchRule } from './watch.js';

/** Whom or what it is about. Ids and names of documents, environments and databases; a person by his random id. */
export interface AnomalySubject {
  readonly rule: WatchRule;
  readonly subject: string;
  /** Empty: the entry says none. */
  readonly environment: string;
  readonly pipeline: string;
}

export interface Counted extends AnomalySubject {
  /** RFC 3339: where the stretch of time begins that it was counted in. */
  readonly bucket: string;
  readonly amount: number;
}

/** Entries that can say anything of it; all others are passed over. */
export const watchedTypes = [
  ...['tokens.exchanged', 'tokens.refused', 'clone.requested', 'dataset.pulled', 'dataset.published.done', 'run.queued', 'run.withheld'],
  ...['dataset.drifted', 'access.denied', 'deployment.decided', 'run.denied', 'webhook.refused', 'gate.refused', 'agent.refused'],
  'documents.applied',
] as const;

const MINUTE_MS = 60_000;
const quarterMs = 15 * MINUTE_MS;
const hourMs = 60 * MINUTE_MS;
const dayMs = 24 * hourMs;

/** How long the stretches are that each rule counts in. */
export const bucketMs: Readonly<Record<WatchRule, number>> = {
  ...{ detokenisations: dayMs, clones: dayMs, 'first-seen': dayMs, 'outside-hours': quarterMs, residual: dayMs },
  ...{ denials: hourMs, 'failed-log-ins': hourMs, 'protection-weakened': dayMs, silence: dayMs },
};

export const toBucket = (rule: WatchRule, atMs: number): string =>
  new Date(Math.floor(atMs / bucketMs[rule]) * bucketMs[rule]).toISOString();

type Sign = Partial<Pick<AnomalySubject, 'environment' | 'pipeline'>> & Pick<AnomalySubject, 'rule' | 'subject'>;
type Read = (name: string) => string;

/** Of an entry with no time that can be read: nothing. */
export function toSigns(event: Event): readonly Counted[] {
  const atMs = Date.parse(event.at);
  if (Number.isNaN(atMs)) return [];
  const text: Read = (name) => (typeof event.data[name] === 'string' ? event.data[name] : '');
  return findSigns(event, text).map(({ rule, subject, environment = text('environment'), pipeline = text('pipeline') }) => ({
    ...{ rule, subject, environment, pipeline, bucket: toBucket(rule, atMs), amount: 1 },
  }));
}

function findSigns({ type, data }: Event, text: Read): readonly Sign[] {
  const person = `person ${text('actor')}`;
  switch (type) {
    case 'tokens.exchanged':
      if (text('action') !== 'detokenise') return [];
      return [
        { rule: 'detokenisations', subject: `${person} domain ${text('domain')}` },
        { rule: 'first-seen', subject: `reader ${person}` },
      ];
    case 'clone.requested':
      return [
        { rule: 'clones', subject: person },
        { rule: 'first-seen', subject: `reader ${person}` },
      ];
    case 'dataset.pulled':
      return [{ rule: 'first-seen', subject: `reader ${person}`, pipeline: '' }];
    case 'dataset.published.done':
      return [{ rule: 'first-seen', subject: `target ${text('server')}/${text('target')}` }];
    case 'run.queued':
      // What a schedule or a trigger asks for, somebody agreed to when the document was applied.
      return text('actor') === '' ? [] : [{ rule: 'outside-hours', subject: person }];
    case 'run.withheld':
      return [{ rule: 'residual', subject: `run ${text('run')}` }];
    case 'dataset.drifted':
      return hasRaw(data['changed']) ? [{ rule: 'residual', subject: `dataset ${text('run')}` }] : [];
    case 'tokens.refused':
      return [{ rule: 'denials', subject: person }];
    case 'run.denied':
      return [{ rule: 'denials', subject: 'runs' }];
    case 'deployment.decided':
      return data['allow'] === false ? [{ rule: 'denials', subject: `gate ${text('gate')}` }] : [];
    case 'access.denied':
      return [
        text('issuer') === '' ? { rule: 'denials', subject: person } : { rule: 'failed-log-ins', subject: `issuer ${text('issuer')}` },
      ];
    case 'webhook.refused':
      return [{ rule: 'failed-log-ins', subject: `trigger ${text('trigger')}` }];
    case 'gate.refused':
      return [{ rule: 'failed-log-ins', subject: `gate ${text('gate')}` }];
    case 'agent.refused':
      return [{ rule: 'failed-log-ins', subject: `agents ${text('environment')}` }];
    case 'documents.applied':
      return text('approval') === '' ? [] : [{ rule: 'protection-weakened', subject: `approval ${text('approval')}` }];
    default:
      return [];
  }
}

/** Rows that can be no fake. */
const hasRaw = (changed: unknown): boolean => Array.isArray(changed) && changed.some((one) => countRaw(String(one)) > 0);

export const keyOf = ({ rule, subject, environment, pipeline }: AnomalySubject): string =>
  JSON.stringify([rule, subject, environment, pipeline]);

/** Of each subject and stretch one, in a fixed order. */
export function addUp(signs: readonly Counted[]): readonly Counted[] {
  const sums = new Map<string, Counted>();
  for (const one of signs) {
    const key = `${keyOf(one)} ${one.bucket}`;
    sums.set(key, { ...one, amount: one.amount + (sums.get(key)?.amount ?? 0) });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

// Who used what and how much, for tools that look for what is unusual: a pure function of the log. People are the log's random ids, and nothing that a
// person wrote stands in it.
import type { Json } from '../../kernel/canonical-json.js';
import type { Event } from '../event.js';

export const usageActions = ['provisioned', 'reused', 'cloned', 'opened', 'pulled', 'tokenised', 'detokenised', 'refused'] as const;

export interface Usage {
  readonly at: string;
  readonly action: (typeof usageActions)[number];
  /** Random id; null: the service itself, or nobody who has shown who he is. */
  readonly who: string | null;
  readonly environment: string | null;
  readonly pipeline: string | null;
  readonly dataset: { readonly target: string; readonly version: number } | null;
  readonly run: string | null;
  readonly clone: string | null;
  /** Of tokens: a name of a document. */
  readonly domain: string | null;
  /** Null: not known of this action. */
  readonly amount: { readonly rows: number | null; readonly bytes: number | null; readonly values: number | null };
}

const byType = {
  'dataset.published.done': 'provisioned',
  'dataset.published.completed': 'provisioned',
  'dataset.reused': 'reused',
  'clone.made.done': 'cloned',
  'clone.link-redeemed': 'opened',
  'dataset.pulled': 'pulled',
  'tokens.exchanged': 'detokenised',
  'tokens.refused': 'refused',
} as const satisfies Readonly<Record<string, Usage['action']>>;

/** At these there is something to be told. */
export const usageTypes: readonly string[] = Object.keys(byType);

/** What it is made from, of the run that the event belongs to. */
export const usageRunTypes: readonly string[] = ['run.started', 'table.loaded'];

/** `ofRun`: events of the same run and of `usageRunTypes` that stand before it. Undefined: it is no use of anything. */
export function toUsage({ type, at, runId, data }: Event, ofRun: readonly Event[]): Usage | undefined {
  const found = Object.hasOwn(byType, type) ? byType[type as keyof typeof byType] : undefined;
  if (found === undefined) return undefined;
  const action = type === 'tokens.exchanged' && data['action'] === 'tokenise' ? 'tokenised' : found;
  const started = ofRun.findLast((event) => event.type === 'run.started')?.data ?? {};
  // A run that was taken over may have loaded a table twice.
  const loaded = new Map(
    ofRun
      .filter((one) => one.type === 'table.loaded')
      .map((one) => [`${one.data['schema'] as string}.${one.data['table'] as string}`, one.data]),
  );
  const sum = (member: string): number | null =>
    action === 'provisioned' ? [...loaded.values()].reduce((total, one) => total + (count(one[member]) ?? 0), 0) : null;
  const version = count(data['version']);
  return {
    ...{ at, action, who: toPerson(data['actor'] ?? started['actor']) },
    environment: text(data['environment'] ?? started['environment']),
    pipeline: text(data['pipeline'] ?? started['pipeline']),
    dataset: typeof data['target'] === 'string' && version !== null ? { target: data['target'], version } : null,
    run: text(data['run']) ?? (action === 'provisioned' || action === 'reused' ? runId : null),
    clone: text(data['clone']),
    domain: text(data['domain']),
    amount: { rows: sum('rows'), bytes: sum('bytes') ?? count(data['bytes']), values: count(data['count']) },
  };
}

/** What the service does of itself says `service`. */
const toPerson = (actor: Json | undefined): string | null => (actor === 'service' ? null : text(actor));

const text = (value: Json | undefined): string | null => (typeof value === 'string' && value !== '' ? value : null);

const count = (value: Json | undefined): number | null => (typeof value === 'number' ? value : null);

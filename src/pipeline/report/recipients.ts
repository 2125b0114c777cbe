// Who got something of an environment's copies within a period, by how: clones, archives that were handed out, topics, servers of agents, values behind
// tokens. For the recipients of a record of processing, and for whom a breach concerns.
import type { Event, LoggedEvent } from '../event.js';
import { type Period, isWithin } from './period.js';
import { textOf, toPlace } from './populations/population.js';

export const recipientKinds = {
  clone: 'clone of a version, with a login of its own',
  link: 'link to the login of a clone, redeemed by who had it',
  archive: 'archive of a version, handed out',
  topic: 'topic of a broker',
  server: 'server that agents publish on',
  reversal: 'values behind tokens',
} as const;
export type RecipientKind = keyof typeof recipientKinds;

export interface Recipient {
  readonly kind: RecipientKind;
  readonly environment: string;
  /** Random id of a person, name of a topic or identifier of a server; null: nobody in person, or nobody says. */
  readonly who: string | null;
  /** Clones, links, archives, versions or values. */
  readonly count: number;
  readonly first: string;
  readonly last: string;
  /** The last of them. */
  readonly entry: string;
}

interface Given {
  readonly kind: RecipientKind;
  readonly environment: string | null;
  readonly who: string | null;
  readonly count: number;
}

export class Recipients {
  readonly #environments = new Map<string, string>();
  readonly #found = new Map<string, Recipient>();

  /** `of`: only this environment's. */
  constructor(
    private readonly period: Pick<Period, 'from' | 'to'>,
    private readonly of?: string,
  ) {}

  take(logged: LoggedEvent): void {
    const { event } = logged;
    if (event.type === 'run.started') this.#environments.set(event.runId, textOf(event.data, 'environment') ?? '');
    else if (event.type === 'run.ended') this.#environments.delete(event.runId);
    if (!isWithin(this.period, event.at)) return;
    for (const given of this.#toGiven(event)) this.#add(given, event.at, toPlace(logged));
  }

  end(): readonly Recipient[] {
    const order = ({ environment, kind, who }: Recipient): string => `${environment} ${kind} ${who ?? ''}`;
    return [...this.#found.values()].sort((one, other) => (order(one) < order(other) ? -1 : 1));
  }

  #toGiven({ type, data, runId }: Event): readonly Given[] {
    const environment = textOf(data, 'environment') ?? this.#environments.get(runId) ?? null;
    const by = { environment, who: textOf(data, 'actor'), count: 1 };
    switch (type) {
      case 'clone.made.done':
      case 'clone.made.completed':
        return [{ ...by, kind: 'clone' }];
      case 'clone.link-redeemed':
        return [{ ...by, kind: 'link', who: null }];
      case 'dataset.pulled':
        return [{ ...by, kind: 'archive' }];
      case 'dataset.sent':
        return [{ ...by, kind: 'topic', who: textOf(data, 'topic') }];
      case 'dataset.published.done':
      case 'dataset.published.completed': {
        const { servers } = data;
        return Array.isArray(servers) ? servers.map((who) => ({ ...by, kind: 'server', who: String(who) })) : [];
      }
      case 'tokens.exchanged':
        return data['action'] === 'detokenise' ? [{ ...by, kind: 'reversal', count: Number(data['count'] ?? 0) }] : [];
      default:
        return [];
    }
  }

  #add({ kind, environment, who, count }: Given, at: string, entry: string): void {
    if (environment === null || (this.of !== undefined && environment !== this.of)) return;
    const key = JSON.stringify([kind, environment, who]);
    const known = this.#found.get(key);
    this.#found.set(key, { kind, environment, who, count: (known?.count ?? 0) + count, first: known?.first ?? at, last: at, entry });
  }
}

// Who held which role that reaches an environment, and when within a window.
import type { LoggedEvent } from '../../event.js';
import type { Period } from '../period.js';
import { textOf, toPlace } from '../populations/population.js';

export interface Holder {
  /** Random id of the person. */
  readonly person: string;
  readonly roles: readonly string[];
  readonly since: string;
  /** Null: it held to the end of the window. */
  readonly until: string | null;
  readonly entry: string;
}

export class BreachAccess {
  readonly #now = new Map<string, Holder>();
  readonly #over: Holder[] = [];

  constructor(
    private readonly environment: string,
    private readonly window: Pick<Period, 'from' | 'to'>,
  ) {}

  take(logged: LoggedEvent): void {
    const { type, at, data } = logged.event;
    if (at >= this.window.to) return;
    const person = textOf(data, type === 'person.erased.done' ? 'of' : 'person');
    if (person === null) return;
    if (type === 'roles.granted') this.#grant(person, at, (textOf(data, 'roles') ?? '').split(' ').filter(Boolean), toPlace(logged));
    else if (type === 'person.erased.done') this.#end(person, at);
  }

  end(): readonly Holder[] {
    const order = ({ person, since }: Holder): string => `${person} ${since}`;
    return [...this.#over, ...this.#now.values()].sort((one, other) => (order(one) < order(other) ? -1 : 1));
  }

  /** A role without an environment is one of all. */
  #grant(person: string, at: string, roles: readonly string[], entry: string): void {
    this.#end(person, at);
    const reaching = roles.filter((role) => !role.includes('@') || role.endsWith(`@${this.environment}`));
    if (reaching.length > 0) this.#now.set(person, { person, roles: reaching, since: at, until: null, entry });
  }

  #end(person: string, at: string): void {
    const held = this.#now.get(person);
    this.#now.delete(person);
    if (held && at >= this.window.from) this.#over.push({ ...held, until: at });
  }
}

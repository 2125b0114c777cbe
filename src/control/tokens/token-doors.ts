// What the exchange of tokens needs beside the metadata database: the keys of hierarchy `token`, the policy, and who exchanged how much lately.
import type { OpenKeys, Policy } from '../../pipeline/ports.js';
import { Buckets } from '../http/http.js';

export const TOKEN_DOORS = Symbol('token doors');

export class TokenDoors {
  private readonly buckets: Buckets;
  private policy: Promise<Policy> | undefined;

  /** `openPolicy`: asked for once, by the first exchange. */
  constructor(
    readonly openKeys: OpenKeys,
    private readonly openPolicy: () => Promise<Policy>,
    perSecond: number,
  ) {
    this.buckets = new Buckets(perSecond);
  }

  getPolicy(): Promise<Policy> {
    // What could not be opened is tried again by the next one.
    return (this.policy ??= this.openPolicy().catch((error: unknown) => {
      this.policy = undefined;
      throw error;
    }));
  }

  /** Milliseconds to wait before this person may exchange so many values of the domain; 0: now, and they are counted. */
  take(personId: string, environment: string, domain: string, count: number): number {
    return this.buckets.take([personId, environment, domain].join('\0'), count);
  }

  async close(): Promise<void> {
    const policy = await this.policy?.catch(() => undefined);
    await policy?.close();
  }
}

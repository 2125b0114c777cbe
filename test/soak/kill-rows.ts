// Runs of rows that are killed with kill -9 at moments that a seed draws from the whole of a run, the broker in between, and what consumers read afterwards.
import { createHash } from 'node:crypto';

import { findKafka } from '../support/kafka.js';
import { toRandom } from '../support/random.js';
import { StreamWorld } from '../support/stream-world.js';
import { type Struck, hadBegun, measureWhole, strike } from './strike.js';

export interface RowsKill extends Struck {
  readonly victim: 'service' | 'broker';
  /** The version that is current before, after the kill, and after the run that came next. */
  readonly versions: readonly (number | undefined)[];
}

export interface RowsKillResult {
  readonly seed: number;
  readonly kills: readonly RowsKill[];
  /** What did not hold. */
  readonly broken: readonly string[];
}

const rows = ', encoding: rows, partitions: 2, rows: { format: json }';
const topics = ['country', 'customer', 'order'].map((table) => `faults.local.dev.rows.shop.${table}`);

/** In turns: every third kill is the broker's. */
export async function killRows(kills: number, seed: number): Promise<RowsKillResult> {
  const world = await StreamWorld.start(findKafka() ?? '');
  try {
    return await new Killing(world, seed).all(kills);
  } finally {
    await world.stop();
  }
}

interface Seen {
  /** Run to the digest of what its rows hold, in no order. */
  readonly byRun: ReadonlyMap<string, string>;
  readonly current: { readonly version: number; readonly runId: string } | undefined;
}

class Killing {
  readonly #random: () => number;
  readonly #broken: string[] = [];
  #expected = '';
  #wholeMs = 0;

  constructor(
    private readonly world: StreamWorld,
    private readonly seed: number,
  ) {
    this.#random = toRandom(seed);
  }

  async all(count: number): Promise<RowsKillResult> {
    const { world, seed } = this;
    world.use(rows);
    this.#wholeMs = await measureWhole(world);
    let before = await this.#look('before the first kill', true);
    this.#expected = [...before.byRun.values()][0] ?? '';
    const kills: RowsKill[] = [];
    for (let n = 1; n <= count; n++) {
      const victim = n % 3 === 0 ? 'broker' : 'service';
      const name = `${victim} ${n}`;
      const { struck: kill, said } = await this.#kill(victim);
      // Who is away for longer than is waited for may end a run; nobody else may.
      if (victim === 'broker' && hadBegun(kill, said) && kill.ended !== 0 && kill.awayMs < patienceMs)
        this.#broken.push(`${name}: the run ended with ${kill.ended}: ${said}`);
      // A broker that died may have forgotten what was deleted, until the next start deletes it once more.
      const killed = await this.#look(name, kill.ended === 0, victim === 'broker' && kill.ended !== 0);
      const next = await world.run().ended;
      if (next.code !== 0) this.#broken.push(`${name}: the next run ended with ${next.code}: ${next.stderr}`);
      const after = await this.#look(`${name}, next run`, true);
      if ((after.current?.version ?? 0) <= (killed.current?.version ?? 0)) this.#broken.push(`${name}: the next run published nothing`);
      kills.push({ victim, ...kill, versions: [before, killed, after].map(({ current }) => current?.version) });
      process.stderr.write(`${name}: ${JSON.stringify(kills.at(-1))}\n`);
      before = after;
    }
    return { seed, kills, broken: this.#broken };
  }

  #kill(victim: RowsKill['victim']): ReturnType<typeof strike> {
    const { world } = this;
    const atMs = Math.round(this.#random() * this.#wholeMs);
    return strike(world, { atMs, isBroker: victim === 'broker' }, async (run) => {
      if (victim === 'service') run.child.kill('SIGKILL');
      else await world.kafka.restart();
    });
  }

  /** `swept`: a run has ended since; then nothing of another one is there for who reads what is not committed either. */
  async #look(name: string, swept: boolean, mayReturn = false): Promise<Seen> {
    const { world } = this;
    const standing = await world.listed();
    const current = standing.versions.find(({ state }) => state === 'current');
    const byRun = await this.#read(swept);
    const hold = (what: string, holds: boolean): void =>
      void (holds || this.#broken.push(`${name}: ${what}: ${JSON.stringify([standing, [...byRun]])}`));
    hold('audit verify', standing.audit === 0);
    const others = [...byRun.keys()].filter((run) => run !== current?.runId);
    if (mayReturn && others.length > 0)
      process.stderr.write(`${name}: rows of ${others.length} earlier runs are back until the next start\n`);
    hold('rows of another run than the current version’s', mayReturn || others.length === 0);
    hold('no row of the current version', current === undefined || byRun.has(current.runId));
    hold('rows differ', this.#expected === '' || current === undefined || byRun.get(current.runId) === this.#expected);
    if (swept) hold('left over', standing.versions.every(({ state }) => state === 'current') && standing.temporary.length === 0);
    return { byRun, current };
  }

  /** Keys without a value say that a row is gone; the key of each row is there once, or the digest would differ. */
  async #read(readUncommitted: boolean): Promise<ReadonlyMap<string, string>> {
    const lines = new Map<string, string[]>();
    for (const topic of topics) {
      const reader = await this.world.broker.reader({ topic, readUncommitted, waitMs: 100 }).catch(() => undefined);
      if (!reader) continue;
      const ends = await reader.askEnds();
      while ([...ends].some(([partition, end]) => (reader.positions.get(partition) ?? 0n) < end))
        for (const { key, value } of await reader.read()) {
          if (value === null) continue;
          const { after, source } = JSON.parse(value.toString('utf8')) as { after: unknown; source: { run: string } };
          const mine = lines.get(source.run) ?? [];
          lines.set(source.run, mine);
          mine.push(`${topic} ${String(key)} ${JSON.stringify(after)}`);
        }
      await reader.close();
    }
    const toDigest = (all: string[]): string => `${all.length} ${createHash('sha256').update(all.sort().join('\n')).digest('hex')}`;
    return new Map([...lines].map(([run, all]) => [run, toDigest(all)]));
  }
}

/** Of BAUTA_BROKER_WAIT_MS. */
const patienceMs = 30_000;

// A service, an agent and a broker that are killed with kill -9 at moments that a seed draws from the whole of a run through the broker, and what must hold
// after each.
import { findKafka } from '../support/kafka.js';
import { toRandom } from '../support/random.js';
import { pause } from '../support/small-shop.js';
import { type AgentProcess, type Standing, StreamWorld } from '../support/stream-world.js';
import { type Struck, hadBegun, measureWhole, strike } from './strike.js';

export type Victim = 'service' | 'agent' | 'broker';

export interface StreamKill extends Struck {
  readonly victim: Victim;
  /** The last version that stands there, before and after the run that came next. */
  readonly versions: readonly (number | undefined)[];
}

export interface StreamKillResult {
  readonly seed: number;
  readonly kills: readonly StreamKill[];
  /** What did not hold. */
  readonly broken: readonly string[];
  readonly last: Standing;
}

/** So many of each, in turns: whatever a killed service left, the run of the next turn has to deal with. */
export async function killStreams(victims: Readonly<Record<Victim, number>>, seed: number, given?: StreamWorld): Promise<StreamKillResult> {
  const world = given ?? (await StreamWorld.start(findKafka() ?? ''));
  try {
    return await new Killing(world, seed).all(victims);
  } finally {
    if (!given) await world.stop();
  }
}

/** A broker of three, the next one each time: runs go on with the others, whatever they were at. */
export async function killOneOfThree(kills: number, seed: number): Promise<StreamKillResult> {
  const world = await StreamWorld.startWithThree(findKafka() ?? '');
  try {
    const result = await killStreams({ service: 0, agent: 0, broker: kills }, seed, world);
    const failed = result.kills.flatMap(({ ended }, at) => (ended === 0 ? [] : [`broker ${at + 1}: the run ended with ${ended}`]));
    return { ...result, broken: [...result.broken, ...failed] };
  } finally {
    await world.stop();
  }
}

class Killing {
  readonly #random: () => number;
  readonly #broken: string[] = [];
  #agent!: AgentProcess;
  #expected = '';
  #wholeMs = 0;

  constructor(
    private readonly world: StreamWorld,
    private readonly seed: number,
  ) {
    this.#random = toRandom(seed);
  }

  async all(victims: Readonly<Record<Victim, number>>): Promise<StreamKillResult> {
    const { world, seed } = this;
    this.#expected = await world.digestOfDirect();
    world.use(', waitMinutes: 1');
    this.#agent = world.agents[0] ?? (await world.agent());
    this.#wholeMs = await measureWhole(world);
    const kills: StreamKill[] = [];
    let before = await this.#look('before the first kill');
    const left = { ...victims };
    while (left.service + left.agent + left.broker > 0) {
      for (const victim of ['service', 'agent', 'broker'] as const) {
        if (left[victim] === 0) continue;
        left[victim] -= 1;
        const name = `${victim} ${victims[victim] - left[victim]}`;
        const { struck: kill, said } = await this.#kill(victim);
        // What was killed has ended in one version or in none; the next run publishes one more.
        if (victim !== 'service' && (victim === 'agent' || hadBegun(kill, said)) && kill.ended !== 0)
          this.#broken.push(`${name}: the run ended with ${kill.ended}: ${said}`);
        const killed = await this.#look(name, kill.ended === 0);
        if (kill.ended === 0 && (killed.current ?? 0) <= (before.current ?? 0))
          this.#broken.push(`${name}: ended well and published nothing`);
        const goesOn = kill.ended === 0 || left.agent + left.broker > 0;
        const after = goesOn ? killed : await this.#publishNext(name);
        kills.push({ victim, ...kill, versions: [before.current, killed.current, after.current] });
        process.stderr.write(`${name}: ${JSON.stringify(kills.at(-1))}\n`);
        before = after;
      }
    }
    return { seed, kills, broken: this.#broken, last: before };
  }

  #kill(victim: Victim): ReturnType<typeof strike> {
    const { world } = this;
    const atMs = Math.round(this.#random() * this.#wholeMs);
    return strike(world, { atMs, isBroker: victim === 'broker' }, async (run) => {
      if (victim === 'service') run.child.kill('SIGKILL');
      else if (victim === 'broker') await world.kafka.restart();
      else {
        await this.#agent.kill();
        await pause(this.#random() * 500);
        this.#agent.start();
      }
    });
  }

  async #publishNext(name: string): Promise<Standing> {
    const { code, stderr } = await this.world.run().ended;
    if (code !== 0) this.#broken.push(`${name}: the next run ended with ${code}: ${stderr}\n${this.#agent.said()}`);
    return this.#look(`${name}, next run`);
  }

  /** `swept`: a run has ended since. What a killed one left is there until the next start. */
  async #look(name: string, swept = true): Promise<Standing> {
    const standing = await this.world.standing();
    const hold = (what: string, holds: boolean): void => void (holds || this.#broken.push(`${name}: ${what}: ${JSON.stringify(standing)}`));
    hold('rows differ', standing.current === undefined || standing.digest === this.#expected);
    hold('audit verify', standing.audit === 0);
    const current = standing.versions.filter(({ state }) => state === 'current');
    if (!swept) return standing;
    hold(
      'the version that agents were told is not the one that stands there',
      current.length === 1 && current[0]?.version === standing.current,
    );
    hold('left over at the agent', standing.left.length === 0);
    hold(
      'left over at the broker',
      standing.bulkTopics === standing.versions.length && standing.versions.every(({ state }) => state !== 'staging'),
    );
    hold('left over in the temporary folder', standing.temporary.length === 0);
    return standing;
  }
}

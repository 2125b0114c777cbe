// Three brokers that are one cluster, each topic on all of them and two of them enough to write: one may be away.
import { findFreePort } from './free-port.js';
import { type OwnKafka, startKafka } from './kafka.js';

/** MUST be stopped in afterAll. `restart` and `kill` are of one of them, the next one each time. */
export async function startThreeKafkas(jars: string): Promise<OwnKafka> {
  const ids = [1, 2, 3] as const;
  const controllers = [await findFreePort(), await findFreePort(), await findFreePort()];
  const voters = ids.map((id, at) => `${id}@127.0.0.1:${controllers[at]}`).join(',');
  const nodes = await Promise.all(
    ids.map((id, at) =>
      startKafka(jars, (_, ours) => ({
        'node.id': String(id),
        'controller.quorum.voters': voters,
        listeners: String(ours['listeners']).replace(/CONTROLLER:.*$/, `CONTROLLER://127.0.0.1:${controllers[at]}`),
        'default.replication.factor': '3',
        'min.insync.replicas': '2',
        'offsets.topic.replication.factor': '3',
        'transaction.state.log.replication.factor': '3',
        'transaction.state.log.min.isr': '2',
      })),
    ),
  );
  let turn = 0;
  const next = (): OwnKafka => nodes[turn++ % nodes.length]!;
  return {
    ...nodes[0]!,
    url: `kafka://${nodes.map(({ ports }) => `127.0.0.1:${ports.plain}`).join(',')}`,
    kill: () => next().kill(),
    restart: () => next().restart(),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

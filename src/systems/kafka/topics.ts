// What may be done to topics: made as stated, described, emptied, deleted; and who may read or write them.
import { setTimeout as sleep } from 'node:timers/promises';

import kafkajs, { type AclEntry, type Admin, type ITopicConfig } from 'kafkajs';

import { toError, toKnownError, type Where } from '../../kernel/errors.js';
import { isPassing, toBrokerError } from './failure.js';
import type { Positions } from './reader.js';

export interface TopicDefinition {
  readonly topic: string;
  readonly partitions: number;
  /** Default: the broker's own. */
  readonly replication?: number;
  /** Deleted so long after it was written; undefined: never by age. */
  readonly retentionMs?: number;
  /** The last record of each key stays. */
  readonly compacted?: boolean;
  /** Other settings of the topic, as Kafka names them. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface TopicState {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
}

/** What somebody may do, as `User:agent-1`; to a topic, or to all whose names begin with `prefix`. */
export interface Grant {
  readonly principal: string;
  readonly operation: 'read' | 'write' | 'describe' | 'create' | 'delete';
  readonly on: { readonly topic: string } | { readonly prefix: string };
}

const pauseMs = 200;
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ConfigSource, ResourcePatternTypes } = kafkajs;

const operations = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  describe: AclOperationTypes.DESCRIBE,
  create: AclOperationTypes.CREATE,
  delete: AclOperationTypes.DELETE,
} as const;

const createMs = 8000;

export class BrokerAdmin {
  readonly #client: Admin;
  readonly #where: Where;
  readonly #patienceMs: number;

  constructor(client: Admin, where: Where, patienceMs: number) {
    this.#client = client;
    this.#where = where;
    this.#patienceMs = patienceMs;
  }

  /** What is there stays as it is. Resolves with the names that were made. Throws TOPIC_REFUSED, BROKER_*. */
  async create(...topics: readonly TopicDefinition[]): Promise<readonly string[]> {
    const made: string[] = [];
    for (const definition of topics) {
      const created = await this.#ask(definition.topic, (attempt) =>
        // That is there at a second attempt was made by the first, whose answer was lost.
        this.#client
          .createTopics({ topics: [toConfig(definition)], waitForLeaders: false, timeout: createMs })
          .then((one) => one || attempt > 0),
      );
      if (created) made.push(definition.topic);
    }
    await this.#untilThere(topics.map(({ topic }) => topic));
    return made;
  }

  /** Whoever makes a topic is answered by the controller: the brokers know of it a moment later, also when somebody else was first. */
  async #untilThere(topics: readonly string[]): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += pauseMs) {
      const there = await this.describe(topics).catch((error: unknown) => {
        if (toKnownError(error).code !== 'TOPIC_MISSING') throw error;
        return [];
      });
      const missing = topics.find((topic) => !there.some((one) => one.topic === topic && one.partitions > 0));
      if (missing === undefined) return;
      if (waitedMs >= createMs) throw toError('TOPIC_MISSING', { ...this.#where, object: missing });
      await sleep(pauseMs);
    }
  }

  /** Which cluster it is, whatever address it has. */
  async clusterId(): Promise<string> {
    return (await this.#ask(undefined, () => this.#client.describeCluster())).clusterId;
  }

  /** Of those that are there and may be seen. */
  async describe(topics: readonly string[]): Promise<readonly TopicState[]> {
    const there = new Set(await this.list());
    const wanted = topics.filter((topic) => there.has(topic));
    if (wanted.length === 0) return [];
    const { topics: found } = await this.#ask(undefined, () => this.#client.fetchTopicMetadata({ topics: wanted }));
    return found.map(({ name, partitions }) => ({
      ...{ topic: name, partitions: partitions.length },
      replication: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    }));
  }

  /** All that may be seen and whose names begin so. */
  async list(prefix = ''): Promise<readonly string[]> {
    const names = await this.#ask(undefined, () => this.#client.listTopics());
    return names.filter((name) => name.startsWith(prefix)).sort();
  }

  /** What was changed of a topic's settings, or stands by the broker's defaults. */
  async settings(topic: string): Promise<ReadonlyMap<string, string>> {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
    const { resources: found } = await this.#ask(topic, () => this.#client.describeConfigs({ resources, includeSynonyms: false }));
    return new Map(found.flatMap(({ configEntries }) => configEntries.map(({ configName, configValue }) => [configName, configValue])));
  }

  /** The topic's time, where it has another; its other settings stay as they are. */
  async keepFor(topic: string, retentionMs: number): Promise<void> {
    if ((await this.settings(topic)).get('retention.ms') === String(retentionMs)) return;
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
    await this.#ask(topic, async () => {
      const { resources: found } = await this.#client.describeConfigs({ resources, includeSynonyms: false });
      // Whoever alters some takes the others back to the broker's own.
      const set = found
        .flatMap(({ configEntries }) => configEntries)
        .filter(({ configSource }) => configSource === ConfigSource.TOPIC_CONFIG);
      const own = new Map(set.map(({ configName, configValue }) => [configName, configValue]));
      own.set('retention.ms', String(retentionMs));
      const configEntries = [...own].map(([name, value]) => ({ name, value }));
      await this.#client.alterConfigs({ validateOnly: false, resources: [{ ...resources[0]!, configEntries }] });
    });
  }

  /** First and next offset of each partition; next for who reads committed records: where the oldest open transaction begins. */
  async offsets(topic: string): Promise<readonly { readonly partition: number; readonly first: bigint; readonly next: bigint }[]> {
    const found = await this.#ask(topic, () => this.#client.fetchTopicOffsets(topic));
    return found.map(({ partition, low, high }) => ({ partition, first: BigInt(low), next: BigInt(high) }));
  }

  /** No reader gets a record below these positions again; without any, no record that is there now. Segments go from the disk at the broker's leisure. */
  async deleteRecords(topic: string, before?: Positions): Promise<void> {
    // Asked for in any case: kafkajs deletes only of topics that it has met.
    const there = await this.offsets(topic);
    const positions = before ?? new Map(there.map(({ partition, next }) => [partition, next]));
    const partitions = [...positions].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    if (partitions.length > 0) await this.#ask(topic, () => this.#client.deleteTopicRecords({ topic, partitions }));
  }

  /** Names that are not there are left out of it. Resolves with those that were. */
  async delete(...topics: readonly string[]): Promise<readonly string[]> {
    const there = new Set(await this.list());
    const wanted = topics.filter((topic) => there.has(topic));
    for (const topic of wanted)
      await this.#ask(topic, () => this.#client.deleteTopics({ topics: [topic], timeout: 8000 })).catch((error: unknown) => {
        // By an attempt whose answer was lost.
        if (toKnownError(error).code !== 'TOPIC_MISSING') throw error;
      });
    return wanted;
  }

  /** Throws BROKER_AUTHORIZER_MISSING where the broker lets everybody do everything. */
  async grant(...grants: readonly Grant[]): Promise<void> {
    await this.#ask(undefined, () => this.#client.createAcls({ acl: grants.map(toAcl) }));
  }

  async revoke(...grants: readonly Grant[]): Promise<void> {
    const filters = grants.map(toAcl);
    await this.#ask(undefined, () => this.#client.deleteAcls({ filters }));
  }

  /** Who may do what to this very topic, or to the names that begin so. */
  async grants(on: Grant['on']): Promise<readonly Grant[]> {
    const { resourceName, resourcePatternType } = toResource(on);
    const filter = { resourceName, resourcePatternType, resourceType: AclResourceTypes.TOPIC };
    const anything = { operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ALLOW };
    const { resources } = await this.#ask(undefined, () => this.#client.describeAcls({ ...filter, ...anything }));
    return resources.flatMap(({ acls }) =>
      acls.flatMap(({ principal, operation }) => {
        const name = (Object.keys(operations) as Grant['operation'][]).find((one) => operations[one] === operation);
        return name === undefined ? [] : [{ principal, operation: name, on }];
      }),
    );
  }

  /** Without one everybody may do everything. Who may not ask is told by one. */
  async hasAuthorizer(): Promise<boolean> {
    try {
      await this.grants({ topic: 'bauta' });
    } catch (error) {
      const { code } = toKnownError(error);
      if (code === 'BROKER_AUTHORIZER_MISSING') return false;
      if (code !== 'BROKER_DENIED') throw error;
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#client.disconnect().catch(() => undefined);
  }

  /** kafkajs asks once: a broker that goes away meanwhile is asked again, since whatever is asked here may be asked twice. */
  async #ask<T>(topic: string | undefined, ask: (attempt: number) => Promise<T>): Promise<T> {
    const until = performance.now() + this.#patienceMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask(attempt);
      } catch (error) {
        const known = toBrokerError(error, topic === undefined ? this.#where : { ...this.#where, object: topic });
        if (known.code === 'TOPIC_MISSING' || !isPassing(error) || performance.now() > until) throw known;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}

function toConfig({ topic, partitions, replication = -1, retentionMs, compacted = false, settings = {} }: TopicDefinition): ITopicConfig {
  if (partitions < 1) throw toError('TOPIC_REFUSED', { object: topic });
  const all = {
    'cleanup.policy': compacted ? 'compact' : 'delete',
    'retention.ms': String(retentionMs ?? -1),
    ...settings,
  };
  return {
    ...{ topic, numPartitions: partitions, replicationFactor: replication },
    configEntries: Object.entries(all).map(([name, value]) => ({ name, value })),
  };
}

function toResource(on: Grant['on']): Pick<AclEntry, 'resourceName' | 'resourcePatternType'> {
  return 'topic' in on
    ? { resourceName: on.topic, resourcePatternType: ResourcePatternTypes.LITERAL }
    : { resourceName: on.prefix, resourcePatternType: ResourcePatternTypes.PREFIXED };
}

function toAcl({ principal, operation, on }: Grant): AclEntry {
  return {
    ...{ resourceType: AclResourceTypes.TOPIC, ...toResource(on), principal, host: '*' },
    ...{ operation: operations[operation], permissionType: AclPermissionTypes.ALLOW },
  };
}

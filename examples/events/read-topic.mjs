// Every record of a topic, partition by partition in their order, until the end that it had when this began.
import kafkajs from 'kafkajs';

/** `broker`: HOST:PORT in clear; a real one has `ssl` and `sasl`, see kafkajs. */
export async function readTopic(broker, topic, each) {
  const kafka = new kafkajs.Kafka({ brokers: [broker], clientId: 'bauta-example', logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, BigInt(high)]));
  await admin.disconnect();
  const open = new Set([...ends].filter(([, end]) => end > 0n).map(([partition]) => partition));
  if (open.size === 0) return;
  const consumer = kafka.consumer({ groupId: `bauta-example-${process.pid}-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    void consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        for (const message of messages) {
          if (BigInt(message.offset) < ends.get(partition)) each(message);
          if (BigInt(message.offset) >= ends.get(partition) - 1n) open.delete(partition);
        }
        if (open.size === 0) resolve();
      },
    });
  });
  await consumer.disconnect();
}

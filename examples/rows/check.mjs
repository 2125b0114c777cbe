// Whether everything of the published version is there, by nothing but the broker: counts and digests of what a consumer of committed records gets,
// held against the manifest on the control topic (docs/rows.md, "Is it complete?").
// Usage: node examples/rows/check.mjs HOST:PORT bauta.WORKSPACE.ENVIRONMENT     (in clear; a real broker has `ssl` and `sasl`, see kafkajs)
import { createHash } from 'node:crypto';

import kafkajs from 'kafkajs';

const idleMs = 5000;
const absent = 0xffff_ffff;
const [broker = '', environment = ''] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ brokers: [broker], clientId: 'bauta-example', logLevel: kafkajs.logLevel.NOTHING });

/** Committed records from the beginning, until `each` says that it has all, or nothing more comes. */
async function read(topic, each) {
  const consumer = kafka.consumer({ groupId: `bauta-example-${process.pid}-${Date.now()}`, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise((resolve, reject) => {
    let timer = setTimeout(resolve, 6 * idleMs);
    // One that is tried again is no end: a broker's first group waits for its coordinator.
    consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error));
    void consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        clearTimeout(timer);
        for (const message of messages) if (each(message, partition)) return resolve();
        timer = setTimeout(resolve, idleMs);
      },
    });
  });
  await consumer.disconnect();
}

/** Of the newest version that was published and has not ended; a message of more than 900 KB comes in parts. */
async function readManifest() {
  const parts = new Map();
  let published;
  await read(`${environment}.control`, ({ key, value, headers }) => {
    const [run, type] = String(key).split('/');
    const [at, of] = String(headers['b-part']).split('/').map(Number);
    const name = `${run}/${type}`;
    if (at === 0) parts.set(name, []);
    parts.get(name)?.push(value);
    if (at + 1 < of) return;
    if (type === 'publish') published = run;
    if ((type === 'expire' || type === 'withdraw') && run === published) published = undefined;
  });
  const told = parts.get(`${published}/complete`);
  return told && JSON.parse(Buffer.concat(told).toString('utf8'));
}

function frame({ key, value }) {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(key?.length ?? absent, 0);
  lengths.writeUInt32BE(value?.length ?? absent, 4);
  return Buffer.concat([lengths, key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
}

async function check({ topic, partitions }, run) {
  const seen = new Map(partitions.map(({ partition }) => [partition, { records: 0, hash: createHash('sha256') }]));
  let left = partitions.reduce((sum, { records }) => sum + records, 0);
  if (left > 0)
    await read(topic, (message, partition) => {
      // Of the version before, while somebody holds it; or a key without a value, of one that ended.
      if (!message.value?.includes(run)) return false;
      const at = seen.get(partition);
      if (!at) return false;
      at.records += 1;
      at.hash.update(frame(message));
      left -= 1;
      return left === 0;
    });
  return partitions.flatMap(({ partition, records, sha256 }) => {
    const at = seen.get(partition);
    if (at.records !== records) return [`${topic}/${partition}: ${at.records} of ${records} records`];
    return at.hash.digest('hex') === sha256 ? [] : [`${topic}/${partition}: ${records} records, and not those that were proved`];
  });
}

const manifest = await readManifest();
if (!manifest) {
  console.log(`${environment}: nothing is published`);
  process.exit(1);
}
const { version, body } = manifest;
const problems = [];
for (const topic of body.topics) problems.push(...(await check(topic, body.run)));
const records = body.topics.flatMap(({ partitions }) => partitions).reduce((sum, { records: count }) => sum + count, 0);
for (const problem of problems) console.log(problem);
console.log(
  `${environment}, version ${version}, run ${body.run}: ${body.topics.length} topics, ${records} records: ${problems.length === 0 ? 'whole' : 'not whole'}`,
);
process.exit(problems.length === 0 ? 0 : 1);

// deploy/kafka/grant.sh on a broker of the tests: the script as shipped, whose calls of kafka-acls are written down and carried out by Kafka's own tool.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { packageFile } from '../../src/kernel/package-root.js';
import type { TestKafka } from './kafka.js';

/** Each: the words of one call, such as `agent User:a WORKSPACE ENVIRONMENT`. `folder`: for files of its own. */
export async function giveRights(kafka: TestKafka, jars: string, folder: string, ...calls: readonly string[]): Promise<void> {
  const tool = join(folder, 'kafka-acls');
  writeFileSync(tool, `#!/bin/sh\nfor word; do printf '%s\\t' "$word"; done >>"$0.log"\necho >>"$0.log"\n`, { mode: 0o755 });
  writeFileSync(`${tool}.log`, '');
  const env = { PATH: process.env['PATH'] ?? '', KAFKA_ACLS: tool, BOOTSTRAP: kafka.url.replace('kafka://', '') };
  for (const call of calls) execFileSync('sh', [packageFile('deploy', 'kafka', 'grant.sh'), ...call.split(' ')], { env, stdio: 'pipe' });
  const words = ['-cp', `${jars}/*`, packageFile('test', 'support', 'kafka', 'GrantAcls.java')];
  // Not in one piece with this process, in which a service may have to answer.
  await new Promise<void>((resolve, reject) => {
    const child = execFile('java', words, (error) => (error ? reject(new Error(error.message)) : resolve()));
    child.stdin?.end(readFileSync(`${tool}.log`, 'utf8'));
  });
}

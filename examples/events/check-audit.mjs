// Reads the audit topic of a broker to its end and says whether it is everything: node check-audit.mjs HOST:PORT KEY-FILE [PREFIX]
// KEY-FILE: log-WORKSPACE.pub. Logs of other workspaces are counted and not looked into. Exit 0: whole; 1: not, and why.
import { readFileSync } from 'node:fs';

import { LogProof } from './audit-proof.mjs';
import { readTopic } from './read-topic.mjs';

const [broker, keyFile, prefix = 'bauta'] = process.argv.slice(2);
const verifier = readFileSync(keyFile, 'utf8').trim();
const ours = (origin) => origin.startsWith(`${verifier.split('+')[0]}/`);
const proofs = new Map();
let [again, others, wrong] = [0, 0, 0];
const tell = (error) => {
  wrong += 1;
  console.log(error.message);
};

// The newest checkpoint of each log is all that a compacted topic promises to keep.
const checkpoints = new Map();
await readTopic(broker, `${prefix}.audit.checkpoints`, ({ key, value }) => checkpoints.set(key.toString(), value.toString()));
await readTopic(broker, `${prefix}.audit`, ({ value, headers }) => {
  const origin = String(headers.ce_logorigin);
  if (!ours(origin)) return void (others += 1);
  const proof = proofs.get(origin) ?? new LogProof(origin, verifier);
  proofs.set(origin, proof);
  try {
    if (proof.take(Number(headers.ce_id), value) === 'again') again += 1;
    if (checkpoints.has(origin)) proof.compare(checkpoints.get(origin));
  } catch (error) {
    tell(error);
  }
});
for (const [origin, proof] of proofs) {
  console.log(`${origin}: ${proof.size} entries, ${proof.checked} of them signed for`);
  // Entries after the checkpoint that was read first are younger than it; fewer than it says are a gap at the end.
  if (proof.checked === 0) tell(new Error(`${origin}: no checkpoint fits what was read`));
}
console.log(`${again} sent again, ${others} of other logs, ${wrong} wrong`);
process.exit(wrong === 0 && proofs.size > 0 ? 0 : 1);

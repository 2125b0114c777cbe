// What a consumer of the audit topic has to do to know that it has everything, in order, and that nothing was changed: count, digest, compare. Plain
// Node, no library: RFC 6962 (the tree), c2sp.org/tlog-checkpoint and c2sp.org/signed-note (the checkpoint).
import { createHash, createPublicKey, verify } from 'node:crypto';

const sha256 = (...parts) => parts.reduce((digest, part) => digest.update(part), createHash('sha256')).digest();

/** The proof of one log. Numbers begin at 0; every number comes once or, sent again, with the same bytes. */
export class LogProof {
  /** Whole subtrees at the right edge, largest first: all that the root needs, however long the log is. */
  #edge = [];
  #last = { index: -1, value: Buffer.alloc(0) };
  #digests = [];
  #checked = 0;

  constructor(origin, verifier, keepDigests = 100_000) {
    this.origin = origin;
    this.verifier = verifier;
    this.keepDigests = keepDigests;
  }

  /** How many entries were read, and how many of them a signed checkpoint covers. */
  get size() {
    return this.#last.index + 1;
  }
  get checked() {
    return this.#checked;
  }

  /** 'new' or 'again'. Throws for a gap, and for a number that comes again with other bytes. */
  take(index, value) {
    if (!Buffer.isBuffer(value) || value.length === 0) throw new Error(`${this.origin}/${index}: no value`);
    const digest = sha256(Buffer.of(0), value);
    if (index < this.size) {
      const known = this.#digests[index - (this.size - this.#digests.length)];
      if (known && !known.equals(digest)) throw new Error(`${this.origin}/${index}: came again with other bytes`);
      return 'again';
    }
    if (index > this.size) throw new Error(`${this.origin}: entry ${this.size} is missing, ${index} came`);
    this.#last = { index, value };
    this.#digests.push(digest);
    if (this.#digests.length > this.keepDigests) this.#digests.shift();
    let [leaves, merged] = [1, digest];
    while (this.#edge.at(-1)?.leaves === leaves) {
      merged = sha256(Buffer.of(1), this.#edge.pop().digest, merged);
      leaves *= 2;
    }
    this.#edge.push({ leaves, digest: merged });
    return 'new';
  }

  /** True: everything that was read is what was signed. False: of another size than what was read. Throws where it is not what was signed. */
  compare(note) {
    const { origin, size, root } = openCheckpoint(note, this.verifier);
    if (origin !== this.origin) throw new Error(`${this.origin}: a checkpoint of ${origin}`);
    if (size !== this.size) return false;
    const own = this.#edge.map(({ digest }) => digest).reduceRight((right, left) => sha256(Buffer.of(1), left, right));
    if (own.toString('base64') !== root) throw new Error(`${this.origin}: ${size} entries, and not those that were signed`);
    this.#checked = size;
    return true;
  }
}

/** `name+hash+base64` of log-WORKSPACE.pub, or of `key` in /v1/audit/log. */
export function openCheckpoint(note, verifier) {
  const [, name, , key] = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(verifier.trim()) ?? [];
  const at = note.lastIndexOf('\n\n');
  const text = note.slice(0, at + 1);
  const line = note
    .slice(at + 2)
    .split('\n')
    .find((one) => one.startsWith(`\u2014 ${name} `));
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(key ?? '', 'base64').subarray(1)]);
  const signature = Buffer.from(line?.split(' ')[2] ?? '', 'base64').subarray(4);
  const good = line && verify(null, Buffer.from(text), createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
  if (!good) throw new Error('a checkpoint that was not signed by the key that was given');
  const [origin, size, root] = text.split('\n');
  return { origin, size: Number(size), root };
}

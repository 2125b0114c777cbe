// Checks a package of evidence: node verify.mjs PACKAGE.zip [log.pub] [--policy FILE]. Node's own modules only, no network. It came with the package: whoever made the
// package anew could have made this anew, too. Get it by another way, or write your own from VERIFY.md.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

const words = process.argv.slice(2);
const asked = words.indexOf('--policy');
const [, policyFile] = asked < 0 ? [] : words.splice(asked, 2);
const [file, keyFile] = words;
if (!file || (asked >= 0 && !policyFile)) fail('node verify.mjs PACKAGE.zip [log.pub] [--policy FILE]', 3);

const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const leafOf = (entry) => sha(Buffer.of(0), entry);
const nodeOf = (left, right) => sha(Buffer.of(1), left, right);

// ── the archive: stored entries, one after the other, nothing between and nothing behind
const handle = openSync(file, 'r');
const size = fstatSync(handle).size;
const bytesAt = (from, length) => {
  const bytes = Buffer.alloc(length);
  if (readSync(handle, bytes, 0, length, from) !== length) fail('the archive is cut');
  return bytes;
};
const end = bytesAt(size - 22, 22);
if (end.readUInt32LE(0) !== 0x06054b50) fail('this is no archive');
const entries = new Map();
let at = 0;
let last = '';
const directory = [];
while (at < end.readUInt32LE(16)) {
  const head = bytesAt(at, 30);
  const [length, nameLength] = [head.readUInt32LE(18), head.readUInt16LE(26)];
  const name = bytesAt(at + 30, nameLength).toString('latin1');
  const expected = Buffer.alloc(30);
  expected.writeUInt32LE(0x04034b50, 0);
  expected.writeUInt16LE(20, 4);
  expected.writeUInt16LE(0x21, 12);
  head.copy(expected, 14, 14, 18);
  expected.writeUInt32LE(length, 18);
  expected.writeUInt32LE(length, 22);
  expected.writeUInt16LE(nameLength, 26);
  if (!head.equals(expected) || name <= last) fail(`the header of ${JSON.stringify(name)}`);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(20, 4);
  expected.copy(central, 6, 4, 30);
  central.writeUInt32LE(at, 42);
  directory.push(central, Buffer.from(name, 'latin1'));
  entries.set(name, { from: at + 30 + nameLength, length, crc: head.readUInt32LE(14) });
  last = name;
  at += 30 + nameLength + length;
}
const headers = Buffer.concat(directory);
if (!bytesAt(at, headers.length).equals(headers) || at + headers.length + 22 !== size) fail('the directory of the archive');
const wanted = Buffer.alloc(22);
wanted.writeUInt32LE(0x06054b50, 0);
wanted.writeUInt16LE(entries.size, 8);
wanted.writeUInt16LE(entries.size, 10);
wanted.writeUInt32LE(headers.length, 12);
wanted.writeUInt32LE(at, 16);
if (!end.equals(wanted)) fail('the end of the archive');
const crcTable = Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});
const read = (name) => {
  const entry = entries.get(name);
  if (!entry) fail(`${name} is missing`);
  const bytes = bytesAt(entry.from, entry.length);
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255] ^ (crc >>> 8);
  if ((crc ^ 0xffffffff) >>> 0 !== entry.crc) fail(`the check sum of ${name}`);
  return bytes;
};

// ── the manifest lists every file but itself and its proof
const manifestBytes = read('manifest.json');
const manifest = JSON.parse(manifestBytes.toString('utf8'));
const beside = new Set(['manifest.json', 'report-made.tlog-proof']);
for (const listed of manifest.files) {
  const bytes = read(listed.name);
  if (bytes.length !== listed.bytes || `sha256:${sha(bytes).toString('hex')}` !== listed.digest)
    fail(`${listed.name} is not what the manifest lists`);
}
const names = new Set(manifest.files.map(({ name }) => name));
for (const name of entries.keys()) if (!names.has(name) && !beside.has(name)) fail(`${name} is not in the manifest`);

// ── each log: entries → root → checkpoint; each begins with the checkpoint that ended the one before
const checkpointOf = (note) => {
  const split = note.lastIndexOf('\n\n');
  const [origin, count, root] = note.slice(0, split + 1).split('\n');
  return {
    origin,
    size: Number(count),
    root,
    text: note.slice(0, split + 1),
    lines: note
      .slice(split + 2)
      .split('\n')
      .filter(Boolean),
  };
};
const logs = [...new Set([...entries.keys()].flatMap((name) => /^log\/([^/]+)\//.exec(name)?.[1] ?? []))].sort();
if (logs.length === 0) fail('the package holds no log');
const policy = policyFile ? readPolicy(readFileSync(policyFile, 'utf8')) : undefined;
const { origin: newest } = checkpointOf(read(`log/${logs.at(-1)}/checkpoint`).toString('utf8'));
const key = keyFile
  ? readKey(readFileSync(keyFile, 'utf8').trim())
  : (policy?.logs.find(({ name }) => newest.startsWith(`${name}/`)) ?? policy?.logs[0]);
/** Roots that notes of others speak of, where they are not larger than the log. */
const spoken = new Map(witnessedNotes().map(({ size }) => [size, undefined]));
let before = null;
for (const log of logs) {
  const note = read(`log/${log}/checkpoint`).toString('utf8');
  const checkpoint = checkpointOf(note);
  requireSigned(checkpoint);
  const tree = [];
  let [first, leaves] = [undefined, 0];
  for (let index = 0; index * 256 < checkpoint.size; index++) {
    const width = Math.min(256, checkpoint.size - index * 256);
    const bundle = read(`log/${log}/tile/entries/${groups(index)}${width === 256 ? '' : `.p/${width}`}`);
    let [place, count] = [0, 0];
    for (; place < bundle.length; count++) {
      const next = place + 2 + bundle.readUInt16BE(place);
      const entry = bundle.subarray(place + 2, next);
      first ??= JSON.parse(entry.toString('utf8'));
      checkPayload(log, entry);
      push(tree, leafOf(entry));
      if (spoken.has(++leaves) && log === logs.at(-1)) spoken.set(leaves, rootOf(tree).toString('base64'));
      place = next;
    }
    if (count !== width || place !== bundle.length) fail(`log ${log}, bundle ${index}`);
  }
  if (rootOf(tree).toString('base64') !== checkpoint.root) fail(`log ${log}: its entries do not give the signed root`);
  if (before !== null && first?.data?.previous !== before) fail(`log ${log} does not begin with the end of the one before`);
  before = note;
}

// ── the log was told of this manifest
const proof = read('report-made.tlog-proof').toString('utf8');
const [, extra, index, digests, note] =
  /^c2sp\.org\/tlog-proof@v1\nextra (\S+)\nindex (\d+)\n((?:\S{44}\n)*)\n([\s\S]+)$/.exec(proof) ?? fail('the proof');
const told = checkpointOf(note);
requireSigned(told);
if (told.origin !== checkpointOf(before).origin && !key) fail('the proof is of another log');
const entry = Buffer.from(extra, 'base64');
const event = JSON.parse(entry.toString('utf8'));
if (event.type !== 'report.made' || event.data.manifest !== `sha256:${sha(manifestBytes).toString('hex')}`)
  fail('the proof is of another manifest');
const path = digests
  .split('\n')
  .slice(0, -1)
  .map((text) => Buffer.from(text, 'base64'));
if (climb(Number(index), told.size, leafOf(entry), path)?.toString('base64') !== told.root)
  fail('the proof does not lead to the signed root');

// ── what others have seen of it: each note goes on from this log, or is of what it was
const cut = checkpointOf(before);
const witnessed = JSON.parse(read('witnessed.json').toString('utf8'));
for (const { note, consistency } of [witnessed.cosigned, ...witnessed.anchors].filter(Boolean)) {
  const seen = checkpointOf(note);
  requireSigned(seen);
  const proof = consistency.map((text) => Buffer.from(text, 'base64'));
  const [from, to] = [Buffer.from(cut.root, 'base64'), Buffer.from(seen.root, 'base64')];
  const same = seen.size < cut.size ? spoken.get(seen.size) === seen.root : goesOn(cut.size, seen.size, from, to, proof);
  if (seen.origin !== cut.origin || !same) fail(`a checkpoint of ${seen.size} entries in witnessed.json is of another history`);
}
const cosigners = policy ? readCosigners() : [];
if (policy && !policy.isQuorum(new Set(cosigners)))
  fail(`${cosigners.length} witness(es) of the policy have cosigned what was read: that is no quorum`);
closeSync(handle);
if (policy)
  console.log(
    `cosigned by ${cosigners.length === 0 ? 'nobody that the policy names, which asks for nobody' : cosigners.map(({ name }) => name).join(', ')}`,
  );
if (key)
  console.log(
    `whole: ${manifest.files.length} files, ${logs.length} log(s), signed by ${key.name}; entry ${index} of ${told.origin} tells of this manifest`,
  );
else console.log('consistent in itself, signer not checked: give the public key of the log, or a policy');
console.log('This program came with the package. It does not tell whether the populations follow from the log: bauta report verify does.');
process.exit(key ? 0 : 5);

function checkPayload(log, entry) {
  const { payload } = JSON.parse(entry.toString('utf8'));
  if (!payload) return;
  const bytes = read(`log/${log}/payload/${payload.digest.slice(7)}`);
  if (bytes.length !== payload.bytes || `sha256:${sha(bytes).toString('hex')}` !== payload.digest) fail(`a payload of log ${log}`);
}

function groups(index) {
  const digits = String(index);
  const parts = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g);
  return parts.map((part, i) => (i === parts.length - 1 ? part : `x${part}`)).join('/');
}

function push(tree, digest) {
  let node = { digest, leaves: 1 };
  while (tree.at(-1)?.leaves === node.leaves) {
    const left = tree.pop();
    node = { digest: nodeOf(left.digest, node.digest), leaves: left.leaves * 2 };
  }
  tree.push(node);
}

function rootOf(tree) {
  return tree.length === 0 ? sha('') : tree.map(({ digest }) => digest).reduceRight((right, left) => nodeOf(left, right));
}

/** RFC 9162, 2.1.3.2. */
function climb(index, size, leaf, path) {
  let [fn, sn, root] = [index, size - 1, leaf];
  for (const digest of path) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      root = nodeOf(digest, root);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else root = nodeOf(root, digest);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 ? root : undefined;
}

function witnessedNotes() {
  const { cosigned, anchors } = JSON.parse(read('witnessed.json').toString('utf8'));
  return [cosigned, ...anchors].filter(Boolean).map(({ note }) => checkpointOf(note));
}

/** RFC 9162, 2.1.4.2. */
function goesOn(size1, size2, root1, root2, proof) {
  if (size1 === size2) return proof.length === 0 && root1.equals(root2);
  const [first, ...rest] = Number.isInteger(Math.log2(size1)) ? [root1, ...proof] : proof;
  if (size1 < 1 || size1 > size2 || proof.length === 0) return false;
  let [fn, sn, one, two] = [size1 - 1, size2 - 1, first, first];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  for (const digest of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [one, two] = [nodeOf(digest, one), nodeOf(digest, two)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else two = nodeOf(two, digest);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && one.equals(root1) && two.equals(root2);
}

/** c2sp.org/tlog-policy. */
function readPolicy(text) {
  const [logKeys, members] = [[], new Map()];
  let isQuorum;
  for (const line of text.split('\n').map((one) => one.split(/[ \t]+/).filter(Boolean))) {
    const [word = '#', name, third, ...rest] = line;
    if (word.startsWith('#')) continue;
    if (word === 'log') logKeys.push(readKey(name));
    else if (word === 'witness') {
      const witness = readKey(third, 4);
      members.set(name, { witness, holds: (all) => all.has(witness) });
    } else if (word === 'group') {
      const of = rest.map((one) => members.get(one) ?? fail(`the policy names ${one} before it is there`, 3));
      const least = third === 'all' ? of.length : third === 'any' ? 1 : Number(third);
      if (!(least >= 1 && least <= of.length)) fail('a group of the policy', 3);
      members.set(name, { holds: (all) => of.filter(({ holds }) => holds(all)).length >= least });
    } else if (word === 'quorum')
      isQuorum = name === 'none' ? () => true : (members.get(name)?.holds ?? fail('the quorum of the policy', 3));
    else fail(`the policy has a line that begins with ${word}`, 3);
  }
  if (!isQuorum) fail('the policy has no quorum', 3);
  return { logs: logKeys, witnesses: [...members.values()].flatMap(({ witness }) => witness ?? []), isQuorum };
}

/** c2sp.org/tlog-cosignature, of a checkpoint that covers what was read. */
function readCosigners() {
  if (!witnessed.cosigned) return [];
  const { size: covered, text, lines } = checkpointOf(witnessed.cosigned.note);
  if (covered < manifest.upTo.size) return [];
  return policy.witnesses.filter(({ name, id, key: witnessKey }) =>
    lines.some((line) => {
      const [, of, signature] = /^— (\S+) (\S+)$/.exec(line) ?? [];
      const bytes = Buffer.from(signature ?? '', 'base64');
      if (of !== name || bytes.subarray(0, 4).toString('hex') !== id) return false;
      const message = `cosignature/v1\ntime ${bytes.length === 76 ? bytes.readBigUInt64BE(4) : fail('a cosignature')}\n${text}`;
      return verify(null, Buffer.from(message), witnessKey, bytes.subarray(12)) || fail(`the cosignature of ${name}`);
    }),
  );
}

function readKey(text = '', type = 1) {
  const [name, id, ...rest] = text.split('+');
  const bytes = Buffer.from(rest.join('+'), 'base64');
  if (bytes.length !== 33 || bytes[0] !== type) fail('this is no key', 3);
  if (sha(`${name}\n`, bytes).subarray(0, 4).toString('hex') !== id) fail('this is no key', 3);
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), bytes.subarray(1)]);
  return { name, id, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

function requireSigned({ origin, text, lines }) {
  if (!key) return;
  if (!origin.startsWith(`${key.name}/`)) fail(`the log ${origin} is not of this key`);
  const signed = lines.some((line) => {
    const [, name, signature] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = Buffer.from(signature ?? '', 'base64');
    return (
      name === key.name && bytes.subarray(0, 4).toString('hex') === key.id && verify(null, Buffer.from(text), key.key, bytes.subarray(4))
    );
  });
  if (!signed) fail(`the checkpoint of ${origin} was not signed with this key`);
}

function fail(why, code = 1) {
  console.error(code === 1 ? `broken: ${why}` : why);
  process.exit(code);
}

// The Merkle tree of RFC 6962 (and RFC 9162) with SHA-256: one digest for a whole log, and short proofs about it.
import { hash } from 'node:crypto';

export type Digest = Buffer;

/** The tree's own digest when it has no leaf. */
export const emptyRoot: Digest = hash('sha256', Buffer.alloc(0), 'buffer');

export function toLeafDigest(leaf: Uint8Array): Digest {
  const bytes = Buffer.allocUnsafe(leaf.length + 1);
  bytes[0] = 0x00;
  bytes.set(leaf, 1);
  return hash('sha256', bytes, 'buffer');
}

const pair = Buffer.alloc(65, 0x01);

export function toNodeDigest(left: Uint8Array, right: Uint8Array): Digest {
  pair.set(left, 1);
  pair.set(right, 33);
  return hash('sha256', pair, 'buffer');
}

/** A tree that only grows: it remembers the whole subtrees at its right edge, which are all that its root and its future need. */
export class GrowingTree {
  /** Sizes fall from left to right, each a power of two. */
  readonly #subtrees: { readonly leaves: number; readonly digest: Digest }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `leaves` is how many leaves the digest stands for: a power of two that divides the size so far. */
  append(digest: Digest, leaves = 1): void {
    this.#size += leaves;
    let merged = { leaves, digest };
    for (let last = this.#subtrees.at(-1); last?.leaves === merged.leaves; last = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      merged = { leaves: merged.leaves * 2, digest: toNodeDigest(last.digest, merged.digest) };
    }
    this.#subtrees.push(merged);
  }

  root(): Digest {
    return (
      this.#subtrees
        .map(({ digest }) => digest)
        .reduceRight<Digest | undefined>((right, left) => (right ? toNodeDigest(left, right) : left), undefined) ?? emptyRoot
    );
  }
}

/** Digest of the whole subtree of 2^height leaves that begins at leaf `index * 2^height`. */
export type NodeAt = (height: number, index: number) => Promise<Digest>;

/** RFC 6962 §2.1.1: from the leaf's sibling up to the root's child. */
export async function toInclusionProof(index: number, size: number, nodeAt: NodeAt): Promise<readonly Digest[]> {
  const proof: Digest[] = [];
  let [from, to] = [0, size];
  const above: [number, number][] = [];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    above.push(index < middle ? [middle, to] : [from, middle]);
    if (index < middle) to = middle;
    else from = middle;
  }
  for (const [left, right] of above.reverse()) proof.push(await toRangeDigest(left, right, nodeAt));
  return proof;
}

/** RFC 6962 §2.1.2, between the trees of the first `size1` and the first `size2` leaves. */
export async function toConsistencyProof(size1: number, size2: number, nodeAt: NodeAt): Promise<readonly Digest[]> {
  const proof: Digest[] = [];
  let [from, to] = [0, size2];
  // Whether what is left of the older tree is the whole of a subtree that the verifier knows as its root.
  let known = true;
  const above: [number, number][] = [];
  while (to !== size1) {
    const middle = from + splitOf(to - from);
    above.push(size1 <= middle ? [middle, to] : [from, middle]);
    if (size1 <= middle) to = middle;
    else [from, known] = [middle, false];
  }
  if (!known) proof.push(await toRangeDigest(from, to, nodeAt));
  for (const [left, right] of above.reverse()) proof.push(await toRangeDigest(left, right, nodeAt));
  return proof;
}

/** Digest of the leaves `[from, to)`, where `from` is where a subtree of that many leaves may begin. */
export async function toRangeDigest(from: number, to: number, nodeAt: NodeAt): Promise<Digest> {
  const leaves = to - from;
  const height = Math.log2(leaves);
  if (Number.isInteger(height)) return nodeAt(height, from / leaves);
  const middle = from + splitOf(leaves);
  return toNodeDigest(await toRangeDigest(from, middle, nodeAt), await toRangeDigest(middle, to, nodeAt));
}

/** RFC 9162 §2.1.3.2. */
export function isIncluded(index: number, size: number, leaf: Uint8Array, proof: readonly Uint8Array[], root: Uint8Array): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size || !isDigest(leaf)) return false;
  let [at, last] = [index, size - 1];
  let digest = leaf;
  for (const sibling of proof) {
    if (last === 0 || !isDigest(sibling)) return false;
    if (at % 2 === 1 || at === last) {
      digest = toNodeDigest(sibling, digest);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)];
    } else digest = toNodeDigest(digest, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && Buffer.compare(digest, root) === 0;
}

/** RFC 9162 §2.1.4.2. A tree without leaves proves nothing about its future, so that it is consistent with none. */
export function isConsistent(size1: number, size2: number, root1: Uint8Array, root2: Uint8Array, proof: readonly Uint8Array[]): boolean {
  if (!Number.isSafeInteger(size1) || !Number.isSafeInteger(size2) || size1 < 1 || size1 > size2) return false;
  if (size1 === size2) return proof.length === 0 && Buffer.compare(root1, root2) === 0;
  if (!proof.every(isDigest)) return false;
  const [first, ...rest] = Number.isInteger(Math.log2(size1)) ? [root1, ...proof] : proof;
  if (!first || proof.length === 0) return false;
  let [at, last] = [size1 - 1, size2 - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let [digest1, digest2] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [digest1, digest2] = [toNodeDigest(sibling, digest1), toNodeDigest(sibling, digest2)];
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, half(last)];
    } else digest2 = toNodeDigest(digest2, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && Buffer.compare(digest1, root1) === 0 && Buffer.compare(digest2, root2) === 0;
}

/** The largest power of two below `leaves`. */
function splitOf(leaves: number): number {
  let split = 1;
  while (split * 2 < leaves) split *= 2;
  return split;
}

const half = (n: number): number => Math.floor(n / 2);

const isDigest = (bytes: Uint8Array): boolean => bytes.length === 32;

import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { packageFile } from '../../kernel/package-root.js';
import {
  type Digest,
  GrowingTree,
  emptyRoot,
  isConsistent,
  isIncluded,
  toConsistencyProof,
  toInclusionProof,
  toLeafDigest,
  toNodeDigest,
} from './tree.js';

interface Vector {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string;
  readonly leafHash: string;
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
}

const file = packageFile('..', 'shared', 'data', 'merkle-vectors.json.gz');

function readVectors(): [string, Vector][] {
  if (existsSync(file)) return Object.entries(JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Record<string, Vector>);
  const text = 'the Merkle vectors of transparency-dev are not there (../shared/data beside the project)';
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error(text);
  process.stderr.write(`SKIPPED: ${text}\n`);
  return [];
}

const vectors = readVectors();
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');

describe('the vectors of transparency-dev/merkle', () => {
  it('are all 196', () => expect(vectors.length === 0 || vectors.length === 196).toBe(true));

  it.each(vectors)('%s', (path, { wantErr, proof, ...vector }) => {
    const digests = (proof ?? []).map(bytes);
    const holds = path.includes('/inclusion/')
      ? isIncluded(vector.leafIdx, vector.treeSize, bytes(vector.leafHash), digests, bytes(vector.root))
      : isConsistent(vector.size1, vector.size2, bytes(vector.root1), bytes(vector.root2), digests);
    expect(holds).toBe(!wantErr);
  });
});

/** The definition of RFC 6962 §2.1, word by word. */
function rootOf(leaves: readonly Digest[]): Digest {
  if (leaves.length <= 1) return leaves[0] ?? emptyRoot;
  const split = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return toNodeDigest(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

const leavesOf = (size: number): Digest[] => Array.from({ length: size }, (_, i) => toLeafDigest(Buffer.from(`leaf ${i}`)));
const nodeIn =
  (leaves: readonly Digest[]) =>
  (height: number, index: number): Promise<Digest> =>
    Promise.resolve(rootOf(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)));
const sizes = fc.integer({ min: 1, max: 70 });

it('has the root that the RFC defines, whatever the size, grown leaf by leaf or by whole subtrees', () => {
  const tree = new GrowingTree();
  expect(tree.root()).toEqual(emptyRoot);
  const leaves = leavesOf(70);
  for (const [i, leaf] of leaves.entries()) {
    tree.append(leaf);
    expect(tree.root()).toEqual(rootOf(leaves.slice(0, i + 1)));
  }
  const quick = new GrowingTree();
  quick.append(rootOf(leaves.slice(0, 64)), 64);
  for (const leaf of leaves.slice(64)) quick.append(leaf);
  expect([quick.size, quick.root()]).toEqual([70, tree.root()]);
});

it('proves every leaf of every tree, and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), async (size, some) => {
      const [index, leaves] = [some % size, leavesOf(size)];
      const root = rootOf(leaves);
      const proof = await toInclusionProof(index, size, nodeIn(leaves));
      expect(isIncluded(index, size, leaves[index]!, proof, root)).toBe(true);
      expect(isIncluded((index + 1) % size, size, leaves[index]!, proof, root)).toBe(size === 1);
      expect(isIncluded(index, size, toLeafDigest(Buffer.from('another')), proof, root)).toBe(false);
    }),
  );
});

it('proves that every tree begins with each smaller one, and with no other', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, sizes, async (a, b) => {
      const [size1, size2] = [Math.min(a, b), Math.max(a, b)];
      const leaves = leavesOf(size2);
      const [root1, root2] = [rootOf(leaves.slice(0, size1)), rootOf(leaves)];
      const proof = await toConsistencyProof(size1, size2, nodeIn(leaves));
      expect(isConsistent(size1, size2, root1, root2, proof)).toBe(true);
      const forged = rootOf([toLeafDigest(Buffer.from('another')), ...leaves.slice(1, size1)]);
      expect(isConsistent(size1, size2, forged, root2, proof)).toBe(false);
    }),
  );
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { type Cosigner, readCosignatures, toCosigner } from '../../kernel/cosignature.js';
import { signNote, toSigner } from '../../kernel/signed-note.js';
import { type NodeAt, GrowingTree, emptyRoot, toConsistencyProof, toLeafDigest, toRangeDigest } from './tree.js';
import { type WitnessAnswer, answerSubmission } from './witness.js';

const cosigner: Cosigner = toCosigner('witness.example', new Uint8Array(32).fill(1));
const signer = toSigner('log.example', new Uint8Array(32).fill(2));
const stranger = toSigner('log.example', new Uint8Array(32).fill(3));
const origin = 'log.example/2026';

const leavesOf = (count: number, text = ''): Buffer[] =>
  Array.from({ length: count }, (_, n) => toLeafDigest(Buffer.from(`${n}${n < 2 ? text : ''}`)));

function rootOf(leaves: readonly Buffer[]): string {
  const tree = new GrowingTree();
  for (const leaf of leaves) tree.append(leaf);
  return (leaves.length === 0 ? emptyRoot : tree.root()).toString('base64');
}

const checkpointOf = (leaves: readonly Buffer[], by = signer, of = origin): string =>
  signNote(`${of}\n${leaves.length}\n${rootOf(leaves)}\n`, by);

async function submission(old: number, leaves: readonly Buffer[], note = checkpointOf(leaves)): Promise<string> {
  const nodeAt: NodeAt = (height, index) =>
    height === 0 ? Promise.resolve(leaves[index]!) : toRangeDigest(index * 2 ** height, (index + 1) * 2 ** height, leafAt);
  const leafAt: NodeAt = async (height, index) => {
    const tree = new GrowingTree();
    for (const leaf of leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)) tree.append(leaf);
    return Promise.resolve(tree.root());
  };
  const proof = old === 0 || old >= leaves.length ? [] : await toConsistencyProof(old, leaves.length, nodeAt);
  return `old ${old}\n${proof.map((digest) => `${digest.toString('base64')}\n`).join('')}\n${note}`;
}

class OneWitness {
  note: string | undefined;

  async submit(body: string): Promise<WitnessAnswer> {
    const side = { cosigner, logs: [signer.verifier], seen: () => Promise.resolve(this.note), now: () => 1_763_712_000 };
    const answer = await answerSubmission(body, side);
    if (answer.status === 200) this.note = answer.note;
    return answer;
  }
}

it('cosigns whatever a log grows to, and keeps a note that both of them have signed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 6 }), async (steps) => {
      const witness = new OneWitness();
      let size = 0;
      for (const step of steps) {
        const answer = await witness.submit(await submission(size, leavesOf(size + step)));
        expect([size, step, answer.status]).toEqual([size, step, 200]);
        size += step;
      }
      expect(readCosignatures(witness.note!, [cosigner.witness])).toHaveLength(1);
    }),
    { numRuns: 40 },
  );
});

it('cosigns no other past, whatever is sent as its proof', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 30 }), async (size, more) => {
      const witness = new OneWitness();
      await witness.submit(await submission(0, leavesOf(size)));
      const kept = witness.note;
      expect((await witness.submit(await submission(size, leavesOf(size + more, 'other')))).status).toBe(422);
      expect(witness.note).toBe(kept);
    }),
    { numRuns: 40 },
  );
});

describe('the answers of the standard', () => {
  const five = leavesOf(5);
  const cases: [string, () => Promise<string>, object][] = [
    ['nothing that it understands', () => Promise.resolve('old 0\n'), { status: 400 }],
    [
      'a log that it does not know',
      () => submission(0, five, checkpointOf(five, toSigner('other.example'), 'other.example/2026')),
      { status: 404 },
    ],
    [
      'a name that only begins like that of a log',
      () => submission(0, five, checkpointOf(five, signer, 'log.example.net/2026')),
      { status: 404 },
    ],
    [
      'a checkpoint that another key signed in the name of the log',
      () => submission(0, five, checkpointOf(five, stranger)),
      { status: 403 },
    ],
    ['an old size beyond the checkpoint', () => submission(6, five), { status: 400 }],
    ['an old size that is not what it has seen', () => submission(1, leavesOf(6)), { status: 409, size: 3 }],
    ['a log that was cut', () => submission(2, leavesOf(2)), { status: 409, size: 3 }],
    [
      'a proof where there is nothing to prove',
      async () => (await submission(3, leavesOf(3))).replace('\n\n', `\n${rootOf(five)}\n\n`),
      { status: 422 },
    ],
    ['a proof of something else', async () => (await submission(3, five)).replace(/\n[^\n]{44}\n/, `\n${rootOf(five)}\n`), { status: 422 }],
    [
      'more proof than there can be',
      async () => (await submission(3, five)).replace('old 3\n', `old 3\n${`${rootOf(five)}\n`.repeat(63)}`),
      { status: 400 },
    ],
  ];

  it.each(cases)('to %s', async (_, body, answer) => {
    const witness = new OneWitness();
    await witness.submit(await submission(0, leavesOf(3)));
    expect(await witness.submit(await body())).toEqual(answer);
  });

  it('cosign the same checkpoint again, because the answer may have been lost', async () => {
    const witness = new OneWitness();
    await witness.submit(await submission(0, five));
    expect(await witness.submit(await submission(5, five))).toMatchObject({ status: 200 });
  });

  it('take an empty log with the root of an empty tree only', async () => {
    const empty = (root: string): string => `old 0\n\n${signNote(`${origin}\n0\n${root}\n`, signer)}`;
    expect(await new OneWitness().submit(empty(rootOf([])))).toMatchObject({ status: 200 });
    expect(await new OneWitness().submit(empty(rootOf(five)))).toEqual({ status: 422 });
  });
});

// The listed paths of a JSON column as the kernel walks along them: a trie of nodes of 4-byte words, addresses counted from its begin. A node: its slot
// or −1, whether the slot is kept, the elements' node or 0, the count of its members, and for each member its key's address and length and its node.
import type { Segment } from './path.js';

export interface JsonPath {
  readonly segments: readonly Segment[];
  /** The position among the paths. */
  readonly slot: number;
  readonly kept: boolean;
}

interface PathNode {
  path?: JsonPath;
  element?: PathNode;
  readonly members: Map<string, PathNode>;
}

export function toJsonTrie(paths: readonly JsonPath[]): Uint8Array {
  const root: PathNode = { members: new Map() };
  for (const path of paths) {
    let node = root;
    for (const segment of path.segments) node = getChild(node, segment);
    node.path = path;
  }
  const words: number[] = [];
  const keys: Uint8Array[] = [];
  write(root, words, keys);
  return Buffer.concat([new Uint8Array(Int32Array.from(words).buffer), ...keys]);
}

function getChild(node: PathNode, segment: Segment): PathNode {
  if (segment === null) return (node.element ??= { members: new Map() });
  const found = node.members.get(segment) ?? { members: new Map<string, PathNode>() };
  node.members.set(segment, found);
  return found;
}

const wordsOf = ({ members }: PathNode): number => 4 + 3 * members.size;

function countWords(node: PathNode): number {
  const below = [...node.members.values(), ...(node.element ? [node.element] : [])];
  return below.reduce((sum, child) => sum + countWords(child), wordsOf(node));
}

/** Writes a node and all below it; returns its address. Keys stand behind all words, from `keysAt` on. */
function write(node: PathNode, words: number[], keys: Uint8Array[], keysAt = 4 * countWords(node)): number {
  const at = words.length;
  const { path, element, members } = node;
  words.push(path ? path.slot : -1, Number(path?.kept ?? false), 0, members.size, ...new Array<number>(3 * members.size).fill(0));
  if (element) words[at + 2] = write(element, words, keys, keysAt);
  [...members].forEach(([key, child], i) => {
    const bytes = Buffer.from(key);
    words[at + 4 + 3 * i] = keysAt + keys.reduce((sum, { length }) => sum + length, 0);
    words[at + 5 + 3 * i] = bytes.length;
    keys.push(bytes);
    words[at + 6 + 3 * i] = write(child, words, keys, keysAt);
  });
  return 4 * at;
}

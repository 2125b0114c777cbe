// audit keeps what happened, as a transparency log: events as leaves of a Merkle tree, signed checkpoints, proofs. The door.
export { openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.js';
export { Journal } from './journal.js';
export { type Leaf, parseLeaf, toLeaf, toPayloadPath } from './leaf.js';
export { TILE, parseBundle, parseTile, toBundle, toEdgeTiles, toTilePath } from './tile.js';
export { type Digest, GrowingTree, toLeafDigest } from './tree.js';

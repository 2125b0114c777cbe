// audit keeps what happened, as a transparency log: events as leaves of a Merkle tree, signed checkpoints, proofs. The door.
export { type Anchor, type AnchorFile, type AnchorStore, anchorLog, parseAnchors, readAnchors, toAnchorName } from './anchors.js';
export { openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.js';
export { type Deletion, carriedTypes, toCarried, toCarryOn } from './deletions.js';
export {
  type Change,
  type HomeChange,
  type KeyChange,
  type OpenIntent,
  homeChangeTypes,
  intentTypes,
  keyChangeTypes,
  toOpenHomeIntents,
  toOpenIntents,
  toOpenKeyIntents,
} from './intents.js';
export { Journal } from './journal.js';
export { type Leaf, parseLeaf, toLeaf, toPayloadPath } from './leaf.js';
export { type FullTile, LogEdge } from './log-edge.js';
export { type Subject, toStanding, toSubject } from './standing.js';
export { TILE, type Tile, listTiles, parseBundle, parseTile, parseTilePath, toBundle, toEdgeTiles, toTilePath } from './tile.js';
export { type Digest, GrowingTree, toLeafDigest } from './tree.js';
export { type LogFiles, listLogs } from './log-files.js';
export { type CutFile, type LogEnd, cutLog, findEnd, readEntries, rootAt } from './read-entries.js';
export { type ProofReport, prove, verifyProof } from './tlog-proof.js';
export { type AnchoredAt, type ChainReport, verifyChain } from './verify-chain.js';
export { type PolicyProblem, type TrustPolicy, isPolicyProblem, parseTrustPolicy } from './trust-policy.js';
export { type JudgedWitnessed, type Witnessed, judgeWitnessed, parseWitnessed, readWitnessed } from './witnessed.js';
export { type Gathered, type SendToWitness, type WitnessAnswer, answerSubmission, gatherCosignatures } from './witness.js';

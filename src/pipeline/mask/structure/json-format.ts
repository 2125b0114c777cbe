// hot path: walks JSON text once, byte by byte, along a trie of the listed paths; nothing is parsed into objects. Works on jsonb as the
// server prints it and on json as somebody wrote it: what is not masked or left out stays byte for byte.
import type { ColumnWriter } from '../column-writer.js';
import { type Format, Omission, type Slot, type Walk } from './format.js';
import { escapeJson, findJsonSpecial, isBareJson, unescapeJson } from './json-text.js';
import type { Segment } from './path.js';

const quote = 34;
const backslash = 92;
const styles = { string: 0, bare: 1 } as const;
/** Deeper than the server's own parser goes with its default stack. */
const deepest = 3000;

/** What may stand at a path: a leaf (slot), members (children), elements. */
export interface PathNode {
  slot?: Slot;
  element?: PathNode;
  readonly members: { readonly key: Uint8Array; readonly node: PathNode }[];
}

export function createPathTrie(paths: readonly { readonly segments: readonly Segment[]; readonly slot: Slot }[]): PathNode {
  const root: PathNode = { members: [] };
  for (const { segments, slot } of paths) {
    let node = root;
    for (const segment of segments) node = segment === null ? (node.element ??= { members: [] }) : getMember(node, Buffer.from(segment));
    node.slot = slot;
  }
  return root;
}

function getMember(node: PathNode, key: Uint8Array): PathNode {
  let found = findMember(node, key, 0, key.length);
  if (!found) node.members.push({ key, node: (found = { members: [] }) });
  return found;
}

function findMember(node: PathNode, bytes: Uint8Array, start: number, end: number): PathNode | undefined {
  const { members } = node;
  next: for (let m = 0; m < members.length; m++) {
    const { key, node: child } = members[m] as { key: Uint8Array; node: PathNode };
    if (key.length !== end - start) continue;
    for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) continue next;
    return child;
  }
  return undefined;
}

export class JsonFormat implements Format {
  private walked!: Walk;
  private bytes: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.bytes.buffer);
  /** Whether the string that was stepped over last holds a backslash. */
  private escaped = false;
  private at = 0;
  private end = 0;
  /** Where the keys on the way to here stand; -1 for an element. */
  private readonly keyStarts = new Int32Array(deepest + 1);
  private readonly keyEnds = new Int32Array(deepest + 1);
  private scratch = new Uint8Array(256);

  constructor(private readonly root: PathNode) {}

  walk(walk: Walk): void {
    this.walked = walk;
    if (this.bytes !== walk.bytes) {
      this.bytes = walk.bytes;
      this.view = new DataView(walk.bytes.buffer, walk.bytes.byteOffset, walk.bytes.byteLength);
    }
    this.at = walk.start;
    this.end = walk.end;
    this.skipSpace();
    if (this.isListed(this.root)) this.value(this.root, 0);
    else if (walk.rest === 'refuse') this.unlisted(0);
    // A document that is a lone scalar cannot be left out of itself: it becomes null.
    else if (walk.rest === 'drop') walk.edits.replace(walk.start, walk.end, -2, 0, 0);
  }

  write(out: ColumnWriter, at: number, bytes: Uint8Array, start: number, end: number, style: number): number {
    if (start === -1) return writeNull(out, at);
    out.reserve(at - out.length + (end - start) * 6 + 2);
    if (style === styles.bare && isBareJson(bytes, start, end)) {
      for (let i = start; i < end; i++) out.bytes[at++] = bytes[i] as number;
      return at;
    }
    return escapeJson(bytes, start, end, out.bytes, at);
  }

  /** Whether what stands here may stand at this node: null anywhere on a listed way, a leaf at a slot, a container with listed content or none. */
  private isListed(node: PathNode): boolean {
    const byte = this.bytes[this.at];
    if (byte === 110) return true;
    // Where the rest is refused, the first member that is not listed names the path better than its container.
    if ((byte === 123 || byte === 91) && this.walked.rest === 'refuse') return true;
    if (byte === 123) return node.members.length > 0 || this.isEmpty();
    if (byte === 91) return node.element !== undefined || this.isEmpty();
    return node.slot !== undefined;
  }

  /** Whether the container that begins here has no content. */
  private isEmpty(): boolean {
    let i = this.at + 1;
    while (i < this.end && isSpace(this.bytes[i] as number)) i++;
    return this.bytes[i] === 125 || this.bytes[i] === 93;
  }

  private value(node: PathNode, depth: number): void {
    const byte = this.bytes[this.at];
    if (byte === 123) this.object(node, depth);
    else if (byte === 91) this.array(node, depth);
    else if (byte === 110 || !node.slot || node.slot.kept) this.skip();
    else this.leaf(node.slot);
  }

  private object(node: PathNode, depth: number): void {
    if (depth >= deepest) this.walked.refuse();
    const omission = this.walked.rest === 'drop' ? new Omission(this.walked.edits) : undefined;
    let comma = this.at++;
    for (;;) {
      this.skipSpace();
      if (this.bytes[this.at] === 125) break;
      const start = this.at;
      omission?.begin(start, comma);
      this.skipString();
      this.keyStarts[depth] = start + 1;
      this.keyEnds[depth] = this.at - 1;
      const child = this.findChild(node, start + 1, this.at - 1);
      this.skipSpace();
      this.at++;
      this.skipSpace();
      this.member(child, start, depth, omission);
      this.skipSpace();
      comma = this.at;
      if (this.bytes[this.at] === 44) this.at++;
      else if (this.bytes[this.at] !== 125) this.walked.refuse();
    }
    this.at++;
    omission?.close();
  }

  private array(node: PathNode, depth: number): void {
    if (depth >= deepest) this.walked.refuse();
    const omission = this.walked.rest === 'drop' ? new Omission(this.walked.edits) : undefined;
    let comma = this.at++;
    for (;;) {
      this.skipSpace();
      if (this.bytes[this.at] === 93) break;
      const start = this.at;
      omission?.begin(start, comma);
      this.keyStarts[depth] = -1;
      this.member(node.element, start, depth, omission);
      this.skipSpace();
      comma = this.at;
      if (this.bytes[this.at] === 44) this.at++;
      else if (this.bytes[this.at] !== 93) this.walked.refuse();
    }
    this.at++;
    omission?.close();
  }

  /** The value of a member or element, which begins here; `start` is where its key does. */
  private member(node: PathNode | undefined, start: number, depth: number, omission: Omission | undefined): void {
    if (node && this.isListed(node)) {
      this.value(node, depth + 1);
      omission?.keep();
      return;
    }
    if (this.walked.rest === 'refuse') this.unlisted(depth + 1);
    this.skip();
    omission?.drop(start, this.at);
  }

  private leaf(slot: Slot): void {
    const { bytes } = this;
    const { edits, row } = this.walked;
    const { leaves } = slot;
    const start = this.at;
    const text = bytes[start] === quote;
    if (text) this.skipString();
    else this.skip();
    const from = text ? start + 1 : start;
    const to = text ? this.at - 1 : this.at;
    const at = leaves.reserve(to - from);
    const stop = text && this.escaped ? unescapeJson(bytes, from, to, leaves.bytes, at) : copy(bytes, from, to, leaves.bytes, at);
    if (stop === -1) this.walked.refuse();
    edits.replace(start, this.at, slot.index, leaves.add(row, stop), text ? styles.string : styles.bare);
  }

  private findChild(node: PathNode, start: number, end: number): PathNode | undefined {
    const { bytes } = this;
    if (!this.escaped) return findMember(node, bytes, start, end);
    if (this.scratch.length < end - start) this.scratch = new Uint8Array(end - start);
    const stop = unescapeJson(bytes, start, end, this.scratch, 0);
    return stop === -1 ? undefined : findMember(node, this.scratch, 0, stop);
  }

  /** Steps over one value of any kind, however deep. */
  private skip(): void {
    let depth = 0;
    do {
      this.skipSpace();
      const byte = this.bytes[this.at];
      if (byte === quote) this.skipString();
      else if (byte === 123 || byte === 91) {
        depth++;
        this.at++;
      } else if (byte === 125 || byte === 93) {
        depth--;
        this.at++;
      } else if (byte === 44 || byte === 58) this.at++;
      else this.skipBare();
    } while (depth > 0);
  }

  private skipString(): void {
    const { bytes, end, view } = this;
    const lastWord = Math.min(end, view.byteLength) - 4;
    let i = this.at;
    if (bytes[i++] !== quote) this.walked.refuse();
    this.escaped = false;
    for (; i < end; i++) {
      if (i <= lastWord) {
        const special = findJsonSpecial(view.getInt32(i, true));
        i += special;
        if (special === 4) {
          i--;
          continue;
        }
      }
      if (bytes[i] === quote) break;
      if (bytes[i] === backslash) {
        this.escaped = true;
        i++;
      }
    }
    if (i >= end) this.walked.refuse();
    this.at = i + 1;
  }

  /** A number, true, false or null. */
  private skipBare(): void {
    const start = this.at;
    while (this.at < this.end && isBare(this.bytes[this.at] as number)) this.at++;
    if (this.at === start) this.walked.refuse();
  }

  private skipSpace(): void {
    const { bytes, end } = this;
    let { at } = this;
    while (at < end && isSpace(bytes[at] as number)) at++;
    this.at = at;
  }

  private unlisted(depth: number): never {
    const path: Segment[] = [];
    for (let i = 0; i < depth; i++) {
      const start = this.keyStarts[i] as number;
      path.push(start === -1 ? null : Buffer.from(this.bytes.subarray(start, this.keyEnds[i])).toString('utf8'));
    }
    this.walked.unlisted(path);
  }
}

function isSpace(byte: number): boolean {
  return byte <= 32 && (byte === 32 || byte === 10 || byte === 9 || byte === 13);
}

function isBare(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 122) || byte === 45 || byte === 46 || byte === 43 || byte === 69;
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  for (let i = start; i < end; i++) to[at++] = from[i] as number;
  return at;
}

export function writeNull(out: ColumnWriter, at: number): number {
  out.reserve(at - out.length + 4);
  for (const byte of [110, 117, 108, 108]) out.bytes[at++] = byte;
  return at;
}

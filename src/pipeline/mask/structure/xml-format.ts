// hot path: walks XML once along a trie of the listed paths. `order.customer.email` is the text of an element, `order.@id` an attribute,
// `order.#comment` and `order.#instruction` what else may stand in one; names are taken as written, prefix and all.
import type { ColumnWriter } from '../column-writer.js';
import type { Format, Slot, Walk } from './format.js';
import type { Segment } from './path.js';
import { escapeXml, findBehind, findNameEnd, findValueEnd, isXmlSpace, startsWith, unescapeXml } from './xml-text.js';

const [lt, gt, slash, equals] = [60, 62, 47, 61];
const styles = { text: 0, attribute: 1, markup: 2 } as const;
/** libxml2's own limit. */
const deepest = 256;
const declaration = /^<\?xml version="1\.\d"(?: encoding="[\w.-]+")?(?: standalone="(?:yes|no)")?\?>/;
/** The name of a namespace, when it cannot be more than that. */
const plainNamespace = /^(?:https?:\/\/|urn:)[\w.~:/#-]{0,200}$/;

export interface XmlNode {
  slot?: Slot;
  readonly children: Map<string, XmlNode>;
}

export function createXmlTrie(paths: readonly { readonly segments: readonly Segment[]; readonly slot: Slot }[]): XmlNode {
  const root: XmlNode = { children: new Map() };
  for (const { segments, slot } of paths) {
    let node = root;
    for (const name of segments) {
      const child = node.children.get(name ?? '') ?? { children: new Map() };
      node.children.set(name ?? '', child);
      node = child;
    }
    node.slot = slot;
  }
  return root;
}

export class XmlFormat implements Format {
  private walked!: Walk;
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;
  /** Elements on the way to here. */
  private readonly path: string[] = [];

  constructor(private readonly root: XmlNode) {}

  walk(walk: Walk): void {
    this.walked = walk;
    this.bytes = walk.bytes;
    this.at = walk.start;
    this.end = walk.end;
    this.path.length = 0;
    if (startsWith(this.bytes, this.at, this.end, '<?xml ')) {
      const found = declaration.exec(this.read(this.at, Math.min(this.end, this.at + 200)));
      if (!found) walk.refuse();
      this.at += found[0].length;
    }
    this.content(this.root);
    if (this.at < this.end) walk.refuse();
  }

  write(out: ColumnWriter, at: number, bytes: Uint8Array, start: number, end: number, style: number): number {
    if (start === -1) return at;
    out.reserve(at - out.length + (end - start) * 6);
    if (style !== styles.markup) return escapeXml(bytes, start, end, out.bytes, at, style === styles.attribute);
    // Nothing that could end a comment or an instruction: `-`, `?` and `>` become blanks.
    for (let i = start; i < end; i++) out.bytes[at++] = [45, 63, gt].includes(bytes[i] as number) ? 32 : (bytes[i] as number);
    return at;
  }

  /** Up to the end tag of the element that is open, or the end. */
  private content(node: XmlNode): void {
    const { bytes, end } = this;
    while (this.at < end) {
      const at = this.at;
      if (bytes[at] !== lt || startsWith(bytes, at, end, '<![CDATA[')) this.text(node);
      else if (bytes[at + 1] === slash) return;
      else if (startsWith(bytes, at, end, '<!--')) this.markup(node, '#comment', at + 4, '-->');
      else if (bytes[at + 1] === 63) this.markup(node, '#instruction', findNameEnd(bytes, at + 2, end), '?>');
      else this.element(node);
    }
  }

  private element(parent: XmlNode): void {
    const { bytes, end, walked } = this;
    const start = this.at;
    const nameEnd = findNameEnd(bytes, start + 1, end);
    // `<!DOCTYPE` and its like are no names either.
    if (nameEnd === start + 1 || bytes[start + 1] === 33 || this.path.length >= deepest) walked.refuse();
    const name = this.read(start + 1, nameEnd);
    const node = parent.children.get(name);
    this.at = nameEnd;
    if (!node) {
      if (walked.rest === 'refuse') walked.unlisted([...this.path, name]);
      this.skip(start);
      if (walked.rest === 'drop') walked.edits.remove(start, this.at);
      return;
    }
    this.path.push(name);
    this.attributes(node);
    if (bytes[this.at] === slash) this.at += 2;
    else {
      this.at += 1;
      this.content(node);
      this.endTag(name);
    }
    this.path.pop();
  }

  private endTag(name: string): void {
    const { bytes, end, walked } = this;
    const nameEnd = findNameEnd(bytes, this.at + 2, end);
    if (!startsWith(bytes, this.at, end, '</') || this.read(this.at + 2, nameEnd) !== name) walked.refuse();
    this.at = this.skipSpace(nameEnd);
    if (bytes[this.at++] !== gt) walked.refuse();
  }

  /** Up to `>` or `/>`. */
  private attributes(node: XmlNode): void {
    const { bytes, end, walked } = this;
    for (;;) {
      const before = this.at;
      const start = this.skipSpace(before);
      this.at = start;
      if (bytes[start] === gt || (bytes[start] === slash && bytes[start + 1] === gt)) return;
      const nameEnd = findNameEnd(bytes, start, end);
      let at = this.skipSpace(nameEnd);
      if (nameEnd === start || start === before || bytes[at] !== equals) walked.refuse();
      at = this.skipSpace(at + 1);
      const stop = findValueEnd(bytes, at, end);
      if (stop === -1 || stop > end) walked.refuse();
      this.attribute(node, this.read(start, nameEnd), before, at + 1, stop - 1);
      this.at = stop;
    }
  }

  private attribute(node: XmlNode, name: string, before: number, from: number, to: number): void {
    const { walked } = this;
    const slot = node.children.get(`@${name}`)?.slot;
    if (slot) this.leaf(slot, from, to, styles.attribute);
    else if (/^xmlns(?::|$)/.test(name) && plainNamespace.test(this.read(from, to))) return;
    else if (walked.rest === 'refuse') walked.unlisted([...this.path, `@${name}`]);
    else if (walked.rest === 'drop') walked.edits.remove(before, to + 1);
  }

  /** A run of text and CDATA sections; one of blanks alone is layout. */
  private text(node: XmlNode): void {
    const { bytes, end, walked } = this;
    const start = this.at;
    let blank = true;
    for (; this.at < end; this.at++) {
      if (bytes[this.at] !== lt) blank &&= isXmlSpace(bytes[this.at]);
      else if (!startsWith(bytes, this.at, end, '<![CDATA[')) break;
      else {
        blank = false;
        const stop = findBehind(bytes, this.at, end, ']]>');
        if (stop === -1) walked.refuse();
        this.at = stop - 1;
      }
    }
    if (blank) return;
    if (node.slot) this.leaf(node.slot, start, this.at, styles.text);
    else if (walked.rest === 'refuse') walked.unlisted([...this.path]);
    else if (walked.rest === 'drop') walked.edits.remove(start, this.at);
  }

  /** A comment or an instruction whose own text begins at `from`. */
  private markup(node: XmlNode, name: string, from: number, close: string): void {
    const { bytes, end, walked } = this;
    const start = this.at;
    const stop = findBehind(bytes, from, end, close);
    if (stop === -1 || this.read(start, start + 6).toLowerCase() === '<?xml ') walked.refuse();
    this.at = stop;
    const slot = node.children.get(name)?.slot;
    if (slot) this.leaf(slot, Math.min(this.skipSpace(from), stop - close.length), stop - close.length, styles.markup);
    else if (walked.rest === 'refuse') walked.unlisted([...this.path, name]);
    else if (walked.rest === 'drop') walked.edits.remove(start, stop);
  }

  private leaf(slot: Slot, from: number, to: number, style: number): void {
    if (slot.kept || from >= to) return;
    const { bytes, walked } = this;
    const { leaves } = slot;
    const at = leaves.reserve(to - from);
    const stop = style === styles.markup ? copy(bytes, from, to, leaves.bytes, at) : unescapeXml(bytes, from, to, leaves.bytes, at);
    if (stop === -1) walked.refuse();
    walked.edits.replace(from, to, slot.index, leaves.add(walked.row, stop), style);
  }

  /** Over the element that begins at `start`, whatever is in it. */
  private skip(start: number): void {
    const { bytes, end, walked } = this;
    this.at = start;
    let depth = 0;
    do {
      const at = this.at;
      let stop: number;
      if (bytes[at] !== lt) stop = at + 1;
      else if (startsWith(bytes, at, end, '<!--')) stop = findBehind(bytes, at + 4, end, '-->');
      else if (startsWith(bytes, at, end, '<![CDATA[')) stop = findBehind(bytes, at, end, ']]>');
      else if (bytes[at + 1] === 63) stop = findBehind(bytes, at, end, '?>');
      else if (bytes[at + 1] === 33) return walked.refuse();
      else {
        stop = this.findTagEnd(at);
        if (bytes[at + 1] === slash) depth--;
        else if (bytes[stop - 2] !== slash) depth++;
      }
      if (stop === -1 || stop > end || depth > deepest) walked.refuse();
      this.at = stop;
    } while (depth > 0);
  }

  /** Behind the `>` of a tag; one inside a quoted value does not count. */
  private findTagEnd(start: number): number {
    for (let at = start + 1; at < this.end; at++) {
      const byte = this.bytes[at];
      if (byte === gt) return at + 1;
      if (byte === 34 || byte === 39) {
        const stop = findValueEnd(this.bytes, at, this.end);
        if (stop === -1) return -1;
        at = stop - 1;
      }
    }
    return -1;
  }

  private skipSpace(at: number): number {
    while (at < this.end && isXmlSpace(this.bytes[at])) at++;
    return at;
  }

  private read(start: number, end: number): string {
    return Buffer.from(this.bytes.subarray(start, end)).toString('utf8');
  }
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  for (let i = start; i < end; i++) to[at++] = from[i] as number;
  return at;
}

// The second look at rows whose digests said something: both sides are read again and compared byte by byte, in our memory.
import type { TablePlan } from '../plan.js';
import type { Field, Reader } from '../ports.js';
import { type Leaf, isNumeric } from './leaves.js';
import { holdsLetter } from './letters.js';

interface Pair {
  /** What the pseudonym is a function of: the value, with the person's key or the row before it. */
  readonly unit: string;
  readonly original: string;
  readonly pseudonym: string;
}

/** What was counted; `atLeast`: that was enough, and the rest was not looked at. */
export interface Confirmed {
  readonly units: number;
  readonly atLeast: boolean;
}

/** Set when enough was seen: what still comes is let by unread, so that the session can be used again. */
interface Look {
  over: boolean;
}

/** How many units came out as they were, whatever their case. */
export async function confirmFixed(
  reader: Reader,
  leaf: Leaf,
  multiple: boolean,
  isEnough: (units: number) => boolean,
): Promise<Confirmed> {
  const fixed = new Set<string>();
  const look: Look = { over: false };
  for await (const pairs of readPairs(reader, leaf, multiple, look))
    for (const { unit, original, pseudonym } of pairs) {
      if (look.over || toSmall(original) !== toSmall(pseudonym) || !holdsSomething(leaf, original)) continue;
      fixed.add(leaf.rule.scope === 'value' ? original : unit);
      look.over = isEnough(fixed.size);
    }
  return { units: fixed.size, atLeast: look.over };
}

/** How many of the units of these rows of the source have more than one pseudonym. */
export async function confirmOther(
  reader: Reader,
  leaf: Leaf,
  multiple: boolean,
  rows: ReadonlySet<number>,
  isEnough: (units: number) => boolean,
): Promise<Confirmed> {
  const wanted = new Set<string>();
  const first: Look = { over: false };
  let row = 0;
  let left = rows.size;
  for await (const lines of readLines(reader, 'source', leaf, first))
    for (const fields of lines) {
      if (!rows.has(row++)) continue;
      wanted.add(toUnit(leaf, fields));
      first.over = --left === 0;
    }
  const look: Look = { over: false };
  const pseudonyms = new Map<string, string>();
  const broken = new Set<string>();
  for await (const pairs of readPairs(reader, leaf, multiple, look))
    for (const { unit, pseudonym } of pairs) {
      if (look.over || !wanted.has(unit)) continue;
      const known = pseudonyms.get(unit);
      if (known === undefined) pseudonyms.set(unit, pseudonym);
      else if (known !== pseudonym) look.over = isEnough(broken.add(unit).size);
    }
  return { units: broken.size, atLeast: look.over };
}

/** Those of a piece of either side at a time: a promise for each row would cost more than the row. */
async function* readPairs(reader: Reader, leaf: Leaf, multiple: boolean, look: Look): AsyncGenerator<readonly Pair[], void, undefined> {
  const [source, output] = [readLines(reader, 'source', leaf, look), readLines(reader, 'staging', leaf, look)];
  const keys = keysOf(leaf.table).length;
  const [toSourceKey, toOutputKey] = [keying(keys, multiple), keying(keys, multiple)];
  const waiting = { source: new Map<string, readonly string[]>(), output: new Map<string, readonly string[]>() };
  let [left, right] = [await source.next(), await output.next()];
  while (left.done !== true || right.done !== true) {
    const pairs: Pair[] = [];
    const meet = (a: readonly string[], b: readonly string[]): void => {
      const [original, pseudonym] = [a.at(-1) ?? '', b.at(-1) ?? ''];
      if (original !== '\\N' && pseudonym !== '\\N') pairs.push({ unit: toUnit(leaf, a), original, pseudonym });
    };
    if (left.done !== true) {
      for (const fields of left.value) {
        const key = toSourceKey(fields);
        const partner = waiting.output.get(key);
        if (partner === undefined) waiting.source.set(key, fields);
        else if (waiting.output.delete(key)) meet(fields, partner);
      }
      left = await source.next();
    }
    if (right.done !== true) {
      for (const fields of right.value) {
        const key = toOutputKey(fields);
        const partner = waiting.source.get(key);
        if (partner === undefined) waiting.output.set(key, fields);
        else if (waiting.source.delete(key)) meet(partner, fields);
      }
      right = await output.next();
    }
    if (pairs.length > 0) yield pairs;
  }
}

/** By what rows of two sides find each other; called once for each row of a side, in its order. */
function keying(keys: number, multiple: boolean): (fields: readonly string[]) => string {
  let row = 0;
  let last = '';
  let ordinal = 0;
  return (fields) => {
    if (keys === 0) return String(row++);
    const key = fields.slice(0, keys).join('\t');
    if (!multiple) return key;
    ordinal = key === last ? ordinal + 1 : 0;
    last = key;
    return `${key}\t${ordinal}`;
  };
}

/** The rows of a piece of a side at a time. */
async function* readLines(
  reader: Reader,
  side: 'source' | 'staging',
  leaf: Leaf,
  look: Look,
): AsyncGenerator<readonly (readonly string[])[], void, undefined> {
  const { table } = leaf;
  const toField = (name: string): Field => ({ column: name, type: table.columns.find((one) => one.name === name)?.type ?? leaf.type });
  const persons = side === 'source' && leaf.rule.scope === 'subject' ? personsOf(table).map(toField) : [];
  const fields = [...keysOf(table).map(toField), ...persons, leaf.field];
  const where = side === 'source' && typeof table.rows === 'object' ? { where: table.rows.where } : {};
  let held = '';
  for await (const chunk of reader.lines(side, table, fields, where)) {
    if (look.over) continue;
    const lines = (held + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1')).split('\n');
    held = lines.pop() ?? '';
    yield lines.map((line) => line.split('\t'));
  }
}

/** A row of its own where the draw is the row's or nobody is known; `fields` are those of the source. */
function toUnit({ rule, table }: Leaf, fields: readonly string[]): string {
  const original = fields.at(-1) ?? '';
  if (rule.scope === 'value') return original;
  const persons = rule.scope === 'subject' ? fields.slice(keysOf(table).length, -1) : [];
  return persons.length > 0 && !persons.includes('\\N') ? [...persons, original].join('\t') : fields.join('\t');
}

function keysOf({ pairing }: TablePlan): readonly string[] {
  return pairing?.by === 'key' ? pairing.columns : [];
}

function personsOf(table: TablePlan): readonly string[] {
  const subject = table.hidden.filter(({ purpose }) => purpose === 'subject');
  return [...new Set(subject.flatMap(({ via, column }) => via[0]?.columns ?? [column]))];
}

/** Whether there is a letter or digit to mask, escapes left out: a tab is none although COPY writes it with a letter. */
function holdsSomething({ type }: Leaf, original: string): boolean {
  const plain = original.replace(/\\./g, '');
  return isNumeric(type.base) ? /[1-9]/.test(plain) : holdsLetter(Buffer.from(plain, 'latin1').toString());
}

/** ς is σ, because capitals do not tell them apart. */
function toSmall(text: string): string {
  return Buffer.from(text, 'latin1').toString().toLowerCase().replaceAll('ς', 'σ').trimEnd();
}

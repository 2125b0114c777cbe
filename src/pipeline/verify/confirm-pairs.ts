// The second look at rows whose digests said something: both sides are read again and compared byte by byte, in our memory.
import type { TablePlan } from '../plan.js';
import type { Field, Reader } from '../ports.js';
import { type Leaf, isNumeric } from './leaves.js';

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
  for await (const { unit, original, pseudonym } of readPairs(reader, leaf, multiple, look)) {
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
  for await (const fields of readLines(reader, 'source', leaf, first)) {
    if (!rows.has(row++)) continue;
    wanted.add(toUnit(leaf, fields));
    first.over = --left === 0;
  }
  const look: Look = { over: false };
  const pseudonyms = new Map<string, string>();
  const broken = new Set<string>();
  for await (const { unit, pseudonym } of readPairs(reader, leaf, multiple, look)) {
    if (look.over || !wanted.has(unit)) continue;
    const known = pseudonyms.get(unit);
    if (known === undefined) pseudonyms.set(unit, pseudonym);
    else if (known !== pseudonym) look.over = isEnough(broken.add(unit).size);
  }
  return { units: broken.size, atLeast: look.over };
}

async function* readPairs(reader: Reader, leaf: Leaf, multiple: boolean, look: Look): AsyncGenerator<Pair, void, undefined> {
  const keys = keysOf(leaf.table).length;
  const source = withKeys(readLines(reader, 'source', leaf, look), keys, multiple);
  const output = withKeys(readLines(reader, 'staging', leaf, look), keys, multiple);
  const waiting = { source: new Map<string, readonly string[]>(), output: new Map<string, readonly string[]>() };
  let [left, right] = [await source.next(), await output.next()];
  const meet = (a: readonly string[], b: readonly string[]): Pair | undefined => {
    const [original, pseudonym] = [a.at(-1) ?? '', b.at(-1) ?? ''];
    return original === '\\N' || pseudonym === '\\N' ? undefined : { unit: toUnit(leaf, a), original, pseudonym };
  };
  while (left.done !== true || right.done !== true) {
    if (left.done !== true) {
      const { key, fields } = left.value;
      const partner = waiting.output.get(key);
      if (partner === undefined) waiting.source.set(key, fields);
      else {
        waiting.output.delete(key);
        const pair = meet(fields, partner);
        if (pair) yield pair;
      }
      left = await source.next();
    }
    if (right.done !== true) {
      const { key, fields } = right.value;
      const partner = waiting.source.get(key);
      if (partner === undefined) waiting.output.set(key, fields);
      else {
        waiting.source.delete(key);
        const pair = meet(partner, fields);
        if (pair) yield pair;
      }
      right = await output.next();
    }
  }
}

async function* withKeys(
  lines: AsyncIterable<readonly string[]>,
  keys: number,
  multiple: boolean,
): AsyncGenerator<{ readonly key: string; readonly fields: readonly string[] }, void, undefined> {
  let row = 0;
  let last = '';
  let ordinal = 0;
  for await (const fields of lines) {
    let key = keys === 0 ? String(row++) : fields.slice(0, keys).join('\t');
    if (multiple && keys > 0) {
      ordinal = key === last ? ordinal + 1 : 0;
      last = key;
      key = `${key}\t${ordinal}`;
    }
    yield { key, fields };
  }
}

async function* readLines(
  reader: Reader,
  side: 'source' | 'staging',
  leaf: Leaf,
  look: Look,
): AsyncGenerator<readonly string[], void, undefined> {
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
    for (const line of lines) if (!look.over) yield line.split('\t');
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
  return (isNumeric(type.base) ? /[1-9]/ : /[1-9a-z]/i).test(original.replace(/\\./g, ''));
}

function toSmall(text: string): string {
  return Buffer.from(text, 'latin1').toString().toLowerCase().trimEnd();
}

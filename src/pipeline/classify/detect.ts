// What one column or path probably holds: every voice (name, type, content) as a tag with a confidence, and the strongest of them.
import type { DataType } from '../catalogue.js';
import { findByName, type TypeFamily } from './detectors/by-name.js';
import { VALUE_LIMIT, type ValueKind } from './detectors/detector.js';
import { detectors } from './detectors/detectors.js';
import { toValueKind } from './type-word.js';

export interface Guess {
  readonly tag: string;
  /** Who says so, strongest first: `content/email+name/en/email`. Never a value. */
  readonly rule: string;
  /** From 0 to 1. */
  readonly confidence: number;
}

/** Weaker guesses are not worth a person's time. */
const THRESHOLD = 0.35;
/** Fewer samples than this count for less: three values in a row can be chance. */
const ENOUGH = 5;

export interface Evidence {
  readonly name: string;
  readonly family: TypeFamily;
  readonly type?: DataType | undefined;
  readonly values: readonly string[];
  /** What else speaks: the role of a column in its table. */
  readonly more?: readonly Guess[];
}

/** The likeliest tag, or undefined when nothing says enough. Voices for the same tag strengthen one another. */
export function detect(evidence: Evidence): Guess | undefined {
  const byName = findByName(evidence.name, evidence.family);
  const voices: readonly Guess[] = [
    ...(byName ? [byName] : []),
    ...(evidence.type ? detectType(evidence.type) : []),
    ...detectContent(evidence.values, toValueKind(evidence.family)),
    ...(evidence.more ?? []),
  ];
  const byTag = new Map<string, Guess[]>();
  for (const voice of voices) byTag.set(voice.tag, [...(byTag.get(voice.tag) ?? []), voice]);
  let best: Guess | undefined;
  for (const [tag, said] of byTag) {
    const doubt = said.reduce((product, { confidence }) => product * (1 - confidence), 1);
    const confidence = Math.round((1 - doubt) * 100) / 100;
    const rule = [...said]
      .sort((a, b) => b.confidence - a.confidence || (a.rule < b.rule ? -1 : 1))
      .map((voice) => voice.rule)
      .join('+');
    if (confidence >= THRESHOLD && (!best || confidence > best.confidence)) best = { tag, rule, confidence };
  }
  return best;
}

function detectType(type: DataType): readonly Guess[] {
  const base = type.kind === 'array' ? type.element?.base : type.base;
  switch (base) {
    case 'inet':
    case 'cidr':
      return [{ tag: 'pii.ip', rule: `type/${base}`, confidence: 0.85 }];
    case 'macaddr':
    case 'macaddr8':
      return [{ tag: 'pii.mac', rule: `type/${base}`, confidence: 0.85 }];
    case 'point':
    case 'geometry':
    case 'geography':
      return [{ tag: 'quasi.location', rule: `type/${base}`, confidence: 0.6 }];
    case 'uuid':
      return [{ tag: 'pii.uuid', rule: 'type/uuid', confidence: 0.4 }];
    case undefined:
    default:
      return [];
  }
}

function detectContent(sampled: readonly string[], kind: ValueKind | undefined): readonly Guess[] {
  const values = sampled.map((value) => value.slice(0, VALUE_LIMIT).trim()).filter((value) => value !== '');
  if (kind === undefined || values.length === 0) return [];
  if (kind === 'date') return detectBirths(values);
  const weight = Math.min(1, 0.5 + values.length / (2 * ENOUGH));
  const guesses: Guess[] = [];
  for (const { rule, tag, kinds, confidence, matches } of detectors) {
    if (!kinds.includes(kind)) continue;
    const share = values.filter(matches).length / values.length;
    if (share >= 0.5) guesses.push({ tag, rule, confidence: confidence * share * weight });
  }
  return kind === 'text' ? [...guesses, ...detectText(values, weight)] : guesses;
}

/** Sentences are free text; an address or a number inside a longer text makes it that, however rare. */
function detectText(values: readonly string[], weight: number): readonly Guess[] {
  const words = values.reduce((sum, value) => sum + value.split(/\s+/).length, 0) / values.length;
  const guesses: Guess[] = [];
  if (words >= 5) guesses.push({ tag: 'pii.free-text', rule: 'content/free-text', confidence: Math.min(0.75, 0.4 + words / 40) * weight });
  const long = values.filter((value) => /\S\s+\S+\s+\S/.test(value));
  const inside = detectors.find(({ isIn, matches }) => isIn && long.some((value) => !matches(value) && isIn(value)));
  if (inside) guesses.push({ tag: 'pii.free-text', rule: `${inside.rule}-inside`, confidence: 0.6 });
  return guesses;
}

/** Births lie decades apart and none is recent; what a system dates lies close together. Without a clock: spread and median year. */
function detectBirths(values: readonly string[]): readonly Guess[] {
  const years = values
    .map((value) => Number(/^(\d{4})-\d{2}-\d{2}/.exec(value)?.[1] ?? 'x'))
    .filter((year) => !Number.isNaN(year))
    .sort((a, b) => a - b);
  const [first = 0, middle = 0, last = 0] = [years[0], years[years.length >> 1], years.at(-1)];
  if (years.length < ENOUGH || first < 1900 || last > 2020 || last - first < 20 || middle > 2005) return [];
  return [{ tag: 'pii.date-of-birth', rule: 'content/births', confidence: 0.5 }];
}

/** What a name alone says, whatever its type is: for documents, which know no types. */
export function guessByName(name: string): Guess | undefined {
  const families: readonly TypeFamily[] = ['text', 'number', 'date', 'bytes', 'net', 'uuid'];
  const [best] = families.flatMap((family) => findByName(name, family) ?? []).sort((a, b) => b.confidence - a.confidence);
  return best && best.confidence >= THRESHOLD ? best : undefined;
}

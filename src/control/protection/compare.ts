// Two versions of a document, compared: what the later one protects less.
import type { KeysDefinition, RuleDefinition, TargetDefinition } from '../../pipeline/definition.js';
import { guessByName } from '../../pipeline/classify/classify.js';
import type { DocumentSet, Of } from './document-set.js';
import { type Said, toPlain, toSaid } from './said-columns.js';
import { isWeaker } from './strength.js';

export const loweredKinds = [
  'tag-removed', 'kept', 'against-detector', 'weaker-transform', 'person-removed', 'waiver', 'allows-widened', 'approval-removed', 'trust-added',
  'token-source-added', 'keys-joined', 'tokens-joined', 'gate-lowered', 'gate-added', 'watch-lowered', 'playbook-lowered',
] as const; // prettier-ignore

export interface Lowered {
  readonly what: (typeof loweredKinds)[number];
  /** `Classification shop` */
  readonly document: string;
  /** A column, a path in one, or a pattern over them; null: every column of the tag, or none in particular. */
  readonly column: string | null;
  readonly table: string | null;
  readonly tag: string | null;
  readonly before: string | null;
  readonly after: string | null;
}

/** A rulebook that is not there yet takes the place of the shipped one. */
export const rulebookOf = (set: DocumentSet, name: string): Of<'Rulebook'> | undefined =>
  set.find('Rulebook', name) ?? set.find('Rulebook', 'default');

type Rules = Readonly<Record<string, readonly RuleDefinition[]>>;

/** Without an earlier one, only what is kept although its name says what it is. */
export function compareClassifications(
  document: string,
  was: Of<'Classification'> | undefined,
  is: Of<'Classification'>,
  rulebooks: readonly Rules[],
): readonly Lowered[] {
  const [old, now] = [was ? toSaid(was) : new Map<string, Said>(), toSaid(is)];
  const found: Lowered[] = [];
  const add = (what: Lowered['what'], { column, table, tag }: Said, more: Pick<Lowered, 'before' | 'after'>): void =>
    void found.push({ what, document, column, table, tag, ...more });
  for (const said of old.values()) {
    const next = now.get(said.column);
    if (said.tag === 'none' || next?.tag === said.tag) continue;
    if (!next || next.tag === 'none') add('tag-removed', said, { before: said.tag, after: next?.tag ?? null });
    else if (rulebooks.some((rules) => isWeaker(next.tag, rules[said.tag] ?? [], rules[next.tag] ?? [])))
      add('weaker-transform', said, { before: said.tag, after: next.tag });
  }
  for (const said of now.values()) {
    if (said.tag !== 'none' || old.has(said.column)) continue;
    const guess = guessByName(said.name.replaceAll('*', ' '));
    const isAny = said.name.replaceAll('*', '').trim() === '';
    if (guess || isAny) add('against-detector', said, { before: guess?.tag ?? 'any column', after: 'none' });
    else if (was) add('kept', said, { before: null, after: 'none' });
  }
  for (const [table, { person }] of Object.entries(was?.tables ?? {}))
    if (person === true && is.tables[table]?.person !== true)
      found.push({ what: 'person-removed', document, column: null, table: toPlain(table), tag: null, before: 'person: true', after: null });
  return found;
}

export function findLoweredRulebook(document: string, was: Of<'Rulebook'> | undefined, is: Of<'Rulebook'> | undefined): readonly Lowered[] {
  return Object.entries(is?.rules ?? {}).flatMap(([tag, rules]): readonly Lowered[] => {
    const old = was?.rules[tag] ?? [];
    if (tag === 'none' || !isWeaker(tag, old, rules)) return [];
    return [{ what: 'weaker-transform', document, column: null, table: null, tag, before: toWords(old), after: toWords(rules) }];
  });
}

export function findWidened(document: string, was: readonly string[] | undefined, is: readonly string[]): readonly Lowered[] {
  const more = was ? is.filter((one) => !was.some((other) => one === other || one.startsWith(`${other}.`))) : [];
  return more.map((tag) => ({ what: 'allows-widened', document, column: null, table: null, tag, before: null, after: tag }));
}

/** Who feeds a domain of tokens can reverse what it holds by guessing: each source is agreed to, the first one too. */
export function findTokenSources(document: string, was: TokenDomains | undefined, is: TokenDomains | undefined): readonly Lowered[] {
  return Object.entries(is ?? {}).flatMap(([domain, { sources }]) =>
    sources
      .filter((source) => !was?.[domain]?.sources.includes(source))
      .map((source) => ({
        ...{ what: 'token-source-added' as const, document, column: null, table: null, tag: null, before: null },
        after: `${source} in ${domain}`,
      })),
  );
}

type TokenDomains = NonNullable<TargetDefinition['tokens']>;

/** Who sees both copies can put them together from then on; and where tokens are joined, exchange what the other holds. */
export function findJoined(document: string, was: KeysDefinition | undefined, is: KeysDefinition | undefined): readonly Lowered[] {
  const found = (what: 'keys-joined' | 'tokens-joined', before: string | null, after: string | null): readonly Lowered[] =>
    after === null || after === before ? [] : [{ what, document, column: null, table: null, tag: null, before, after }];
  const tokensOf = ({ join }: KeysDefinition = {}): string | null => (join?.tokens === true ? join.environment : null);
  return [
    ...found('keys-joined', was?.join?.environment ?? null, is?.join?.environment ?? null),
    ...found('tokens-joined', tokensOf(was), tokensOf(is)),
  ];
}

export const toWords = (rules: readonly RuleDefinition[]): string | null => rules.map(({ transform }) => transform).join(', ') || null;

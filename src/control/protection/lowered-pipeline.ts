// What a changed pipeline lowers: another classification or rulebook, an override, a waiver, a wider target, no approval any more.
import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import { parseNamePattern, parseSqlName } from '../../kernel/sql-name.js';
import type { OverrideDefinition, RuleDefinition, TargetDefinition } from '../../pipeline/definition.js';
import { type PrivacyDefinition, findLaxer } from '../../pipeline/privacy.js';
import type { DocumentSet, Of } from './document-set.js';
import {
  type Lowered,
  compareClassifications,
  findJoined,
  findLoweredRulebook,
  findTokenSources,
  findWidened,
  rulebookOf,
  toWords,
} from './compare.js';
import { toSaid } from './said-columns.js';
import { isWeaker } from './strength.js';

type Pipeline = Of<'Pipeline'>;

export function findLoweredPipeline(before: DocumentSet, after: DocumentSet, name: string): readonly Lowered[] {
  const [was, is] = [before.find('Pipeline', name), after.find('Pipeline', name)];
  if (!is) return [];
  const document = `Pipeline ${name}`;
  const found = [...findLoweredOverrides(document, after, was, is)];
  const say = (what: Lowered['what'], said: string, now: string | null): void =>
    void found.push({ what, document, column: null, table: null, tag: null, before: null, after: now ?? said });
  for (const { object, action } of is.schemaTexts ?? [])
    if (action === 'keep' && !was?.schemaTexts?.some((one) => one.object === object && one.action === 'keep')) say('kept', object, object);
  found.push(...findTokenSources(document, was && targetOf(was)?.tokens, targetOf(is)?.tokens));
  found.push(...findJoined(document, was && targetOf(was)?.keys, targetOf(is)?.keys));
  if (!was) return found;
  if (was.rulebook !== is.rulebook)
    found.push(...findLoweredRulebook(document, rulebookOf(before, was.rulebook), rulebookOf(after, is.rulebook)));
  const [old, now] = [before.find('Classification', was.classification), after.find('Classification', is.classification)];
  if (was.classification !== is.classification && now)
    found.push(...compareClassifications(document, old, now, [rulebookOf(after, is.rulebook)?.rules ?? {}]));
  if (was.approval && !is.approval) found.push({ ...nothing, what: 'approval-removed', document, before: 'required' });
  for (const waiver of findWaivers(is)) if (!findWaivers(was).includes(waiver)) say('waiver', waiver, waiver);
  return [...found, ...findWidened(document, targetOf(was)?.allows, targetOf(is)?.allows ?? [])];
}

const nothing = { column: null, table: null, tag: null, before: null, after: null };

const targetOf = ({ target }: Pipeline): Exclude<Pipeline['target'], string> | undefined =>
  typeof target === 'string' ? undefined : target;

/** What the gate would refuse without a reason. */
function findWaivers(pipeline: Pipeline): readonly string[] {
  const target = targetOf(pipeline);
  return [
    ...(pipeline.source.writable ? ['source.writable'] : []),
    ...(target?.sameServer ? ['target.sameServer'] : []),
    ...(target?.adopt ? ['target.adopt'] : []),
    ...(target?.swapSchemas ? ['target.swapSchemas'] : []),
    ...findHandedOut(target),
    ...(target ? findLaxPrivacy(target) : []),
  ];
}

/** Limits of privacy that are laxer than those of the class, each with its figure: a laxer one still is another. */
export function findLaxPrivacy(target: Pick<TargetDefinition, 'class' | 'privacy'>): readonly string[] {
  return findLaxer(target).map((member) => `privacy ${member} ${String(target.privacy?.[member as keyof PrivacyDefinition])}`);
}

/** That copies leave as files, and to whom: what is opened with somebody's own key does not end with ours. */
export function findHandedOut(target: { readonly file?: { readonly recipients?: readonly string[] } } | undefined): readonly string[] {
  return target?.file ? ['target.file', ...(target.file.recipients ?? []).map((recipient) => `target.file to ${recipient}`)] : [];
}

function findLoweredOverrides(document: string, after: DocumentSet, was: Pipeline | undefined, is: Pipeline): readonly Lowered[] {
  const has = (pipeline: Pipeline | undefined, override: OverrideDefinition): boolean =>
    pipeline?.overrides?.some((one) => isSame(one, override)) === true;
  const added = (is.overrides ?? []).filter((override) => !has(was, override));
  const removed = (was?.overrides ?? []).filter((override) => !has(is, override));
  return [
    ...added.flatMap((override) => findLoweredBy(document, after, is, override, was !== undefined)),
    // What was stricter than the rulebook is as the rulebook has it again.
    ...removed.flatMap((override) =>
      toPlaces(after, is, override).flatMap(({ column, table, tag, rules }) =>
        override.transform !== undefined && isWeaker(tag, [toRule(override)], rules)
          ? [{ what: 'weaker-transform' as const, document, column, table, tag, before: override.transform, after: toWords(rules) }]
          : [],
      ),
    ),
  ];
}

/** A reason alone waives a finding; in a first version it stands beside the finding that it is about, and the plan shows both. */
function findLoweredBy(
  document: string,
  after: DocumentSet,
  is: Pipeline,
  override: OverrideDefinition,
  changes: boolean,
): readonly Lowered[] {
  const { transform, scope, params, domain } = override;
  if ([transform, scope, params, domain].every((one) => one === undefined))
    return changes ? override.columns.map((column) => ({ ...nothing, what: 'waiver', document, column, after: 'a reason' })) : [];
  const places = toPlaces(after, is, override);
  // Its tag comes from elsewhere (a foreign key, a comment of the source): it cannot be compared with anything.
  if (places.length === 0)
    return override.columns.map((column) => ({
      ...nothing,
      what: 'weaker-transform',
      document,
      column,
      after: transform ?? 'other parameters',
    }));
  return places.flatMap(({ column, table, tag, rules }): readonly Lowered[] => {
    const rule = transform === undefined ? rules.map((one) => ({ ...one, ...toPartial(override) })) : [toRule(override)];
    return isWeaker(tag, rules, rule)
      ? [{ what: 'weaker-transform', document, column, table, tag, before: toWords(rules), after: toWords(rule) }]
      : [];
  });
}

interface Place {
  readonly column: string;
  readonly table: string | null;
  readonly tag: string;
  readonly rules: readonly RuleDefinition[];
}

/** The tagged columns that an override means. */
function toPlaces(set: DocumentSet, { classification, rulebook }: Pipeline, { columns, path }: OverrideDefinition): readonly Place[] {
  const said = set.find('Classification', classification);
  const rules = rulebookOf(set, rulebook)?.rules ?? {};
  const patterns = columns.flatMap((one) => parseNamePattern(one) ?? []);
  return [...(said ? toSaid(said).values() : [])].flatMap(({ column, table, tag }): readonly Place[] => {
    const [name = '', at] = column.split(' at ');
    const parts = parseSqlName(name) ?? [];
    const isMeant = patterns.some((pattern) => pattern.matches(...parts)) && (path === undefined || path === at);
    return isMeant && tag !== 'none' ? [{ column, table, tag, rules: rules[tag] ?? [] }] : [];
  });
}

const toPartial = ({ scope, params, domain }: OverrideDefinition): Partial<RuleDefinition> => ({
  ...(scope === undefined ? {} : { scope }),
  ...(params === undefined ? {} : { params }),
  ...(domain === undefined ? {} : { domain }),
});

const toRule = (override: OverrideDefinition): RuleDefinition => ({ transform: override.transform ?? 'keep', ...toPartial(override) });

const isSame = (a: object, b: object): boolean => toCanonicalJson(a as Json) === toCanonicalJson(b as Json);

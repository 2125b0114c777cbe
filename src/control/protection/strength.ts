// Is one rule weaker than another? By what transforms declare, and the laws hold them to: a rule that lets through what the other did not.
import { toCanonicalJson, type Json } from '../../kernel/canonical-json.js';
import type { RuleDefinition } from '../../pipeline/definition.js';
import { tags } from '../../pipeline/tags.js';
import { type Transform, transforms } from '../../pipeline/mask/mask.js';

const byName: ReadonlyMap<string, Transform> = new Map(transforms.map((transform) => [transform.name, transform]));
/** What these reveal no parameter makes more of. */
const even: ReadonlySet<string> = new Set(['equality', 'frequency', 'length', 'format']);

/** What cannot be compared is weaker: a parameter of a transform that lets through a part, an order or a band; a transform that is not known. */
export function isWeaker(tag: string, before: readonly RuleDefinition[], after: readonly RuleDefinition[]): boolean {
  const through = new Set(before.flatMap((rule) => revealsOf(tag, rule)));
  return after.some((rule) => {
    if (before.some((other) => isSame(other, rule))) return false;
    const transform = byName.get(rule.transform);
    if (!transform || !revealsOf(tag, rule).every((reveal) => through.has(reveal))) return true;
    if (leavesReservedSpace(transform, rule) && !before.some((other) => leavesReservedSpace(byName.get(other.transform), other)))
      return true;
    if (transform.reversible && !before.some((other) => byName.get(other.transform)?.reversible)) return true;
    const likes = before.filter((other) => other.transform === rule.transform);
    const isEven = transform.reveals.every((reveal) => even.has(reveal));
    return !isEven && !likes.some((other) => toParams(other) === toParams(rule));
  });
}

function revealsOf(tag: string, { transform: name, scope }: RuleDefinition): readonly string[] {
  const transform = byName.get(name);
  if (!transform) return ['value'];
  const tagged = tags.get(tag)?.scope;
  const used = scope ?? (tagged && transform.scopes.includes(tagged) ? tagged : transform.scopes[0]);
  const reaches =
    used === 'value' ? transform.reveals : transform.reveals.filter((reveal) => reveal !== 'equality' && reveal !== 'frequency');
  // What holds of one person's values alike lets more through than what is drawn for each row.
  return used === 'row' ? reaches : [...reaches, 'one person'];
}

function leavesReservedSpace(transform: Transform | undefined, { params = {} }: RuleDefinition): boolean {
  const defaults = Object.entries(transform?.params ?? {}).flatMap(([name, spec]) =>
    spec.default === undefined ? [] : [[name, spec.default]],
  );
  return transform?.leavesReservedSpace?.({ ...(Object.fromEntries(defaults) as Record<string, Json>), ...params }) === true;
}

const toParams = ({ params = {} }: RuleDefinition): string => toCanonicalJson(params);

const isSame = (a: RuleDefinition, b: RuleDefinition): boolean =>
  a.transform === b.transform && a.scope === b.scope && toParams(a) === toParams(b);

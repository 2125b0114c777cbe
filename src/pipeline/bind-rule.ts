// From a tag to a rule with everything it needs but the key: which transform, with which parameters, in which scope and domain.
import type { Json } from '../kernel/canonical-json.js';
import { type Finding, toFinding, type Where } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { findNearest } from '../kernel/nearest.js';
import type { Registry, TransformView } from './bind-input.js';
import type { DataType } from './catalogue.js';
import type { Described, OverrideDefinition, RulebookDefinition, RuleDefinition, Scope } from './definition.js';
import type { CanonicalForm, RulePlan } from './plan.js';
import { hasRoom } from './bind-unique.js';
import { tags } from './tags.js';

export interface RuleRequest {
  readonly tag: string;
  /** What the transform sees: the scalar, or the narrowest of joined types. */
  readonly type: DataType;
  readonly notNull: boolean;
  /** This or a joined column is unique or a key: of the rulebook's rules one that keeps unique values unique goes first. */
  readonly unique: boolean;
  /** Below json and its like: any type may stand there. */
  readonly loose: boolean;
  readonly canonical: CanonicalForm;
  readonly override?: OverrideDefinition | undefined;
  /** Where an override stands, or the column. */
  readonly where: Where;
}

export interface BoundRule {
  readonly rule: RulePlan;
  readonly transform: TransformView | undefined;
  readonly reason?: string;
  readonly expires?: string;
}

/** The rule of a column that goes through. */
export function toKeepRule(reveals: RulePlan['reveals']): RulePlan {
  return { transform: 'keep', params: {}, scope: 'value', domain: '', canonical: 'text', reveals, uniqueness: 'preserved' };
}

export const keptReveals: RulePlan['reveals'] = ['equality', 'frequency', 'order', 'length', 'prefix', 'band', 'format', 'value'];

export class RuleBinder {
  readonly findings: Finding[] = [];
  private readonly byName: ReadonlyMap<string, TransformView>;

  constructor(
    private readonly registry: Registry,
    private readonly rulebook: Described<RulebookDefinition>,
  ) {
    this.byName = new Map(registry.transforms.map((transform) => [transform.name, transform]));
  }

  /** Undefined when something is wrong, which is a finding then. */
  bind(request: RuleRequest): BoundRule | undefined {
    const { tag, override } = request;
    const tagged = tags.get(tag);
    if (!tagged) return undefined;
    if (tag === 'none') return { rule: toKeepRule(keptReveals), transform: undefined };
    const chosen = this.choose(request);
    if (!chosen) return undefined;
    const { rule, transform, params } = chosen;
    const scope = rule.scope ?? (transform.scopes.includes(tagged.scope) ? tagged.scope : transform.scopes[0]);
    const reason = override?.reason ?? rule.reason;
    const expires = override ? override.expires : rule.expires;
    if (!transform.scopes.includes(scope)) {
      this.find('PLAN_SCOPE_UNFIT', {
        ...this.atRule(tag, override, request.where),
        rule: transform.name,
        name: scope,
        expected: transform.scopes.join(', '),
      });
      return undefined;
    }
    if (transform.name === 'keep' && (reason === undefined || expires === undefined))
      this.find('PLAN_KEEP_UNREASONED', { ...request.where, name: tag });
    if (transform.leavesReservedSpace?.(params) === true && reason === undefined)
      this.find('PLAN_RESERVED_SPACE_LEFT', { ...request.where, rule: transform.name });
    const { canonical } = request;
    const plan: RulePlan = {
      ...{
        transform: transform.name,
        params,
        scope,
        domain: rule.domain ?? tag,
        canonical: transform.name === 'keep' ? 'text' : canonical,
      },
      ...{ reveals: toReveals(transform, scope), uniqueness: transform.uniqueness },
      ...(transform.reversible ? { reversible: true } : {}),
    };
    return { rule: plan, transform, ...(reason === undefined ? {} : { reason }), ...(expires === undefined ? {} : { expires }) };
  }

  /** Transforms that would fit, for hints: those that keep unique values unique and have room for as many. */
  alternatives(type: DataType, loose: boolean, unique?: { readonly values: number }): string {
    const names = this.registry.transforms.filter((transform) => {
      if (transform.name === 'keep' || !this.accepts(transform, type, loose)) return false;
      const params = Object.fromEntries(
        Object.entries(transform.params).flatMap(([name, spec]) => (spec.default === undefined ? [] : [[name, spec.default]])),
      );
      if (Object.keys(params).length < Object.keys(transform.params).length) return unique === undefined;
      if (transform.misfit?.(type, params) !== undefined) return false;
      return unique === undefined || (transform.uniqueness === 'preserved' && hasRoom(transform.space(params, type), unique.values));
    });
    return (
      names
        .map(({ name }) => name)
        .sort()
        .join(', ') || 'keep with a reason and a last day'
    );
  }

  accepts(transform: TransformView, type: DataType, loose: boolean): boolean {
    if (loose || transform.accepts.includes('any')) return true;
    const family = this.registry.familyOf(type);
    return family !== undefined && transform.accepts.includes(family);
  }

  private choose(
    request: RuleRequest,
  ): { rule: RuleDefinition; transform: TransformView; params: Readonly<Record<string, Json>> } | undefined {
    const { tag, override, type, where } = request;
    const rules = this.candidates(tag, override, request.unique);
    if (rules.length === 0) this.find('PLAN_RULE_MISSING', { ...this.atRule(tag, undefined, {}), name: tag });
    const misfits: string[] = [];
    let refusedNull = false;
    for (const rule of rules) {
      const transform = this.byName.get(rule.transform);
      if (!transform) {
        const expected = findNearest(rule.transform, this.byName.keys()) ?? [...this.byName.keys()].sort().join(', ');
        this.find('PLAN_TRANSFORM_UNKNOWN', { ...this.atRule(tag, override, where), name: rule.transform, expected });
        return undefined;
      }
      if (!this.accepts(transform, type, request.loose)) continue;
      const params = this.toParams(transform, rule, this.atRule(tag, override, where));
      if (!params) return undefined;
      const misfit = request.loose && !transform.accepts.includes('text') ? undefined : transform.misfit?.(type, params);
      if (misfit !== undefined) misfits.push(misfit);
      // `null` is the one transform that needs a column which may be NULL; its declaration cannot say so.
      else if (transform.name === 'null' && request.notNull) refusedNull = true;
      else return { rule, transform, params };
    }
    if (refusedNull) this.find('PLAN_NOT_NULL', where);
    else if (rules.length > 0) {
      const expected = misfits.length > 0 ? misfits.join('; ') : `use one of: ${this.alternatives(type, request.loose)}`;
      this.find('PLAN_TYPE_MISFIT', { ...where, rule: rules.map(({ transform }) => transform).join(', '), type: type.display, expected });
    }
    return undefined;
  }

  private candidates(tag: string, override: OverrideDefinition | undefined, unique: boolean): readonly RuleDefinition[] {
    const written = Object.hasOwn(this.rulebook.body.rules, tag) ? (this.rulebook.body.rules[tag] ?? []) : [];
    const preserves = ({ transform }: RuleDefinition): boolean => this.byName.get(transform)?.uniqueness === 'preserved';
    const rules = unique ? [...written.filter(preserves), ...written.filter((rule) => !preserves(rule))] : written;
    if (!override) return rules;
    const { transform, params, scope, domain } = override;
    const changes = { ...(scope === undefined ? {} : { scope }), ...(domain === undefined ? {} : { domain }) };
    if (transform !== undefined) return [{ transform, ...(params === undefined ? {} : { params }), ...changes }];
    return rules.map((rule) => ({ ...rule, ...changes, ...(params === undefined ? {} : { params: { ...rule.params, ...params } }) }));
  }

  /** Given parameters and the declared defaults: all written out, so that another default is another plan. */
  private toParams(transform: TransformView, rule: RuleDefinition, where: Where): Readonly<Record<string, Json>> | undefined {
    const before = this.findings.length;
    const given = rule.params ?? {};
    const known = Object.keys(transform.params);
    for (const name of Object.keys(given)) {
      if (known.includes(name)) continue;
      const expected = findNearest(name, known) ?? (known.join(', ') || 'none at all');
      this.find('PLAN_PARAM_UNKNOWN', { ...where, rule: transform.name, name: /^[A-Za-z][\w-]{0,40}$/.test(name) ? name : '*', expected });
    }
    const params: Record<string, Json> = {};
    for (const [name, spec] of Object.entries(transform.params)) {
      const value = Object.hasOwn(given, name) ? given[name] : spec.default;
      if (value !== undefined && this.registry.fitsSchema(spec.schema, value)) params[name] = value;
      else this.find('PLAN_PARAM_INVALID', { ...where, rule: transform.name, name, expected: 'see docs/transforms.md' });
    }
    return this.findings.length === before ? params : undefined;
  }

  /** A rule's own place: the override, or the rulebook's line. */
  private atRule(tag: string, override: OverrideDefinition | undefined, where: Where): Where {
    if (override) return where;
    const { origin } = this.rulebook;
    return { file: origin.file, line: origin.line(toPointer('rules', tag)) };
  }

  private find(code: Finding['code'], where: Where): void {
    this.findings.push(toFinding(code, where));
  }
}

/** Where the value does not enter, neither its equality nor its frequency comes out. */
function toReveals(transform: TransformView, scope: Scope): RulePlan['reveals'] {
  if (scope === 'value') return transform.reveals;
  return transform.reveals.filter((reveal) => reveal !== 'equality' && reveal !== 'frequency');
}

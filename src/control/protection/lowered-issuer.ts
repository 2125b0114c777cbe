// What a changed Issuer lets in that it did not: each trust that no earlier one contained.
import type { TrustDefinition } from '../../pipeline/definition.js';
import type { Lowered } from './compare.js';
import type { Of } from './document-set.js';

export function findAddedTrusts(was: Of<'Issuer'> | undefined, is: Of<'Issuer'> | undefined): readonly Lowered[] {
  if (!is) return [];
  // Another issuer, audience or form: what was trusted is nobody's any more.
  const known = was && was.issuer === is.issuer && was.audience === is.audience && was.form === is.form ? was.trusts : [];
  return is.trusts
    .filter((trust) => !known.some((one) => contains(one, trust)))
    .map((trust) => ({
      ...{ what: 'trust-added', document: `Issuer ${is.name}`, column: null, table: null, tag: null, before: null },
      after: toWords(trust),
    }));
}

/** The same person, no other claim than `wide` asks for given up, and no role that `wide` has not. */
function contains(wide: TrustDefinition, narrow: TrustDefinition): boolean {
  return (
    wide.person === narrow.person &&
    Object.entries(wide.claims).every(([name, value]) => String(narrow.claims[name] ?? '') === String(value)) &&
    narrow.roles.every((role) => wide.roles.includes(role) || wide.roles.includes(role.split('@')[0] ?? ''))
  );
}

function toWords({ claims, person, roles }: TrustDefinition): string {
  const said = Object.entries(claims).map(([name, value]) => `${name} ${String(value)}`);
  return `${roles.join(', ')} as ${person}: ${said.join(', ')}`;
}

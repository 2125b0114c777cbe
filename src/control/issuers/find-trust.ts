// Whom a verified token stands for, by what it says. Pure: what is believed of which claims stands here.
import type { IssuerDefinition, TrustDefinition } from '../../pipeline/definition.js';

export type SaidClaims = Readonly<Record<string, unknown>>;

export type Found = { readonly trust: TrustDefinition } | { readonly refused: 'IDENTITY_NOT_TRUSTED' | 'IDENTITY_OF_FORK' };

/** What begins a job of the repository's own code, by somebody who may write to it, or by the clock. Anything else may be begun by a stranger. */
const own: Readonly<Record<'github' | 'gitlab', readonly string[]>> = {
  github: ['push', 'schedule', 'workflow_dispatch', 'repository_dispatch', 'release', 'deployment'],
  gitlab: ['push', 'schedule', 'web', 'api', 'trigger'],
};

export const isOfJobs = ({ form }: Pick<IssuerDefinition, 'form'>): boolean => form !== 'oidc';

/** The claim that says which repository or project, by number. */
export const subjectClaim = { github: 'repository_id', gitlab: 'project_id', oidc: 'sub' } as const satisfies Record<
  IssuerDefinition['form'],
  string
>;

/** Undefined: nobody is trusted by the name of whom it is about. MUST be given claims of a verified token of this issuer. */
export function findTrust({ form, trusts }: Pick<IssuerDefinition, 'form' | 'trusts'>, claims: SaidClaims): Found | undefined {
  const known = trusts.filter(({ claims: wanted }) => fits(wanted, claims, [subjectClaim[form]]));
  if (known.length === 0) return undefined;
  if (form === 'oidc') {
    // A job's token under the form of people would go by a name that changes hands.
    if (['repository_id', 'job_workflow_ref', 'pipeline_source', 'ci_config_ref_uri'].some((name) => name in claims)) return undefined;
  } else if (mayBeOfFork(form, claims)) return { refused: 'IDENTITY_OF_FORK' };
  const trust = known.find(({ claims: wanted }) => fits(wanted, claims, Object.keys(wanted)));
  return trust ? { trust } : { refused: 'IDENTITY_NOT_TRUSTED' };
}

/** Both say numbers and yes as texts; a document may have them as what they are. */
function fits(wanted: TrustDefinition['claims'], said: SaidClaims, names: readonly string[]): boolean {
  return names.every((name) => {
    const value = Object.hasOwn(said, name) ? said[name] : undefined;
    return (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') && String(value) === String(wanted[name]);
  });
}

/**
 * Neither says whether a pull or merge request came from a fork, and both may run one with the numbers of the repository that it is for: so none of
 * them gets a right, nor what follows one (a workflow after it, a comment to it, a child of its pipeline).
 */
function mayBeOfFork(form: 'github' | 'gitlab', claims: SaidClaims): boolean {
  const isEmpty = (name: string): boolean => [undefined, ''].includes(claims[name] as string | undefined);
  if (form === 'gitlab') {
    const { pipeline_source: source, ref_path: path } = claims;
    return !isOneOf(own.gitlab, source) || (path !== undefined && !isBranchOrTag(path));
  }
  const { event_name: event, ref } = claims;
  return !isOneOf(own.github, event) || !isBranchOrTag(ref) || !isEmpty('head_ref') || !isEmpty('base_ref');
}

const isOneOf = (words: readonly string[], said: unknown): boolean => typeof said === 'string' && words.includes(said);
const isBranchOrTag = (said: unknown): boolean => typeof said === 'string' && /^refs\/(heads|tags)\//.test(said);

/** The roles of a person that a trust lets through. */
export function toRoles(has: readonly string[], atMost: readonly string[]): readonly string[] {
  const without = (grant: string): string => grant.split('@')[0] ?? '';
  const through = has.flatMap((grant) => {
    if (grant === 'administrator') return [];
    return atMost.flatMap((most) => {
      if (most === grant || most === without(grant)) return [grant];
      return grant === without(most) ? [most] : [];
    });
  });
  return [...new Set(through)].sort();
}

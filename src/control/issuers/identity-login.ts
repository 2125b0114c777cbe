// Who asks, by an identity token: of a person's login elsewhere, or of a job of GitHub or GitLab, which stores no secret then.
import type { Clock } from '../../kernel/clock.js';
import { toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';
import type { IssuerDefinition } from '../../pipeline/definition.js';
import type { Identity, Metadata, Producer, Transaction } from '../../systems/metadata/metadata.js';
import { type Claims, type IssuerKeys, canBeTakenOnce, readIssuer, verifyIdentityToken } from '../../systems/oidc/oidc.js';
import { type Found, findTrust, isOfJobs, subjectClaim, toRoles } from './find-trust.js';

const PAGE = 200;

interface Trusted {
  readonly issuer: IssuerDefinition;
  readonly version: number;
}

interface Candidate extends Trusted {
  readonly found: Found;
}

export interface IdentityLoginOptions {
  readonly metadata: Metadata;
  readonly keys: IssuerKeys;
  readonly clock: Clock;
  readonly skewSeconds: number;
}

export class IdentityLogin {
  constructor(private readonly options: IdentityLoginOptions) {}

  /**
   * Throws TOKEN_INVALID for whatever no issuer of the workspace signed for us and now, and for whom nobody trusts; ISSUER_UNREACHABLE;
   * IDENTITY_* for a repository that is known, which is audited.
   */
  async identify(token: string, workspace: string): Promise<Identity> {
    const { metadata, keys, clock, skewSeconds } = this.options;
    const url = readIssuer(token);
    const workspaceId = await this.findWorkspace(workspace);
    if (url === undefined || workspaceId === undefined) throw toError('TOKEN_INVALID');
    const trusted = await metadata.within(workspaceId, (transaction) => readIssuers(transaction, url));
    if (trusted.length === 0) throw toError('TOKEN_INVALID');
    const nowMs = clock.now();
    const audiences = trusted.map(({ issuer }) => issuer.audience);
    const claims = await verifyIdentityToken(token, { issuer: url, audiences, nowMs, skewSeconds }, keys);
    const candidate = choose(trusted, claims);
    if (!candidate || (isOfJobs(candidate.issuer) && !canBeTakenOnce(claims))) throw toError('TOKEN_INVALID');
    const answer = await metadata.within(workspaceId, (transaction) => this.enter(transaction, candidate, claims, nowMs));
    if (typeof answer === 'string') throw toError(answer, { name: `Issuer ${candidate.issuer.name}` });
    return answer;
  }

  private async findWorkspace(name: string): Promise<string | undefined> {
    const [row] = await this.options.metadata.query<{ id: string }>('SELECT id FROM bauta.workspace WHERE name = $1', [name]);
    return row?.id;
  }

  /** A token of a job is used up first, and only then looked at: what is denied with it can be denied once. */
  private async enter(
    transaction: Transaction,
    { issuer, version, found }: Candidate,
    claims: Claims,
    nowMs: number,
  ): Promise<Identity | ErrorCode> {
    const about = { issuer: issuer.name, version, ...toJob(issuer, claims) };
    const at = toTimestamp(nowMs);
    const deny = async (code: ErrorCode): Promise<ErrorCode> => {
      await transaction.audit({ type: 'access.denied', at, data: { code, ...about } });
      return code;
    };
    if (isOfJobs(issuer)) {
      const ends = new Date((Number(claims.exp) + this.options.skewSeconds) * 1000);
      if (!(await transaction.identities.use(issuer.issuer, String(claims.jti), ends))) return deny('IDENTITY_USED');
    }
    if ('refused' in found) return deny(found.refused);
    const { person: name, roles } = found.trust;
    const person = await transaction.people.find(name);
    if (!person) return deny('IDENTITY_NOT_TRUSTED');
    const [ownerId = person.id] = await transaction.people.ownersOf([person.id]);
    if (isOfJobs(issuer)) await transaction.audit({ type: 'identity.used', at, actor: person.id, data: about });
    return {
      ...{ tokenId: `identity ${person.id}`, workspaceId: transaction.workspaceId, personId: person.id, ownerId, person: name },
      roles: toRoles(person.roles, roles),
      ...(isOfJobs(issuer) ? { job: toProducer(issuer, claims) } : {}),
    };
  }
}

/** The first that trusts it; otherwise the first that knows whom it is about. */
function choose(trusted: readonly Trusted[], claims: Claims): Candidate | undefined {
  const audiences = [claims.aud ?? []].flat();
  const known = trusted.flatMap(({ issuer, version }): readonly Candidate[] => {
    const found = audiences.includes(issuer.audience) ? findTrust(issuer, claims) : undefined;
    return found ? [{ issuer, version, found }] : [];
  });
  return known.find(({ found }) => 'trust' in found) ?? known[0];
}

/** The numbers by which a job is found again where it ran; nothing that its author chose. */
function toJob({ form }: IssuerDefinition, claims: Claims): Readonly<Record<string, string>> {
  if (form === 'oidc') return {};
  const names = [subjectClaim[form], ...(form === 'github' ? ['run_id', 'run_attempt'] : ['pipeline_id', 'job_id'])];
  return Object.fromEntries(
    names.flatMap((name) => {
      const said = claims[name];
      return (typeof said === 'string' || typeof said === 'number') && /^\d{1,19}$/.test(`${said}`) ? [[name, `${said}`]] : [];
    }),
  );
}

const saidOfJobs = {
  github: {
    repository: 'repository_id',
    repositoryName: 'repository',
    ref: 'ref',
    commit: 'sha',
    workflow: 'job_workflow_ref',
    run: 'run_id',
  },
  gitlab: {
    repository: 'project_id',
    repositoryName: 'project_path',
    ref: 'ref_path',
    commit: 'sha',
    workflow: 'ci_config_ref_uri',
    run: 'job_id',
  },
} as const;

/** What evidence is worth depends on it. Signed by the issuer, but in part chosen by the author of the job: names of branches and files. */
function toProducer({ issuer, form }: IssuerDefinition, claims: Claims): Producer {
  const names: Readonly<Record<string, string>> = form === 'oidc' ? {} : saidOfJobs[form];
  const said = Object.entries(names).flatMap(([name, claim]) => {
    const value = claims[claim];
    return typeof value === 'string' || typeof value === 'number' ? [[name, `${value}`.slice(0, 300)]] : [];
  });
  return { issuer, ...(Object.fromEntries(said) as Producer) };
}

async function readIssuers({ documents }: Transaction, url: string): Promise<readonly Trusted[]> {
  const found: Trusted[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await documents.list('Issuer', PAGE, after);
    for (const { document, version } of page) {
      // It was held to its form when it was applied, and that form has no short ones.
      const issuer = document as IssuerDefinition;
      if (issuer.issuer === url) found.push({ issuer, version });
    }
    after = page.length === PAGE ? page.at(-1)?.name : undefined;
  }
  return found;
}

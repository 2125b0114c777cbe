// What a database, a record schema or a role of ours says of itself, as JSON in its COMMENT. Anything else that stands in a comment is not ours.
import { toCanonicalJson } from '../../../kernel/canonical-json.js';

export interface OwnComment {
  readonly target: string;
  readonly version: number;
  /** `template`: what the clones of a version are copied from. */
  readonly state: 'staging' | 'current' | 'previous' | 'template';
  readonly runId: string;
  readonly planDigest?: string | undefined;
  readonly publishedAt?: string | undefined;
  /** When a newer version took its place. */
  readonly replacedAt?: string | undefined;
  /** True when it lost its place by a roll-back: the next roll-back does not return to it. */
  readonly rolledBack?: true | undefined;
  /** The comment that people gave the database before it was adopted. */
  readonly comment?: string | undefined;
  /** Of a template: nobody can connect to it, so nobody else can ask. */
  readonly bytes?: number | undefined;
  /** Of a version that is some schemas of a database: their names while it is current. */
  readonly schemas?: readonly string[] | undefined;
  /** Nobody of the environment may use it: it is about to be dropped, or it is not what was published. Whose it was before. */
  readonly closed?: { readonly why: 'expiring' | 'quarantined'; readonly owner?: string | undefined } | undefined;
}

export function toCommentText(ours: OwnComment): string {
  return toCanonicalJson({ bauta: 1, ...ours });
}

/** What a comment of ours says; undefined when it is somebody else's comment or none. */
export function parseComment(comment: string | null): OwnComment | undefined {
  const value = parseObject(comment);
  if (value?.['bauta'] !== 1) return undefined;
  const { target, version, state, runId } = value;
  if (typeof target !== 'string' || typeof version !== 'number' || typeof runId !== 'string') return undefined;
  if (state !== 'staging' && state !== 'current' && state !== 'previous' && state !== 'template') return undefined;
  const text = (name: string): string | undefined => (typeof value[name] === 'string' ? value[name] : undefined);
  return {
    target,
    version,
    state,
    runId,
    planDigest: text('planDigest'),
    publishedAt: text('publishedAt'),
    replacedAt: text('replacedAt'),
    rolledBack: value['rolledBack'] === true ? true : undefined,
    comment: text('comment'),
    bytes: typeof value['bytes'] === 'number' ? value['bytes'] : undefined,
    ...toSchemas(value['schemas']),
    ...toClosed(value['closed']),
  };
}

function toSchemas(value: unknown): Pick<OwnComment, 'schemas'> {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? { schemas: value } : {};
}

function toClosed(value: unknown): Pick<OwnComment, 'closed'> {
  const { why, owner } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (why !== 'expiring' && why !== 'quarantined') return {};
  return { closed: { why, ...(typeof owner === 'string' ? { owner } : {}) } };
}

/** Comment of a role of ours: `run`, `clone` for theirs, else which of the environment's; `mapped`: made because a pipeline maps a role to it. */
const ownRoles = ['run', 'owner', 'rw', 'ro', 'mapped', 'clone'] as const;

export interface RoleComment {
  readonly target: string;
  readonly role: (typeof ownRoles)[number];
  /** Of a clone. Its database belongs to who works in it, and can say what it likes; a role cannot comment on itself. */
  readonly clone?: CloneComment | undefined;
}

export interface CloneComment {
  readonly state: 'making' | 'ready' | 'dropping';
  readonly for: string;
  /** Of the version that it was copied from. */
  readonly version: number;
  readonly runId: string;
  readonly planDigest: string;
  readonly bytes: number;
  readonly madeAt: string;
  readonly lastsUntil: string;
  readonly expiresAt: string;
}

export function toRoleCommentText({ target, role, clone }: RoleComment): string {
  return toCanonicalJson({ bauta: 1, target, role, ...(clone && { clone: { ...clone } }) });
}

export function parseRoleComment(comment: string | null): RoleComment | undefined {
  const value = parseObject(comment);
  const role = ownRoles.find((one) => one === value?.['role']);
  if (value?.['bauta'] !== 1 || typeof value['target'] !== 'string') return undefined;
  if (role === undefined) return undefined;
  return role === 'clone'
    ? { target: value['target'], role, clone: value['clone'] as CloneComment | undefined }
    : { target: value['target'], role };
}

function parseObject(text: string | null): Record<string, unknown> | undefined {
  if (!text?.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

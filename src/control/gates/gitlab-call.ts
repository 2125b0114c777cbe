// GitLab's external status check: a merge request shows whether its newest commit passes.
import { digestBytes } from '../../kernel/digest.js';
import { idAt, memberAt, parseJson, textAt } from '../../kernel/json-member.js';
import type { GitLabCaller } from '../../pipeline/gate-callers.js';
import { type Call, type Delivery, type NoCall, commitForm, isSignedWith, one } from './call.js';

/** GitLab calls a check failed that says nothing for two minutes. */
const WAITS_MS = 110_000;

/** Pure. Nothing of GitLab's says when it was sent: who repeats it has the newest commit of then judged anew, and GitLab takes no answer about an old one. */
export function readGitLabCall({ headers, body }: Delivery, caller: GitLabCaller, secret: string, nowMs: number): Call | NoCall {
  const given = one(headers['x-gitlab-signature']);
  if (!/^[0-9a-f]{64}$/.test(given)) return 'unsigned';
  if (!isSignedWith(given, body, secret)) return 'forged';
  const payload = parseJson(body);
  if (memberAt(payload, ['object_kind']) !== 'merge_request') return 'ignored';
  if (['close', 'merge'].includes(String(memberAt(payload, ['object_attributes', 'action'])))) return 'ignored';
  const commit = textAt(payload, 'object_attributes.last_commit.id', commitForm);
  const [project, request] = [idAt(payload, 'project.id'), idAt(payload, 'object_attributes.iid')];
  const check = idAt(payload, 'external_approval_rule.id');
  if (commit === undefined || project === undefined || request === undefined || check === undefined) return 'unreadable';
  const named = caller.projects.find(({ id, check: known }) => id === project && known === check);
  if (!named) return 'foreign';
  const digest = digestBytes(body);
  return {
    ...{ delivery: digest, digest, asked: { environment: named.environment, service: named.service, commit } },
    ...{ place: { project, request, check, commit }, untilMs: nowMs + WAITS_MS },
  };
}

// GitHub's custom deployment protection rule: a job waits before an environment until the rule says yes or no.
import { digestBytes } from '../../kernel/digest.js';
import { idAt, memberAt, parseJson, textAt } from '../../kernel/json-member.js';
import type { GitHubCaller } from '../../pipeline/gate-callers.js';
import { type Call, type Delivery, type NoCall, commitForm, isSignedWith, nameForm, one, toTag } from './call.js';

const OLDEST_MS = 72 * 3_600_000;
const SKEW_MS = 5 * 60_000;
/** As long as a delivery may take, and longer than any system is down that is looked after. The job waits for 30 days. */
const WAITS_MS = 72 * 3_600_000;

/** Pure. The signature is looked at before anything else. */
export function readGitHubCall({ headers, body }: Delivery, caller: GitHubCaller, secret: string, nowMs: number): Call | NoCall {
  const [, given] = /^sha256=([0-9a-f]{64})$/.exec(one(headers['x-hub-signature-256'])) ?? [];
  if (given === undefined) return 'unsigned';
  if (!isSignedWith(given, body, secret)) return 'forged';
  const payload = parseJson(body);
  const isAsked = memberAt(payload, ['action']) === 'requested';
  if (one(headers['x-github-event']) !== 'deployment_protection_rule' || !isAsked) return 'ignored';
  const delivery = one(headers['x-github-delivery']);
  const commit = textAt(payload, 'deployment.sha', commitForm);
  const theirs = textAt(payload, 'environment', /^[^\p{Cc}]{1,255}$/u);
  const [repository, installation] = [idAt(payload, 'repository.id'), idAt(payload, 'installation.id')];
  const atMs = Date.parse(textAt(payload, 'deployment.updated_at', /^\d{4}-\d\d-\d\dT/) ?? '');
  const readable = commit !== undefined && theirs !== undefined && repository !== undefined && installation !== undefined;
  if (!readable || Number.isNaN(atMs) || !/^[\x21-\x7e]{1,100}$/.test(delivery)) return 'unreadable';
  if (nowMs - atMs > OLDEST_MS || atMs - nowMs > SKEW_MS) return 'old';
  const named = caller.repositories.find(({ id }) => id === repository);
  const run = named && runOf(payload, caller.api, named.name);
  const environment = Object.hasOwn(caller.environments, theirs) ? caller.environments[theirs] : theirs;
  if (!named || run === undefined || environment === undefined || !nameForm.test(environment)) return 'foreign';
  const tag = toTag(textAt(payload, 'deployment.ref', /^[\x21-\x7e]{1,200}$/) ?? '');
  return {
    ...(tag === undefined ? {} : { tag }),
    ...{ delivery, digest: digestBytes(body), asked: { environment, service: named.service, commit } },
    ...{ place: { repository, installation, run, environment: theirs }, untilMs: nowMs + WAITS_MS },
  };
}

/**
 * The number of the workflow's run. It stands nowhere but in the address that GitHub wants to be answered at: that address has to be the one that we
 * would have made of it, and is then not used.
 */
function runOf(payload: unknown, api: string, repository: string): number | undefined {
  const address = textAt(payload, 'deployment_callback_url', /^https:\/\/[\x21-\x7e]{1,1000}$/) ?? '';
  const number = /\/actions\/runs\/([1-9]\d{0,15})\/deployment_protection_rule$/.exec(address)?.[1];
  if (number === undefined || address.toLowerCase() !== toGitHubAddress(api, repository, Number(number)).toLowerCase()) return undefined;
  return Number.isSafeInteger(Number(number)) ? Number(number) : undefined;
}

export const toGitHubAddress = (api: string, repository: string, run: number): string =>
  `${api}/repos/${repository}/actions/runs/${run}/deployment_protection_rule`;

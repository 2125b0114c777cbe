// The answer, to whoever asked: the host is the Gate's, the path is made of numbers, and nothing of an address comes from the question. Throws
// CALLBACK_UNDELIVERED for what another try may mend, CALLBACK_REFUSED and other InputErrors for the rest.
import { toUrlPlace } from '../../documents/documents.js';
import { UnavailableError, toError } from '../../kernel/errors.js';
import { parseJson, textAt } from '../../kernel/json-member.js';
import type { GateCallers } from '../../pipeline/gate-callers.js';
import type { HttpAnswer, HttpClient } from '../../systems/http/http.js';
import type { CallbackRow, Verdict } from '../../systems/metadata/metadata.js';
import { signAppToken } from '../../systems/oidc/oidc.js';
import { toWaitMs } from '../notifications/notifications.js';
import type { ReadSecret } from '../references.js';
import { toGitHubAddress } from './github-call.js';

/** Somebody said when to come again. */
export class CallAgain extends UnavailableError {
  constructor(
    name: string,
    readonly afterMs: number,
  ) {
    super('CALLBACK_UNDELIVERED', { name });
  }
}

export interface Telling {
  readonly http: HttpClient;
  readonly nowMs: number;
  readonly read: ReadSecret;
  readonly callers: GateCallers;
  readonly row: Pick<CallbackRow, 'via' | 'place'>;
  readonly verdict: Verdict;
  /** What was lent with the question. */
  readonly token: string | undefined;
}

type Place = Readonly<Record<string, string | number>>;

const ways: Readonly<Record<CallbackRow['via'], (telling: Telling, place: Place) => Promise<void>>> = {
  github: tellGitHub,
  gitlab: tellGitLab,
  azure: tellAzure,
};

export const tell = (telling: Telling): Promise<void> => ways[telling.row.via](telling, telling.row.place as Place);

async function tellGitHub({ http, nowMs, read, callers: { github }, verdict }: Telling, place: Place): Promise<void> {
  const named = github?.repositories.find(({ id }) => id === place['repository']);
  if (!github || !named) throw toError('CALLER_UNKNOWN', { name: 'repository of GitHub' });
  const jwt = await signAppToken(github.app, await secretOf(read, github.key, github.api), nowMs);
  const headers = (token: string): Readonly<Record<string, string>> => ({
    ...{ Accept: 'application/vnd.github+json', 'X-GitHub-Api-Version': '2022-11-28' },
    ...{ Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
  });
  const url = `${github.api}/app/installations/${place['installation']}/access_tokens`;
  const wanted = { repository_ids: [named.id], permissions: { deployments: 'write' } };
  const given = await http.send({ method: 'POST', url, headers: headers(jwt), body: JSON.stringify(wanted), limitBytes: 65_536 });
  requireTaken(given, 'GitHub');
  const token = textAt(parseJson(given.body), 'token', /^[\x21-\x7e]{1,1000}$/);
  if (token === undefined) throw toError('CALLBACK_UNDELIVERED', { name: 'GitHub' });
  const state = verdict.allow ? 'approved' : 'rejected';
  const body = JSON.stringify({ environment_name: place['environment'], state, comment: verdict.comment });
  const address = toGitHubAddress(github.api, named.name, Number(place['run']));
  requireTaken(await http.send({ method: 'POST', url: address, headers: headers(token), body, limitBytes: 65_536 }), 'GitHub');
}

async function tellGitLab({ http, read, callers: { gitlab }, verdict }: Telling, place: Place): Promise<void> {
  const named = gitlab?.projects.find(({ id, check }) => id === place['project'] && check === place['check']);
  if (!gitlab || !named) throw toError('CALLER_UNKNOWN', { name: 'project of GitLab' });
  const headers = { 'PRIVATE-TOKEN': await secretOf(read, gitlab.token, gitlab.api), 'Content-Type': 'application/json' };
  const url = `${gitlab.api}/projects/${named.id}/merge_requests/${place['request']}/status_check_responses`;
  const status = verdict.allow ? 'passed' : 'failed';
  const body = JSON.stringify({ sha: place['commit'], external_status_check_id: named.check, status });
  requireTaken(await http.send({ method: 'POST', url, headers, body, limitBytes: 262_144 }), 'GitLab');
}

async function tellAzure({ http, callers: { azure }, verdict, token }: Telling, place: Place): Promise<void> {
  if (!azure?.projects.includes(String(place['project']))) throw toError('CALLER_UNKNOWN', { name: 'project of Azure DevOps' });
  const path = `${place['project']}/_apis/distributedtask/hubs/${place['hub']}/plans/${place['plan']}/events`;
  const headers = { Authorization: `Bearer ${token ?? ''}`, 'Content-Type': 'application/json' };
  const result = verdict.allow ? 'succeeded' : 'failed';
  const body = JSON.stringify({ name: 'TaskCompleted', taskId: place['task'], jobId: place['job'], result });
  const url = `${azure.organisation}/${path}?api-version=2.0-preview.1`;
  requireTaken(await http.send({ method: 'POST', url, headers, body, limitBytes: 65_536 }), 'Azure DevOps');
}

async function secretOf(read: ReadSecret, reference: string, api: string): Promise<string> {
  const text = (await read(reference, toUrlPlace(api)))?.trim();
  if (!text) throw toError('CONNECTION_REFERENCE_INVALID', { name: reference });
  return text;
}

function requireTaken({ status, headers }: HttpAnswer, name: string): void {
  if (status >= 200 && status < 300) return;
  const wait = toWaitMs(headers['retry-after'], Date.now());
  // GitHub says 403, too, to who comes too often.
  if ((status === 403 || status === 429 || status === 503) && wait !== undefined) throw new CallAgain(name, wait);
  if (status === 408 || status === 425 || status === 429 || status >= 500) throw toError('CALLBACK_UNDELIVERED', { name });
  throw toError('CALLBACK_REFUSED', { name, amount: String(status) });
}

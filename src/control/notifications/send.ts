// One message to one channel. Throws NOTIFICATION_REFUSED or another InputError for what no second try mends, NOTIFICATION_UNDELIVERED for the rest.
import type { Settings } from '../../config/settings.js';
import { SLACK, toUrlPlace } from '../../documents/documents.js';
import { UnavailableError, toError } from '../../kernel/errors.js';
import type { ChannelDefinition } from '../../pipeline/definition.js';
import type { HttpAnswer, HttpClient } from '../../systems/http/http.js';
import { type Message, readSlackAnswer, sendMail, toSignedRequest, toSlack, toSlackPost, toTeams } from '../../systems/notify/notify.js';
import { readReference } from '../home.js';
import type { ReadSecret } from '../references.js';

export interface Sender {
  readonly http: HttpClient;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  /** Default: Slack's. */
  readonly slackPost?: string;
}

/** Somebody said when to come again. */
export class ComeAgain extends UnavailableError {
  constructor(
    name: string,
    readonly afterMs: number,
  ) {
    super('NOTIFICATION_UNDELIVERED', { name });
  }
}

const json = { 'Content-Type': 'application/json; charset=utf-8' };

/** `id` is the same at every try. */
export async function send(sender: Sender, channel: ChannelDefinition, read: ReadSecret, id: string, message: Message): Promise<void> {
  const { slackWebhook, slack, teams, webhook, email } = channel;
  const name = `channel ${channel.name}`;
  const secret = async (reference: string, place?: string): Promise<string> => {
    const text = (await read(reference, place))?.trim();
    if (!text) throw toError('CONNECTION_REFERENCE_INVALID', { name: reference });
    return text;
  };
  const post = async (url: string, headers: Readonly<Record<string, string>>, body: string): Promise<HttpAnswer> => {
    const answer = await sender.http.send({ method: 'POST', url, headers, body, limitBytes: 65_536 });
    requireTaken(answer, name);
    return answer;
  };
  if (slackWebhook) await post(await secret(slackWebhook.url), json, JSON.stringify(toSlack(message)));
  if (teams) await post(await secret(teams.url), json, JSON.stringify(toTeams(message)));
  if (webhook) {
    const { headers, body } = toSignedRequest(id, message, await secret(webhook.secret, toUrlPlace(webhook.url)), Date.now());
    await post(webhook.url, headers, body);
  }
  if (slack) {
    const headers = { ...json, Authorization: `Bearer ${await secret(slack.token, SLACK)}` };
    const url = sender.slackPost ?? 'https://slack.com/api/chat.postMessage';
    const said = readSlackAnswer((await post(url, headers, JSON.stringify(toSlackPost(slack.channel, message)))).body);
    if (said !== 'done') throw toError(said === 'again' ? 'NOTIFICATION_UNDELIVERED' : 'NOTIFICATION_REFUSED', { name });
  }
  if (email) {
    const { BAUTA_SMTP: relay, BAUTA_SMTP_FROM: from } = sender.settings;
    if (relay === '' || from === '') throw toError('SMTP_MISSING');
    await sendMail({ url: readReference(relay, sender.environment), from }, id, email.to, message);
  }
}

function requireTaken({ status, headers }: HttpAnswer, name: string): void {
  if (status >= 200 && status < 300) return;
  const wait = toWaitMs(headers['retry-after'], Date.now());
  if ((status === 429 || status === 503) && wait !== undefined) throw new ComeAgain(name, wait);
  throw toError(status === 408 || status === 425 || status === 429 || status >= 500 ? 'NOTIFICATION_UNDELIVERED' : 'NOTIFICATION_REFUSED', {
    name,
  });
}

const LONGEST_MS = 24 * 3_600_000;

/** RFC 9110: seconds, or a date. */
export function toWaitMs(text: unknown, nowMs: number): number | undefined {
  if (typeof text !== 'string') return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_MS);
}

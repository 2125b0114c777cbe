// Slack: the body of an incoming webhook and of chat.postMessage, and what an answer means.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks · https://docs.slack.dev/reference/methods/chat.postMessage
import type { Json } from '../../kernel/canonical-json.js';
import { type Message, toFacts, toTitle } from './message.js';

/** Slack's three characters; and an @ that calls nobody, wherever somebody turned links of names on. */
export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('@', '@\u200b');
}

/** Blocks of plain text, in which nothing is markup; `text` is what a notification shows. */
export function toSlack(message: Message): Readonly<Record<string, Json>> {
  const plain = (text: string): Json => ({ type: 'plain_text', text: escapeSlack(text).slice(0, 2000), emoji: false });
  const facts = toFacts(message);
  return {
    text: escapeSlack([toTitle(message), ...facts.map(([name, value]) => `${name}: ${value}`)].join('\n')),
    blocks: [
      { type: 'section', text: plain(toTitle(message)) },
      // A section has ten fields at most.
      { type: 'section', fields: facts.slice(0, 10).map(([name, value]) => plain(`${name}: ${value}`)) },
    ],
  };
}

export function toSlackPost(channel: string, message: Message): Readonly<Record<string, Json>> {
  return { channel, ...toSlack(message), parse: 'none', link_names: false, mrkdwn: false, unfurl_links: false, unfurl_media: false };
}

const passing = new Set([
  'ratelimited',
  'rate_limited',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

/** chat.postMessage answers 200 to everything, and says in the body whether it was done. */
export function readSlackAnswer(body: Buffer): 'done' | 'again' | 'refused' {
  try {
    const { ok, error } = JSON.parse(body.toString('utf8')) as { ok?: unknown; error?: unknown };
    if (ok === true) return 'done';
    return typeof error === 'string' && passing.has(error) ? 'again' : 'refused';
  } catch {
    return 'again';
  }
}

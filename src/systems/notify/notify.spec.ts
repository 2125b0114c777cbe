// What is sent, held against what the vendors document, and against names that strangers chose.
import { expect, it } from '@jest/globals';
import fc from 'fast-check';

import { startMailServer } from '../../../test/support/mail-server.js';
import { channelEvents } from '../../documents/documents.js';
import { type Message, noticeEvents, readSlackAnswer, sendMail, toSignedRequest, toSlack, toSlackPost, toTeams } from './notify.js';
import { toSignature } from './signed-webhook.js';

const message: Message = {
  ...{ event: 'run-failed', at: '2026-11-21T08:30:00.000Z', workspace: 'default' },
  ...{ pipeline: 'shop', environment: 'dev', run: '0123456789abcdef', code: 'CONNECTION_UNREACHABLE' },
};
const nasty =
  '<!channel> <@U123|x> @here & <https://evil.example|click> *b* _i_ [a](https://evil.example) <at>all</at>\r\nBcc: x@evil.example';

it('a document may ask for every event there is, and for no other', () => expect([...channelEvents]).toEqual([...noticeEvents]));

it('Slack gets a text and blocks within its limits, in which nobody is called and nothing is a link', () => {
  const sent = toSlack({ ...message, pipeline: nasty, environment: 'x'.repeat(5000) }) as {
    text: string;
    blocks: { type: string; text?: Block; fields?: Block[] }[];
  };
  type Block = { type: string; text: string; emoji: boolean };
  expect(Object.keys(sent)).toEqual(['text', 'blocks']);
  expect(sent.blocks.map(({ type }) => type)).toEqual(['section', 'section']);
  const texts = sent.blocks.flatMap(({ text, fields = [] }) => [...(text ? [text] : []), ...fields]);
  for (const { type, text } of texts) expect([type, text.length <= 2000]).toEqual(['plain_text', true]);
  expect(sent.blocks[1]?.fields?.length).toBeLessThanOrEqual(10);
  for (const text of [sent.text, ...texts.map((one) => one.text)]) expect(text).not.toMatch(/[<>]|@(?!\u200b)|&(?!(amp|lt|gt);)/);
  expect(toSlack(message)).toMatchObject({ text: expect.stringContaining('A run failed\nPipeline: shop\nEnvironment: dev') });
  expect(toSlackPost('C0123', message)).toMatchObject({
    channel: 'C0123',
    parse: 'none',
    link_names: false,
    unfurl_links: false,
    mrkdwn: false,
  });
});

it('a dataset that drifted or expires looks to each of them as a run does, with what changed and until when', () => {
  const dataset: Message = {
    ...{ event: 'dataset-drifted', at: message.at, workspace: 'default', pipeline: 'shop', environment: 'dev', run: '0123456789abcdef' },
    ...{ changed: ['source schema', `Classification ${nasty}`], expiresAt: '2026-12-01T00:00:00.000Z' },
  };
  const { text, blocks } = toSlack(dataset) as { text: string; blocks: { fields?: unknown[] }[] };
  expect(text).toContain('A dataset is not what a run would make today\nPipeline: shop\nEnvironment: dev');
  expect(text).toContain('Changed: source schema, Classification &lt;!channel&gt;');
  expect(text).toContain('Expires: 2026-12-01T00:00:00.000Z');
  expect([blocks[1]?.fields?.length, /<|@(?!\u200b)/.test(text)]).toEqual([7, false]);
  const [{ content }] = (toTeams(dataset) as unknown as { attachments: [{ content: { body: { inlines?: { text: string }[] }[] } }] })
    .attachments;
  expect(content.body.flatMap(({ inlines = [] }) => inlines.map((one) => one.text))).toEqual(
    expect.arrayContaining(['Changed: ', `source schema, Classification ${nasty}`, 'Expires: ', '2026-12-01T00:00:00.000Z']),
  );
  const { event: type, at: timestamp, ...data } = dataset;
  expect(JSON.parse(toSignedRequest('id-1', dataset, 'a key', 0).body)).toEqual({ type, timestamp, data });
});

it.each([
  ['{"ok":true,"ts":"1.2"}', 'done'],
  ['{"ok":false,"error":"channel_not_found"}', 'refused'],
  ['{"ok":false,"error":"invalid_auth"}', 'refused'],
  ['{"ok":false,"error":"ratelimited"}', 'again'],
  ['{"ok":false,"error":"internal_error"}', 'again'],
  ['<html>', 'again'],
  ['{"ok":"true"}', 'refused'],
])('what Slack answers, %s, means %s', (body, meaning) => expect(readSlackAnswer(Buffer.from(body))).toBe(meaning));

it('Teams gets a message with one Adaptive Card, whose names stand where there is no Markdown, and which mentions nobody', () => {
  const sent = toTeams({ ...message, pipeline: nasty }) as {
    type: string;
    attachments: { contentType: string; contentUrl: null; content: Record<string, unknown> }[];
  };
  expect([sent.type, sent.attachments.length]).toEqual(['message', 1]);
  const [{ contentType, contentUrl, content }] = sent.attachments as [(typeof sent.attachments)[0]];
  expect([contentType, contentUrl]).toEqual(['application/vnd.microsoft.card.adaptive', null]);
  expect(content).toMatchObject({ $schema: 'http://adaptivecards.io/schemas/adaptive-card.json', type: 'AdaptiveCard', version: '1.4' });
  expect(content['msteams']).toBeUndefined();
  const [title, ...lines] = content['body'] as { type: string; text?: string; inlines?: { type: string; text: string }[] }[];
  expect(title).toMatchObject({ type: 'TextBlock', text: 'A run failed' });
  expect(new Set(lines.flatMap(({ type, inlines = [] }) => [type, ...inlines.map((one) => one.type)]))).toEqual(
    new Set(['RichTextBlock', 'TextRun']),
  );
  expect(lines[0]?.inlines).toMatchObject([{ text: 'Pipeline: ' }, { text: nasty }]);
});

it('a webhook is signed as Standard Webhooks publishes it', () => {
  const secret = 'whsec_plJ3nmyCDGBKInavdOK15jsl';
  expect(toSignature('msg_loFOjxBNrRLzqYUf', '1731705121', '{"event_type":"ping","data":{"success":true}}', secret)).toBe(
    'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
  );
  const { headers, body } = toSignedRequest('id-1', message, 'a key', 1_731_705_121_999);
  expect(headers).toMatchObject({ 'webhook-id': 'id-1', 'webhook-timestamp': '1731705121' });
  expect(headers['webhook-signature']).toBe(toSignature('id-1', '1731705121', body, 'a key'));
  expect(JSON.parse(body)).toEqual({
    ...{ type: 'run-failed', timestamp: message.at },
    data: { workspace: 'default', pipeline: 'shop', environment: 'dev', run: message.run, code: 'CONNECTION_UNREACHABLE' },
  });
  fc.assert(
    fc.property(
      fc.string(),
      (other) => other === body || toSignature('id-1', '1731705121', other, 'a key') !== headers['webhook-signature'],
    ),
  );
});

it('e-mail is one message in plain text, to exactly the addresses of the channel', async () => {
  const server = await startMailServer();
  try {
    const relay = { url: `smtp://127.0.0.1:${server.port}`, from: 'bauta@example.com' };
    await sendMail(relay, 'id-1', ['ops@example.com', 'dev@example.com'], { ...message, pipeline: nasty });
    expect(server.messages).toMatchObject([{ from: 'bauta@example.com', to: ['ops@example.com', 'dev@example.com'] }]);
    const [head = ''] = (server.messages[0]?.text ?? '').split('\n\n');
    expect(head).toContain('Message-ID: <id-1@bauta.invalid>');
    expect(head).toContain('Auto-Submitted: auto-generated');
    expect(head).not.toMatch(/^Bcc:/im);
    server.answers['RCPT'] = '550 no such user, said of canary@example.com';
    await expect(sendMail(relay, 'id-2', ['gone@example.com'], message)).rejects.toMatchObject({ code: 'NOTIFICATION_REFUSED' });
    server.answers['RCPT'] = '451 try again later';
    await expect(sendMail(relay, 'id-3', ['ops@example.com'], message)).rejects.toMatchObject({ code: 'NOTIFICATION_UNDELIVERED' });
    // Elsewhere than on this machine: no TLS, no message.
    server.answers['RCPT'] = '250 fine';
    const elsewhere = { ...relay, url: `smtp://0.0.0.0:${server.port}` };
    await expect(sendMail(elsewhere, 'id-4', ['ops@example.com'], message)).rejects.toMatchObject({ code: 'NOTIFICATION_UNDELIVERED' });
    expect(server.messages).toHaveLength(1);
  } finally {
    await server.stop();
  }
});

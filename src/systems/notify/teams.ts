// Microsoft Teams, a Workflows webhook ("When a Teams webhook request is received"): a message with one Adaptive Card.
// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using · https://adaptivecards.io/explorer/RichTextBlock.html
import type { Json } from '../../kernel/canonical-json.js';
import { type Message, toFacts, toTitle } from './message.js';

/** Names stand in text runs, which have no Markdown; a mention would take `msteams.entities`, and there are none. */
export function toTeams(message: Message): Readonly<Record<string, Json>> {
  const line = ([name, value]: readonly [string, string]): Json => ({
    type: 'RichTextBlock',
    inlines: [
      { type: 'TextRun', text: `${name}: `, weight: 'Bolder' },
      { type: 'TextRun', text: value },
    ],
  });
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [{ type: 'TextBlock', text: toTitle(message), size: 'Medium', weight: 'Bolder', wrap: true }, ...toFacts(message).map(line)],
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }] };
}

// An answer for people who look at it in another system: Markdown, as short as that system wants it.
import type { Answer } from './to-answer.js';

/** Whole lines; those that do not fit are counted. */
export function toComment(gate: string, answer: Answer, limit: number): string {
  const { allow, enforced, score, threshold, reasons, missing, decisionId } = answer;
  const word = allow ? (enforced === false ? 'allow (the gate only advises)' : 'allow') : 'deny';
  const head = [`**${word}** by gate \`${gate}\`: score ${score} of ${threshold}`, ''];
  const foot = ['', `Decision ${decisionId}`];
  const lines = [
    ...reasons.map(({ code, message, hint }) => `- \`${code}\` ${plain(message)} (${plain(hint)})`),
    ...(missing.length === 0 ? [] : [`- missing: ${missing.map(plain).join(', ')}`]),
  ];
  for (let kept = lines.length; kept >= 0; kept -= 1) {
    const left = lines.length - kept;
    const text = [...head, ...lines.slice(0, kept), ...(left === 0 ? [] : [`- and ${left} more`]), ...foot].join('\n');
    if (text.length <= limit) return text;
  }
  return `**${word}**`;
}

/** Names in it may be those of tools and rules: nothing of them is a link, a mention or HTML. */
const plain = (text: string): string => text.replaceAll(/[^\P{Cc}]|[<>@[\]`*_|\\]/gu, ' ');

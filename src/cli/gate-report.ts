// The answer of a gate for people and for the tools that read a pipeline: text, JUnit XML, SARIF 2.1.0, Markdown.
import { toCheckedReport } from './check-report.js';
import type { GateAnswer } from './gate-answer.js';
import { paint, stripControls, toReasonsText, toTable } from './print.js';

export type GateReportFormat = 'text' | 'junit' | 'sarif' | 'markdown';

export function toGateReport(format: GateReportFormat, gate: string, answer: GateAnswer): string {
  if (format === 'text') return toText(gate, answer);
  if (format === 'markdown') return toMarkdown(gate, answer);
  const findings = answer.reasons.map(({ code, message, hint }) => ({
    ...{ code, message, hint, where: {} },
    // What is not enforced stops nothing, and is said all the same.
    severity: answer.allow ? ('warning' as const) : ('error' as const),
  }));
  return toCheckedReport(format, findings, {
    suite: 'gate',
    toName: ({ code, message }) => `${code} ${message}`,
    passed: [`the gate ${gate}`],
  });
}

const words = ({ allow, enforced, breakglass }: GateAnswer): string =>
  breakglass ? 'ALLOW BY BREAK-GLASS' : enforced === false ? 'allow, not enforced' : allow ? 'allow' : 'deny';

const scoreOf = ({ decisionId, score, threshold }: GateAnswer): string =>
  decisionId === null ? 'which could not be asked' : `score ${score} of ${threshold} wanted`;

function toEnd({ decisionId, policy, expiresAt, breakglass, kept }: GateAnswer): string {
  const glass = breakglass
    ? `break-glass ${breakglass.id}, used ${breakglass.offline ? 'offline, to be handed in' : 'and told to the service'}; review it within 5 days`
    : '';
  const decided = decisionId === null ? '' : `decision ${decisionId}, policy ${policy.revision}, good until ${expiresAt}`;
  const before = kept === true ? 'the metadata database of the service is away: this was decided before, and is still good' : '';
  return [glass, before, decided].filter((line) => line !== '').join('\n');
}

function toText(gate: string, answer: GateAnswer): string {
  const { allow, enforced, reasons, items, waived } = answer;
  const colour = enforced === false ? 33 : allow ? 32 : 31;
  const lines = [
    `${paint(words(answer), colour, process.stdout)}: ${stripControls(gate)}, ${scoreOf(answer)}`,
    toTable(items.map(({ code, points, earned }) => [stripControls(code), `${earned} of ${points}`])),
    ...(reasons.length > 0 ? [toReasonsText(reasons)] : []),
    ...waived.map(({ evidenceId, findings, until }) => `  waived  ${findings} of ${evidenceId}, until ${until ?? 'nobody knows'}`),
    toEnd(answer),
  ];
  return `${stripControls(lines.filter((line) => line !== '').join('\n'), '\n\u001b')}\n`;
}

function toMarkdown(gate: string, answer: GateAnswer): string {
  const { reasons, items, waived } = answer;
  const lines = [
    `## ${cell(words(answer))}: ${cell(gate)}`,
    '',
    cell(`${scoreOf(answer)}. ${toEnd(answer).replaceAll('\n', '. ')}.`),
    '',
    ...[
      '| item | earned | points |',
      '| --- | --- | --- |',
      ...items.map((one) => `| ${cell(one.code)} | ${one.earned} | ${one.points} |`),
    ],
    ...(reasons.length === 0 ? [] : ['', '| reason | what | what to do |', '| --- | --- | --- |']),
    ...reasons.map(({ code, message, hint }) => `| ${cell(code)} | ${cell(message)} | ${cell(hint)} |`),
    ...(waived.length === 0 ? [] : ['', '| waived in | findings | until |', '| --- | --- | --- |']),
    ...waived.map(({ evidenceId, findings, until }) => `| ${cell(evidenceId)} | ${findings} | ${cell(until ?? '')} |`),
  ];
  return `${lines.join('\n')}\n`;
}

/** No text of the answer can end a cell, or be a link, an image or HTML. */
const cell = (text: string): string => stripControls(text).replace(/[\\`*_[\]()<>|!#&~]/g, (sign) => `\\${sign}`);

// The findings of a check for people and for the tools that read a pull request: text, JUnit XML, SARIF 2.1.0, GitHub annotations.
import type { CheckedFinding } from '../pipeline/classify/classify.js';
import { stripControls } from './print.js';

export type ReportFormat = 'text' | 'junit' | 'sarif' | 'github';

export function toReport(format: ReportFormat, findings: readonly CheckedFinding[]): string {
  switch (format) {
    case 'text':
      return toText(findings);
    case 'junit':
      return toJunit(findings);
    case 'sarif':
      return toSarif(findings);
    case 'github':
      return toGithub(findings);
  }
}

function toText(findings: readonly CheckedFinding[]): string {
  return findings
    .map(({ severity, code, message, hint, where: { file, line } }) => {
      const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
      return `${stripControls(`${place}${severity} ${code}: ${message}`)}\n    ${stripControls(hint)}\n`;
    })
    .join('');
}

/** Names may hold anything, also what XML cannot say at all. */
function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return stripControls(text)
    .toWellFormed()
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (char) => entities[char] ?? '');
}

function toJunit(findings: readonly CheckedFinding[]): string {
  const failures = findings.filter(({ severity }) => severity === 'error').length;
  const cases = findings.map(({ severity, code, message, hint, where }) => {
    const name = [where.schema, where.table, where.column].filter((part) => part !== undefined).join('.') || code;
    const place = where.file === undefined ? '' : ` file="${escapeXml(where.file)}" line="${where.line ?? 1}"`;
    const body = `${escapeXml(`${where.file ?? ''}:${where.line ?? 1} ${message}. ${hint}`)}`;
    const inside =
      severity === 'error'
        ? `<failure type="${escapeXml(code)}" message="${escapeXml(message)}">${body}</failure>`
        : `<system-out>${body}</system-out>`;
    return `    <testcase classname="bauta.classify" name="${escapeXml(`${name} ${code}`)}"${place}>${inside}</testcase>`;
  });
  // A report without any case is taken for a run that did not happen.
  const all = cases.length > 0 ? cases : ['    <testcase classname="bauta.classify" name="every column is tagged or kept"/>'];
  const counts = `tests="${all.length}" failures="${failures}" errors="0"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bauta classify" ${counts}>\n  <testsuite name="bauta classify" ${counts} skipped="0">\n${all.join('\n')}\n  </testsuite>\n</testsuites>\n`;
}

function toSarif(findings: readonly CheckedFinding[]): string {
  const rules = [...new Set(findings.map(({ code }) => code))].sort();
  const results = findings.map(({ severity, code, message, hint, where, suggestion }) => ({
    ruleId: code,
    ruleIndex: rules.indexOf(code),
    level: severity,
    message: { text: `${stripControls(message)}. ${stripControls(hint)}` },
    ...(where.file === undefined
      ? {}
      : {
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: where.file.split('/').map(encodeURIComponent).join('/') },
                region: { startLine: where.line ?? 1 },
              },
              logicalLocations: [
                {
                  fullyQualifiedName: [where.schema, where.table, where.column].filter((part) => part !== undefined).join('.'),
                  kind: 'member',
                },
              ],
            },
          ],
        }),
    // The column and not the line: the same finding after the document grew.
    partialFingerprints: { 'bautaColumn/v1': [code, where.schema, where.table, where.column].join('/') },
    ...(suggestion ? { properties: { suggestedTag: suggestion.tag, rule: suggestion.rule, confidence: suggestion.confidence } } : {}),
  }));
  const driver = {
    name: 'bauta',
    rules: rules.map((id) => ({
      id,
      shortDescription: { text: id.toLowerCase().replaceAll('_', ' ') },
      defaultConfiguration: { level: 'error' },
    })),
  };
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  };
  return `${JSON.stringify(log, undefined, 2)}\n`;
}

/** https://docs.github.com/actions/reference/workflow-commands-for-github-actions: data and properties are escaped differently. */
function toGithub(findings: readonly CheckedFinding[]): string {
  const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return findings
    .map(({ severity, code, message, hint, where: { file, line } }) => {
      const place = file === undefined ? '' : `file=${property(stripControls(file))},line=${line ?? 1},`;
      return `::${severity} ${place}title=${property(code)}::${data(stripControls(`${message}. ${hint}`))}\n`;
    })
    .join('');
}

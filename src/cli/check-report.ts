// The findings of a check for people and for the tools that read a pull request: text, JUnit XML, SARIF 2.1.0, GitHub annotations.
import type { CheckResult } from '../pipeline/check.js';
import type { CheckedFinding } from '../pipeline/classify/classify.js';
import { stripControls } from './print.js';

export type ReportFormat = 'text' | 'junit' | 'sarif' | 'github';

/** Of `bauta check`: each check is a case. */
export type CheckReportFormat = 'junit' | 'sarif';

/** A finding, whoever's code it has. */
export type Reported = Omit<CheckedFinding, 'code'> & { readonly code: string };

/** What a report is of. */
export interface Subject {
  readonly suite: string;
  /** What a case is called; the same finding has the same name when the document grew. */
  readonly toName: (finding: Reported) => string;
  /** Cases without a finding. */
  readonly passed: readonly string[];
}

const toPlaceName = ({ schema, table, column }: CheckedFinding['where']): string =>
  [schema, table, column].filter((part) => part !== undefined).join('.');

const classified: Subject = {
  suite: 'classify',
  toName: ({ code, where }) => `${toPlaceName(where) || code} ${code}`,
  // A report without any case is taken for a run that did not happen.
  passed: ['every column is tagged or kept'],
};

export function toCheckReport(format: CheckReportFormat, results: readonly CheckResult[], findings: readonly CheckedFinding[]): string {
  const toName = ({ name, kind }: Pick<CheckResult, 'name' | 'kind'>): string => `${name} (${kind})`;
  const passed = results.filter(({ outcome }) => outcome === 'pass').map(toName);
  const about: Subject = {
    suite: 'check',
    toName: ({ where }) => toName({ name: where.rule ?? '', kind: where.name as CheckResult['kind'] }),
    passed: results.length === 0 ? ['the pipeline has no checks'] : passed,
  };
  return format === 'junit' ? toJunit(findings, about) : toSarif(findings, (finding) => about.toName(finding));
}

/** The same of anything else that is a list of findings. */
export function toCheckedReport(format: CheckReportFormat, findings: readonly Reported[], about: Subject): string {
  return format === 'junit'
    ? toJunit(findings, { ...about, passed: findings.length > 0 ? [] : about.passed })
    : toSarif(findings, about.toName);
}

export function toReport(format: ReportFormat, findings: readonly CheckedFinding[]): string {
  switch (format) {
    case 'text':
      return toText(findings);
    case 'junit':
      return toJunit(findings, { ...classified, passed: findings.length > 0 ? [] : classified.passed });
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

function toJunit(findings: readonly Reported[], { suite, toName, passed }: Subject): string {
  // What could not be made is an error of JUnit, and no failure.
  const isNotRun = ({ code }: Reported): boolean => code === 'CHECK_NOT_RUN';
  const errors = findings.filter(isNotRun).length;
  const failures = findings.filter(({ severity }) => severity === 'error').length - errors;
  const cases = findings.map((finding) => {
    const { severity, code, message, hint, where } = finding;
    const element = isNotRun(finding) ? 'error' : 'failure';
    const place = where.file === undefined ? '' : ` file="${escapeXml(where.file)}" line="${where.line ?? 1}"`;
    const body = `${escapeXml(`${where.file ?? ''}:${where.line ?? 1} ${message}. ${hint}`)}`;
    const inside =
      severity === 'error'
        ? `<${element} type="${escapeXml(code)}" message="${escapeXml(message)}">${body}</${element}>`
        : `<system-out>${body}</system-out>`;
    return `    <testcase classname="bauta.${suite}" name="${escapeXml(toName(finding))}"${place}>${inside}</testcase>`;
  });
  const all = [...cases, ...passed.map((name) => `    <testcase classname="bauta.${suite}" name="${escapeXml(name)}"/>`)];
  const counts = `tests="${all.length}" failures="${failures}" errors="${errors}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bauta ${suite}" ${counts}>\n  <testsuite name="bauta ${suite}" ${counts} skipped="0">\n${all.join('\n')}\n  </testsuite>\n</testsuites>\n`;
}

/** `toSubject`: what tells two findings of one code and place apart. */
function toSarif(findings: readonly Reported[], toSubject?: (finding: Reported) => string): string {
  const rules = [...new Set(findings.map(({ code }) => code))].sort();
  const results = findings
    .map((finding) => ({ finding, ...finding }))
    .map(({ finding, severity, code, message, hint, where, suggestion }) => ({
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
                    fullyQualifiedName: toPlaceName(where) || code,
                    kind: 'member',
                  },
                ],
              },
            ],
          }),
      // The column and not the line: the same finding after the document grew.
      partialFingerprints: toSubject
        ? { 'bautaCheck/v1': [code, toSubject(finding)].join('/') }
        : { 'bautaColumn/v1': [code, where.schema, where.table, where.column].join('/') },
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

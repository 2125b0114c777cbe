// SARIF 2.1.0 (OASIS). A result takes its level from itself, else from its rule, else it is a warning (3.27.10, 3.50); GitHub's
// `security-severity` of a rule is a CVSS score and goes before the level.
import type { Format } from './format.js';
import { type Members, toInstant, toList, toMembers, toNumber, toText } from './member.js';
import type { FoundBy, Severity } from './scan.js';
import { scoreToSeverity, toSeverity } from './severity.js';

interface Waiting extends Omit<FoundBy, 'severity'> {
  readonly level: string | null;
  readonly run: number;
  readonly ruleIndex: number | null;
}

interface Rules {
  readonly byId: Map<string, Severity>;
  readonly inOrder: Severity[];
}

export const sarif: Format = (scanning) => {
  const runs = new Map<number, Rules>();
  const waiting: Waiting[] = [];
  const successes: boolean[] = [];
  const rulesOf = (run: number): Rules => {
    const known = runs.get(run) ?? { byId: new Map<string, Severity>(), inOrder: [] };
    runs.set(run, known);
    return known;
  };
  const takeTool = (run: number, driver: Members): void => {
    scanning.tool = { name: toText(driver['name']) ?? 'unknown', version: toText(driver['semanticVersion']) ?? toText(driver['version']) };
    const rules = rulesOf(run);
    for (const rule of toList(driver['rules'])) {
      const severity = ruleToSeverity(toMembers(rule));
      rules.inOrder.push(severity);
      rules.byId.set(toText(toMembers(rule)['id']) ?? '', severity);
    }
  };
  return {
    paths: ['$.runs.*.tool', '$.runs.*.results.*', '$.runs.*.invocations.*', '$.runs.*.versionControlProvenance.*', '$.runs.*.artifacts.*'],
    take(value, [, run, part]) {
      const members = toMembers(value);
      if (part === 'tool') takeTool(run as number, toMembers(members['driver']));
      else if (part === 'artifacts') scanning.addTargets(1);
      else if (part === 'invocations') {
        successes.push(members['executionSuccessful'] !== false);
        scanning.madeAt ??= toInstant(members['endTimeUtc']) ?? toInstant(members['startTimeUtc']);
        scanning.errors += toList(members['toolExecutionNotifications']).filter((one) => toMembers(one)['level'] === 'error').length;
      } else if (part === 'versionControlProvenance')
        scanning.addSubject({ kind: 'repository', name: toText(members['repositoryUri']), revision: toText(members['revisionId']) });
      else if (members['kind'] === undefined || members['kind'] === 'fail') waiting.push(toWaiting(members, run as number));
    },
    end() {
      const rules = [...runs.values()].reduce((sum, { inOrder }) => sum + inOrder.length, 0);
      // A tool may list only the rules that found something, or none: what found something ran.
      scanning.addRules(Math.max(rules, new Set(waiting.map(({ rule }) => rule)).size));
      // No list of artifacts says nothing about how many there were.
      if (scanning.targets === 0) scanning.targets = null;
      if (successes.includes(false)) scanning.missing = 'failed';
      for (const { level, run, ruleIndex, ...found } of waiting) {
        const known = rulesOf(run);
        const severity = (ruleIndex === null ? undefined : known.inOrder[ruleIndex]) ?? known.byId.get(found.rule);
        scanning.add({ ...found, severity: chooseSeverity(level, severity) });
      }
    },
  };
};

function chooseSeverity(level: string | null, ofRule: Severity | undefined): Severity {
  // What a score says is finer than a level; where both are words the result knows better than its rule.
  if (ofRule === 'critical' || level === null) return ofRule ?? toSeverity('warning');
  return toSeverity(level);
}

function ruleToSeverity(rule: Members): Severity {
  const score = Number(toMembers(rule['properties'])['security-severity'] ?? Number.NaN);
  if (!Number.isNaN(score)) return scoreToSeverity(score);
  return toSeverity(toText(toMembers(rule['defaultConfiguration'])['level']) ?? 'warning');
}

function toWaiting(result: Members, run: number): Waiting {
  const reference = toMembers(result['rule']);
  const rule = toText(result['ruleId']) ?? toText(reference['id']) ?? 'unknown';
  const physical = toMembers(toMembers(toList(result['locations'])[0])['physicalLocation']);
  const file = toText(toMembers(physical['artifactLocation'])['uri']) ?? '';
  const line = toNumber(toMembers(physical['region'])['startLine']);
  // An empty list says that somebody looked and suppressed nothing (3.27.23); a suppression may still be under review or rejected (3.35.3).
  const suppressed = toList(result['suppressions']).some((one) => [undefined, 'accepted'].includes(toMembers(one)['status'] as string));
  return {
    rule,
    place: line === null ? file : `${file}:${line}`,
    lasting: file,
    fixable: toList(result['fixes']).length > 0,
    suppressed,
    level: toText(result['level']),
    run,
    ruleIndex: toNumber(result['ruleIndex']) ?? toNumber(reference['index']),
  };
}

// What a form cannot say of when something is due: a cron expression that means something, a zone that there is, a day of the calendar, an event
// of which it can be told how old it is.
import { parseCron } from '../kernel/cron.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import { isTimeZone } from '../kernel/zone.js';
import { gitHubEvents } from '../kernel/github-events.js';
import type { Definition } from '../pipeline/definition.js';
import { toLine } from './validate.js';
import type { Tree } from './yaml-tree.js';

export function findDueProblems(definition: Definition, tree: Tree, file: string): readonly Finding[] {
  if (definition.kind === 'Trigger') {
    const hook = 'webhook' in definition.on ? definition.on.webhook : undefined;
    if (definition.playbook !== undefined && !hook) return [refuse('playbook', 'it with on.webhook only')];
    if (hook?.form === 'hmac' && (hook.events ?? hook.branches)) return [refuse('on/webhook', 'form and secret')];
    const known = Object.keys(gitHubEvents);
    const unknown = hook?.form === 'github' && hook.events?.some((event) => !known.includes(event));
    return unknown ? [refuse('on/webhook/events', known.join(', '))] : [];
  }
  if (definition.kind === 'Watch') {
    const { hours } = definition;
    if (hours && !isTimeZone(hours.timeZone)) return [refuse('hours/timeZone', 'a time zone such as Europe/Berlin')];
    return hours && hours.from >= hours.until ? [refuse('hours/until', 'a time after from, 24:00 at most')] : [];
  }
  if (definition.kind !== 'Schedule') return [];
  const { cron, timeZone, startDate, when, catchUp } = definition;
  const { expected } = parseCron(cron);
  return [
    ...(expected === undefined ? [] : [refuse('cron', expected)]),
    ...(isTimeZone(timeZone) ? [] : [refuse('timeZone', 'a time zone such as Europe/Berlin')]),
    // There is one source to look at, and it is what it is now.
    ...(when === 'schema-changed' && catchUp ? [refuse('catchUp', 'false, with when: schema-changed')] : []),
    ...(startDate === undefined || isDay(startDate) ? [] : [refuse('startDate', 'a day of the calendar as YYYY-MM-DD')]),
  ];

  function refuse(path: string, wanted: string): Finding {
    return toFinding('DOCUMENT_VALUE_INVALID', { file, line: toLine(tree.lines, `/${path}`), path, expected: wanted });
  }
}

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

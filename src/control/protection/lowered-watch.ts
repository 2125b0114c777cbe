// What a changed Watch lets pass that it told of, and what a changed Playbook does no more about an incident. Against what holds without a document, too.
import { type Playbook, shippedPlaybooks } from '../../pipeline/playbook.js';
import { type Watch, defaultWatches } from '../../pipeline/watch.js';
import { toWatch } from '../watches/watches.js';
import type { Lowered } from './compare.js';
import type { Of } from './document-set.js';

export function findLoweredWatch(was: Of<'Watch'> | undefined, is: Of<'Watch'> | undefined): readonly Lowered[] {
  if (!is) return [];
  const [before, after] = [was ? toWatch(was) : defaultWatches[is.name], toWatch(is)];
  const say = (name: string, of: (watch: Watch) => string): Lowered => ({
    ...{ what: 'watch-lowered', document: `Watch ${is.name}`, column: null, table: null, tag: null },
    ...{ before: `${name}: ${of(before)}`, after: `${name}: ${of(after)}` },
  });
  const hours = ({ hours: { timeZone, days, from, until } }: Watch): string => `${days.join(' ')} ${from}–${until} ${timeZone}`;
  return [
    ...(before.on && !after.on ? [say('watched', ({ on }) => (on ? 'yes' : 'no'))] : []),
    ...(after.sigmas > before.sigmas ? [say('sigmas', ({ sigmas }) => String(sigmas))] : []),
    ...(after.atLeast > before.atLeast ? [say('atLeast', ({ atLeast }) => String(atLeast))] : []),
    ...(after.graceMinutes > before.graceMinutes ? [say('graceMinutes', ({ graceMinutes }) => String(graceMinutes))] : []),
    // Other hours let something pass that was told, whatever else they add.
    ...(hours(after) === hours(before) ? [] : [say('hours', hours)]),
    ...(before.playbook !== undefined && after.playbook !== before.playbook ? [say('playbook', ({ playbook }) => playbook ?? 'none')] : []),
  ];
}

export function findLoweredPlaybook(was: Of<'Playbook'> | undefined, is: Of<'Playbook'> | undefined): readonly Lowered[] {
  const before: Playbook | undefined = is && (was ?? shippedPlaybooks[is.name]);
  if (!is || !before) return [];
  const gone = before.steps
    .filter((step) => !is.steps.includes(step))
    .map((step): readonly [string, string] => [`step: ${step}`, 'no such step']);
  const shorter: readonly (readonly [string, string])[] =
    is.evidenceHours < before.evidenceHours ? [[`evidenceHours: ${before.evidenceHours}`, `evidenceHours: ${is.evidenceHours}`]] : [];
  return [...gone, ...shorter].map(([from, to]) => ({
    ...{ what: 'playbook-lowered', document: `Playbook ${is.name}`, column: null, table: null, tag: null, before: from, after: to },
  }));
}

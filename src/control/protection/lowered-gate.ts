// What a changed Gate asks for less than before: whoever may weaken it alone could let anything through.
import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import type { EvidenceRequirement, GateDefinition } from '../../pipeline/definition.js';
import { gateCallers } from '../../pipeline/gate-callers.js';
import { type PrivacyLimits, privacyLimits } from '../../pipeline/privacy.js';
import type { Lowered } from './compare.js';

/** A gate that is new asks for less than none: whoever may make one alone could ask the one that he made. */
export function findLoweredGate(was: GateDefinition | undefined, is: GateDefinition | undefined): readonly Lowered[] {
  if (!is) return [];
  const document = `Gate ${is.name}`;
  if (!was) {
    const after = `threshold: ${is.threshold}, for ${is.environments.join(', ')}`;
    return [{ what: 'gate-added', document, column: null, table: null, tag: null, before: null, after }];
  }
  const found = [
    ...(is.threshold < was.threshold ? [pair('threshold', was.threshold, is.threshold)] : []),
    ...((is.advise?.until ?? '') > (was.advise?.until ?? '')
      ? [pair('advise until', was.advise?.until ?? 'enforced', is.advise?.until)]
      : []),
    ...gone('environments', was.environments, is.environments),
    ...gone('services', was.services, is.services),
    ...gone('revokeOn', was.parameters.revokeOn, is.parameters.revokeOn),
    ...(was.dataset.required && !is.dataset.required ? [pair('dataset', 'required', 'not required')] : []),
    ...Object.entries(privacyLimits).flatMap(([name, way]) => {
      const [old, now] = [was.dataset.privacy?.[name as keyof PrivacyLimits], is.dataset.privacy?.[name as keyof PrivacyLimits]];
      const lower = old !== undefined && (now === undefined || (way === 'most' ? now > old : now < old));
      return lower ? [pair(`dataset privacy ${name}`, old, now ?? 'none')] : [];
    }),
    ...longer('dataset maxAge', was.dataset.maxAgeMs, is.dataset.maxAgeMs),
    ...longer('validFor', was.validForMs, is.validForMs),
    ...longer('driftMaxAge', was.parameters.driftMaxAgeMs, is.parameters.driftMaxAgeMs),
    ...longer('databaseMaxAge', was.parameters.databaseMaxAgeMs, is.parameters.databaseMaxAgeMs),
    ...longer('logLagSeconds', was.parameters.logLagSeconds, is.parameters.logLagSeconds),
    ...longer('fixableCriticals', was.parameters.fixableCriticals, is.parameters.fixableCriticals),
    ...Object.entries(was.parameters.penalties).flatMap(([name, percent]) => {
      const now = is.parameters.penalties[name as keyof typeof is.parameters.penalties];
      return now < percent ? [pair(`penalty ${name}`, percent, now)] : [];
    }),
    // What has other points has another part of the score: of which deployments that is less cannot be said.
    ...weights(was, is),
    ...was.evidence.flatMap((one) =>
      findWeaker(
        one,
        is.evidence.find(({ name }) => name === one.name),
      ),
    ),
    ...otherCallers(was, is),
    // Whose word counts: one that is gone takes evidence away, one that came brings it.
    ...(is.attestors ?? []).flatMap(({ name, key }) => {
      const known = was.attestors?.some((one) => one.key === key) ?? false;
      return known ? [] : [pair('attestors', '', name)];
    }),
  ];
  return found.map(({ before, after }) => ({
    ...{ what: 'gate-lowered', document, column: null, table: null, tag: null, before, after },
  }));
}

interface Pair {
  readonly before: string;
  readonly after: string | null;
}

const pair = (name: string, before: unknown, after: unknown): Pair => ({
  before: `${name}: ${String(before)}`,
  after: `${name}: ${String(after)}`,
});

const longer = (name: string, was: number, is: number): readonly Pair[] => (is > was ? [pair(name, was, is)] : []);

const gone = (name: string, was: readonly string[], is: readonly string[]): readonly Pair[] =>
  was.filter((one) => !is.includes(one)).map((one) => ({ before: `${name}: ${one}`, after: null }));

function weights(was: GateDefinition, is: GateDefinition): readonly Pair[] {
  const points = ({ dataset, evidence }: GateDefinition): string =>
    [`dataset ${dataset.points}`, `checks ${dataset.checkPoints}`, ...evidence.map((one) => `${one.name} ${one.points}`)].join(', ');
  return points(was) === points(is) ? [] : [pair('points', points(was), points(is))];
}

/** Whom it believes, and where it sends its yes: of another one nobody can say that it is more. */
function otherCallers(was: GateDefinition, is: GateDefinition): readonly Pair[] {
  return gateCallers.flatMap((via) => {
    const [before, after] = [was, is].map(({ callers }) => (callers?.[via] ? toCanonicalJson(callers[via] as unknown as Json) : 'none'));
    return before === after ? [] : [pair(`caller ${via}`, before, after)];
  });
}

function findWeaker(was: EvidenceRequirement, is: EvidenceRequirement | undefined): readonly Pair[] {
  const name = `evidence ${was.name}`;
  if (!is) return [{ before: name, after: null }];
  const other = (['type', 'tool', 'subject'] as const).filter((member) => was[member] !== is[member]);
  const added = is.producers.filter((one) => !was.producers.some((known) => JSON.stringify(known) === JSON.stringify(one)));
  return [
    ...other.map((member) => pair(`${name} ${member}`, was[member], is[member])),
    ...longer(`${name} maxAge`, was.maxAgeMs, is.maxAgeMs),
    ...(was.producers.length > 0 && is.producers.length === 0 ? [pair(`${name} producers`, 'named', 'anybody')] : []),
    ...(was.producers.length > 0 ? added.map((one) => pair(`${name} producers`, '', JSON.stringify(one))) : []),
  ];
}

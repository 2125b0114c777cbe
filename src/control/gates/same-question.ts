// The question of a decision with what is known today: what merely grew old since does not count, what happened does.
import type { Json } from '../../kernel/canonical-json.js';
import type { GateInput } from '../../pipeline/decision.js';
import { type EvidenceItem, type EvidenceSubject, toItemJson } from '../../pipeline/evidence-item.js';
import type { DatasetRow } from '../../systems/metadata/metadata.js';
import { toVersionFacts } from './dataset-facts.js';

type Members = Readonly<Record<string, Json>>;

/** As the decision was about them. */
export function toSubjectsOf(question: GateInput): readonly EvidenceSubject[] {
  const { environment, commit, image } = question['request'] as {
    environment: string;
    commit: string | null;
    image: { digest: string | null } | null;
  };
  const digest = image?.digest ?? null;
  return [
    { kind: 'environment', value: environment },
    ...(commit === null ? [] : [{ kind: 'commit', value: commit } as const]),
    ...(digest === null ? [] : [{ kind: 'image', value: digest } as const]),
  ];
}

export interface KnownToday {
  readonly evidence: readonly EvidenceItem[];
  readonly dataset: DatasetRow | undefined;
  readonly nowMs: number;
}

/** At the time of the question: of a version counts how long it still lives, and that a look at it failed or that it was replaced and dropped does not. */
export function toQuestionToday(question: GateInput, { evidence, dataset, nowMs }: KnownToday): GateInput {
  const then = question['nowMs'] as number;
  const asked = question['dataset'] as Members | null;
  const version = asked?.['version'] as Members | null | undefined;
  const today = { ...question, evidence: evidence.map(toItemJson) };
  if (!asked || !version || !dataset) return today;
  const { expiresAtMs, drift, rowsDrifted, liveValues, revoked, quarantined } = toVersionFacts(dataset) as Members & {
    expiresAtMs: number;
  };
  const changed = { ...version, drift, rowsDrifted, liveValues, revoked, quarantined, expiresAtMs: expiresAtMs - (nowMs - then) };
  return { ...today, dataset: { ...asked, version: changed } };
}

/** When something of it ends by itself next; null: nothing does. */
export function toNextEnd({ evidence, dataset, nowMs }: KnownToday): Date | null {
  const ends = [...evidence.flatMap(({ waivedUntilMs }) => waivedUntilMs ?? []), ...(dataset ? [dataset.expiresAt.getTime()] : [])];
  const next = ends.filter((end) => end > nowMs);
  return next.length === 0 ? null : new Date(Math.min(...next));
}

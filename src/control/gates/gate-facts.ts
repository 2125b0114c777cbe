// The question about a deployment: what the gate asks for, what the caller names, and what Bauta knows of it. Nothing that the caller says of
// itself counts but names, and what is signed.
import type { Json } from '../../kernel/canonical-json.js';
import { openNote } from '../../kernel/signed-note.js';
import { loadWritten } from '../../documents/documents.js';
import { toError } from '../../kernel/errors.js';
import type { GateInput } from '../../pipeline/decision.js';
import type { GateDefinition } from '../../pipeline/definition.js';
import { type EvidenceItem, type EvidenceSubject, type ReadEvidence, toItemJson } from '../../pipeline/evidence-item.js';
import type { DatasetRow, Metadata, Transaction } from '../../systems/metadata/metadata.js';
import { toFingerprint } from '../../systems/scanners/scanners.js';
import { type Asked, digestOf } from './asked.js';
import { type OpenedStatement, isMarked, openStatement, toVersionFacts } from './dataset-facts.js';
import { type Recalled, recall } from './recall.js';

export interface GateFacts {
  /** With what was recalled. */
  readonly asked: Asked;
  readonly gate: GateDefinition;
  readonly version: number;
  readonly question: GateInput;
  readonly evidence: readonly EvidenceItem[];
  /** Of the data that the tests ran on; undefined: there is none, or it is not known here. */
  readonly dataset: DatasetRow | undefined;
}

const dayMs = 86_400_000;

/** Throws RESOURCE_UNKNOWN where there is no such gate. */
export async function readFacts(
  metadata: Metadata,
  read: ReadEvidence,
  { workspaceId, name, asked: said, recalls, nowMs }: { workspaceId: string; name: string; asked: Asked; recalls: boolean; nowMs: number },
): Promise<GateFacts> {
  const workspace = await metadata.workspaceName(workspaceId);
  const seen = await metadata.within(workspaceId, async (transaction) => {
    const { gate, version } = await findGate(transaction, name);
    const { asked, statement }: Recalled = recalls ? await recall(transaction, name, said) : { asked: said };
    const opened = asked.statement ? openStatement(asked.statement, await transaction.log.verifier()) : statement;
    const dataset = opened?.run ? await transaction.datasets.find(opened.run) : undefined;
    return { asked, gate, version, opened, dataset: dataset?.publishedAt ? dataset : undefined, ...(await readWorld(transaction, asked)) };
  });
  const known = new Set((seen.gate.attestors ?? []).map(({ key }) => toFingerprint(key)));
  // What another gate's attestor signed is nobody's word here.
  const evidence = (await read(workspaceId, toSubjects(seen.asked), nowMs)).filter(
    ({ attestor }) => attestor === undefined || known.has(attestor),
  );
  const question = toQuestion({ ...seen, workspace, evidence, nowMs });
  return { asked: seen.asked, gate: seen.gate, version: seen.version, question, evidence, dataset: seen.dataset };
}

export async function findGate(
  transaction: Transaction,
  name: string,
): Promise<{ readonly gate: GateDefinition; readonly version: number }> {
  const found = await transaction.documents.find({ kind: 'Gate', name });
  const { definitions } = found ? await loadWritten([{ file: `Gate ${name}`, written: found.document }]) : { definitions: [] };
  const gate = definitions[0]?.body;
  if (!found || gate?.kind !== 'Gate') throw toError('RESOURCE_UNKNOWN', { type: 'Gate' });
  return { gate, version: found.version };
}

/** The class of the environment, where it has a document, and how the log is. */
async function readWorld(transaction: Transaction, { environment }: Asked): Promise<{ readonly class: string | null; readonly log: Json }> {
  const [document, verifier, logs, lagSeconds] = [
    await transaction.documents.find({ kind: 'Environment', name: environment }),
    await transaction.log.verifier(),
    await transaction.log.files().list(''),
    await transaction.decisions.logLagSeconds(),
  ];
  const last = logs.at(-1);
  const note = last === undefined ? undefined : await transaction.log.files().read(`${last}/checkpoint`);
  const opened = note && verifier && openNote(note.toString('utf8'), [verifier]);
  const state = opened === undefined ? 'none' : opened.problem === undefined ? 'signed' : 'forged';
  const written = (document?.document ?? {}) as { readonly class?: string };
  return { class: written.class ?? null, log: { state, lagSeconds } };
}

export function toSubjects({ environment, commit, image }: Asked): readonly EvidenceSubject[] {
  const digest = image ? digestOf(image) : null;
  return [
    { kind: 'environment', value: environment },
    ...(commit ? [{ kind: 'commit', value: commit } as const] : []),
    ...(digest === null ? [] : [{ kind: 'image', value: digest } as const]),
  ];
}

interface Seen {
  readonly gate: GateDefinition;
  readonly class: string | null;
  readonly log: Json;
  readonly opened: OpenedStatement | undefined;
  readonly dataset: DatasetRow | undefined;
  readonly workspace: string;
  readonly asked: Asked;
  readonly evidence: readonly EvidenceItem[];
  readonly nowMs: number;
}

export function toQuestion(seen: Seen): GateInput {
  const { gate, asked, evidence, nowMs, workspace, log } = seen;
  const { environment, service, commit = null, image = null, datasetVersion = null, environmentStatement } = asked;
  const { dataset, parameters } = gate;
  // An environment that nobody described may be production.
  const mayBeProduction = seen.class === null || seen.class === 'production';
  return {
    ...{ version: 1, today: Math.floor(nowMs / dayMs), nowMs, workspace },
    gate: {
      ...{ name: gate.name, threshold: Math.round(gate.threshold * 100) },
      ...{ environments: [...gate.environments], services: [...gate.services] },
    },
    request: { environment, service, commit, image: image === null ? null : { digest: digestOf(image) }, datasetVersion },
    ...{ environment: { class: seen.class }, log },
    dataset: dataset.required
      ? {
          ...{ points: dataset.points, checkPoints: dataset.checkPoints, statement: seen.opened?.facts ?? null },
          version: seen.dataset ? toVersionFacts(seen.dataset) : null,
          privacy: dataset.privacy ? { ...dataset.privacy } : null,
        }
      : null,
    production: environmentStatement && mayBeProduction ? { marked: isMarked(environmentStatement) } : null,
    requirements: gate.evidence.map((one) => ({ ...one, producers: one.producers.map((producer) => ({ ...producer })) })),
    evidence: evidence.map(toItemJson),
    parameters: {
      ...parameters,
      penalties: { ...parameters.penalties },
      revokeOn: [...parameters.revokeOn],
      statementMaxAgeMs: dataset.maxAgeMs,
    },
  };
}

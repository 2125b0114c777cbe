// What a cluster wants to let in: the images of a workload, as an AdmissionReview of admission.k8s.io/v1 has them. Pure.
import { memberAt, textAt } from '../../kernel/json-member.js';
import { nameForm } from './call.js';

export interface Review {
  readonly uid: string;
  readonly namespace: string;
  readonly dryRun: boolean;
  /** As its label app.kubernetes.io/name says, or its name. */
  readonly service: string | undefined;
  /** Of containers of every kind and of volumes, without those that were there before. */
  readonly images: readonly string[];
}

/** Why it is let in or not without asking. */
export interface Settled {
  readonly uid: string;
  readonly allowed: boolean;
  readonly code: 'UNCHANGED' | 'DELETED' | 'KIND_UNKNOWN' | 'IMAGES_UNREADABLE' | 'IMAGES_TOO_MANY';
}

/** The way to the pod of each kind that makes pods. */
const pods: Readonly<Record<string, string>> = {
  Pod: 'spec',
  PodTemplate: 'template.spec',
  ...Object.fromEntries(
    ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job'].map((kind) => [kind, 'spec.template.spec']),
  ),
  CronJob: 'spec.jobTemplate.spec.template.spec',
};
const containers = ['containers', 'initContainers', 'ephemeralContainers'] as const;
/** No answer takes longer than a cluster waits. */
const MOST = 50;

/** Undefined: it is no AdmissionReview. */
export function readReview(body: unknown): Review | Settled | undefined {
  const uid = textAt(body, 'request.uid', /^[\x21-\x7e]{1,200}$/);
  const isReview = textAt(body, 'kind', /^AdmissionReview$/) && textAt(body, 'apiVersion', /^admission\.k8s\.io\/v1$/);
  if (uid === undefined || !isReview) return undefined;
  const operation = textAt(body, 'request.operation', /^(CREATE|UPDATE|DELETE)$/);
  // What goes away lets nothing in.
  if (operation === 'DELETE') return { uid, allowed: true, code: 'DELETED' };
  const way = pods[textAt(body, 'request.kind.kind', /^[A-Za-z]{1,60}$/) ?? ''];
  if (operation === undefined || way === undefined) return { uid, allowed: false, code: 'KIND_UNKNOWN' };
  const all = imagesOf(memberAt(body, ['request', 'object', ...way.split('.')]));
  if (!all) return { uid, allowed: false, code: 'IMAGES_UNREADABLE' };
  const before = operation === 'UPDATE' ? imagesOf(memberAt(body, ['request', 'oldObject', ...way.split('.')])) : undefined;
  const images = [...new Set(all)].filter((image) => !before?.includes(image));
  if (images.length === 0) return { uid, allowed: true, code: 'UNCHANGED' };
  if (images.length > MOST) return { uid, allowed: false, code: 'IMAGES_TOO_MANY' };
  return {
    ...{ uid, images, namespace: textAt(body, 'request.namespace', /^[a-z0-9-]{1,63}$/) ?? '' },
    ...{ dryRun: memberAt(body, ['request', 'dryRun']) === true, service: serviceOf(memberAt(body, ['request', 'object'])) },
  };
}

function serviceOf(object: unknown): string | undefined {
  const label = memberAt(object, ['metadata', 'labels', 'app.kubernetes.io/name']);
  return [label, memberAt(object, ['metadata', 'name'])].find((name): name is string => typeof name === 'string' && nameForm.test(name));
}

/** Undefined: it cannot be said which they all are. */
function imagesOf(pod: unknown): readonly string[] | undefined {
  const listed = (name: string): unknown => memberAt(pod, [name]) ?? [];
  const lists = [...containers, 'volumes'].map(listed);
  if (!lists.every(Array.isArray) || !Array.isArray(memberAt(pod, ['containers']))) return undefined;
  const volumes = (listed('volumes') as readonly unknown[]).filter((volume) => memberAt(volume, ['image']) !== undefined);
  const images = [
    ...containers.flatMap((name) => (listed(name) as readonly unknown[]).map((one) => memberAt(one, ['image']))),
    ...volumes.map((volume) => memberAt(volume, ['image', 'reference'])),
  ];
  return images.length > 0 && images.every((image): image is string => typeof image === 'string' && image !== '') ? images : undefined;
}

export interface Weighed {
  readonly image: string;
  readonly allow: boolean;
  readonly enforced: boolean;
  readonly decisionId: string;
  readonly reasons: readonly { readonly code: string; readonly message: string; readonly hint: string }[];
}

/** What a cluster shows a person is cut at so many characters. */
const [MESSAGE, WARNING] = [2000, 250];

/** As admission.k8s.io/v1 has it: always 200, under the uid of the question. */
export function toReview(uid: string, gate: string, dryRun: boolean, weighed: readonly Weighed[]): object {
  const denied = weighed.filter(({ allow }) => !allow);
  const advised = weighed.filter(({ allow, enforced }) => allow && !enforced);
  const codes = [...new Set(weighed.flatMap(({ reasons }) => reasons.map(({ code }) => code)))];
  const lines = denied.map(
    ({ image, reasons }) => `${image}: ${reasons.map((one) => `${one.code} ${one.message} (${one.hint})`).join('; ')}`,
  );
  return toResponse(uid, {
    allowed: denied.length === 0,
    ...(denied.length === 0 ? {} : { status: toStatus(`gate ${gate} says no. ${lines.join('. ')}`) }),
    ...(advised.length === 0
      ? {}
      : {
          warnings: advised.map(({ image, reasons }) =>
            `gate ${gate} only advises; ${image}: ${reasons.map(({ code }) => code).join(', ')}`.slice(0, WARNING),
          ),
        }),
    auditAnnotations: {
      ...{ gate, codes: codes.join(',') },
      // Of a dry run nothing is kept that could be looked up.
      ...(dryRun ? { 'dry-run': 'true' } : { decisions: weighed.map(({ decisionId }) => decisionId).join(',') }),
    },
  });
}

export function toSettledReview({ uid, allowed, code }: Settled | { uid: string; allowed: false; code: string }, gate: string): object {
  return toResponse(uid, {
    allowed,
    ...(allowed ? {} : { status: toStatus(`gate ${gate} was not asked: ${code}`) }),
    auditAnnotations: { gate, codes: code },
  });
}

const toStatus = (message: string): object => ({ code: 403, reason: 'Forbidden', message: message.slice(0, MESSAGE) });

const toResponse = (uid: string, response: object): object => ({
  ...{ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
  response: { uid, ...response },
});

// What a change of documents lowers, computed from the documents before and after it. Whoever asks for such a change needs a second person.
import type { Schema } from '../../documents/documents.js';
import {
  type Lowered,
  compareClassifications,
  findJoined,
  findLoweredRulebook,
  findTokenSources,
  findWidened,
  loweredKinds,
  rulebookOf,
} from './compare.js';
import type { DocumentSet } from './document-set.js';
import { findLoweredGate } from './lowered-gate.js';
import { findAddedTrusts } from './lowered-issuer.js';
import { findLoweredPlaybook, findLoweredWatch } from './lowered-watch.js';
import { findHandedOut, findLaxPrivacy, findLoweredPipeline } from './lowered-pipeline.js';

export const loweredSchema: Schema = {
  type: 'array',
  description: 'what the change lowers; empty or absent: nothing',
  items: {
    type: 'object',
    required: ['what', 'document', 'column', 'table', 'tag', 'before', 'after'],
    properties: {
      ...{ what: { type: 'string', enum: loweredKinds }, document: { type: 'string' } },
      ...Object.fromEntries(['column', 'table', 'tag', 'before', 'after'].map((name) => [name, { type: ['string', 'null'] }])),
    },
  },
};

/** `changed`: kind and name of each document of the request that differs from what is there. */
export function findLowered(
  before: DocumentSet,
  after: DocumentSet,
  changed: readonly { readonly kind: string; readonly name: string }[],
): readonly Lowered[] {
  return changed.flatMap(({ kind, name }): readonly Lowered[] => {
    switch (kind) {
      case 'Classification':
        return findLoweredClassification(before, after, name);
      case 'Rulebook':
        return findLoweredRulebook(`Rulebook ${name}`, rulebookOf(before, name), rulebookOf(after, name));
      case 'Pipeline':
        return findLoweredPipeline(before, after, name);
      case 'Environment':
        return findLoweredEnvironment(before, after, name);
      case 'Issuer':
        return findAddedTrusts(before.find('Issuer', name), after.find('Issuer', name));
      case 'Gate':
        return findLoweredGate(before.find('Gate', name), after.find('Gate', name));
      case 'Watch':
        return findLoweredWatch(
          before.all('Watch').find((one) => one.name === name),
          after.all('Watch').find((one) => one.name === name),
        );
      case 'Playbook':
        return findLoweredPlaybook(before.find('Playbook', name), after.find('Playbook', name));
      default:
        return [];
    }
  });
}

function findLoweredEnvironment(before: DocumentSet, after: DocumentSet, name: string): readonly Lowered[] {
  const [was, is] = [before.find('Environment', name), after.find('Environment', name)];
  const document = `Environment ${name}`;
  const waived = (one: typeof is): readonly string[] => [...findHandedOut(one), ...(one ? findLaxPrivacy(one) : [])];
  const known = waived(was);
  const handedOut = was ? waived(is).filter((one) => !known.includes(one)) : [];
  return [
    ...findWidened(document, was?.allows, is?.allows ?? []),
    ...findTokenSources(document, was?.tokens, is?.tokens),
    ...handedOut.map((after): Lowered => ({ what: 'waiver', document, column: null, table: null, tag: null, before: null, after })),
    ...findJoined(document, was?.keys, is?.keys),
  ];
}

function findLoweredClassification(before: DocumentSet, after: DocumentSet, name: string): readonly Lowered[] {
  const [was, is] = [before.find('Classification', name), after.find('Classification', name)];
  if (!is) return [];
  const rulebooks = new Set(['default', ...after.all('Pipeline').flatMap((one) => (one.classification === name ? [one.rulebook] : []))]);
  const rules = [...rulebooks].map((one) => rulebookOf(after, one)?.rules ?? {});
  return compareClassifications(`Classification ${name}`, was, is, rules);
}

// What a pipeline may ask of a target and cannot go through a broker, told when it is planned: no statement travels, and nobody here can look into
// the environment's database.
import { type Finding, toFinding } from '../../../kernel/errors.js';
import type { Plan } from '../../../pipeline/plan.js';

const members = ['swapSchemas', 'clones', 'onDrift', 'file', 'sameServer'] as const;

/** `rows`: whether there is an outlet for that encoding. */
export function findRefusals({ documents, facts }: Plan, rows: boolean): readonly Finding[] {
  const asked: string[] = members.filter((name) => facts.target[name] !== undefined).map((name) => `target.${name}`);
  if (Object.keys(documents).some((name) => name.startsWith('after '))) asked.unshift('after');
  const { class: environmentClass, kafka } = facts.target;
  if ((kafka?.encoding === 'rows') !== rows) asked.push('target.kafka.encoding: rows');
  const makesTopics = environmentClass === 'dev' || environmentClass === 'ci' || kafka?.topics === 'create';
  return [
    ...asked.map((name) => toFinding('STREAM_CANNOT', { stage: 'deliver', name })),
    ...(makesTopics ? [] : [toFinding('STREAM_TOPICS_NOT_ALLOWED', { stage: 'deliver', name: environmentClass })]),
  ];
}

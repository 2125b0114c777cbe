// An event of the data plane as a line for people: names, counts and codes. What may hold anything else is left out.
import type { Event } from '../../pipeline/event.js';

const shown = [
  'schema',
  'table',
  'rows',
  'bytes',
  'seconds',
  'target',
  'version',
  'state',
  'tables',
  'pass',
  'fail',
  'notRun',
  'code',
  'planDigest',
  'catalogueDigest',
];

export function toLine({ stage, type, data }: Event): string {
  const members = shown.flatMap((name) => {
    const value = data[name];
    return typeof value === 'string' || typeof value === 'number' ? [`${name} ${value}`] : [];
  });
  const error = (data['error'] as { code?: unknown } | undefined)?.code;
  if (typeof error === 'string') members.push(`error ${error}`);
  const { findings } = data;
  if (Array.isArray(findings)) members.push(...toCounts(findings as readonly { readonly code?: unknown }[]));
  return [`${stage}: ${type}`, ...members].join(', ');
}

function toCounts(findings: readonly { readonly code?: unknown }[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { code } of findings) if (typeof code === 'string') counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts.size === 0 ? ['none'] : [...counts].map(([code, count]) => `${code} ${count}`);
}

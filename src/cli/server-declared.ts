// What a service's documents declare, as they were in force in a period: read version by version, so that nobody's word is taken for it but theirs.
import { type Applied, toDeclared } from '../control/declared.js';
import type { Declared, Period } from '../pipeline/report/report.js';
import type { Server } from './server.js';

const nouns = [
  ['Organisation', 'organisations'],
  ['Pipeline', 'pipelines'],
] as const;

interface Version {
  readonly version: number;
  readonly appliedAt: string;
}

export async function readServerDeclared(server: Server, period: Period): Promise<Declared> {
  const versions: Applied[] = [];
  for (const [kind, noun] of nouns)
    for (const { name } of await server.list<{ readonly name: string }>(`/v1/${noun}`)) {
      const path = `/v1/${noun}/${encodeURIComponent(name)}`;
      for (const { version, appliedAt } of await server.list<Version>(`${path}/versions`)) {
        // A version that came after the period says nothing of it.
        if (appliedAt >= period.to) continue;
        const { document } = await server.ask<{ readonly document: object }>('GET', `${path}?version=${version}`);
        versions.push({ kind, name, appliedAt, document });
      }
    }
  return toDeclared(versions, period);
}

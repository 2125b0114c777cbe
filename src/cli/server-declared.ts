// What a service's documents declare, as they were in force in a period: read version by version, so that nobody's word is taken for it but theirs.
import { type Applied, declaring, toDeclared } from '../control/declared.js';
import { toKnownError } from '../kernel/errors.js';
import type { Declared, Period } from '../pipeline/report/report.js';
import type { Server } from './server.js';

const nouns = { Organisation: 'organisations', Pipeline: 'pipelines', Environment: 'environments' } as const;

interface Version {
  readonly version: number;
  readonly appliedAt: string;
}

export async function readServerDeclared(server: Server, period: Period): Promise<Declared> {
  const versions: Applied[] = [];
  for (const kind of declaring)
    for (const { name } of await server.list<{ readonly name: string }>(`/v1/${nouns[kind]}`)) {
      const path = `/v1/${nouns[kind]}/${encodeURIComponent(name)}`;
      for (const { version, appliedAt } of await listVersions(server, path)) {
        // A version that came after the period says nothing of it.
        if (appliedAt >= period.to) continue;
        const { document } = await server.ask<{ readonly document: object }>('GET', `${path}?version=${version}`);
        versions.push({ kind, name, appliedAt, document });
      }
    }
  return toDeclared(versions, period);
}

/** None of what has no document: an environment that a pipeline says all of. */
async function listVersions(server: Server, path: string): Promise<readonly Version[]> {
  try {
    return await server.list<Version>(`${path}/versions`);
  } catch (error) {
    if (toKnownError(error).code === 'RESOURCE_UNKNOWN') return [];
    throw error;
  }
}

// `bauta datasets`: the versions that a target has.
import { type ComposeOptions, composeTarget } from './compose.js';
import { wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';

export async function datasets(options: ComposeOptions): Promise<number> {
  const target = await composeTarget(options);
  try {
    const versions = await target.datasets();
    if (wantsJson(options)) writeJson({ datasets: versions, findings: [] });
    else if (versions.length === 0) process.stdout.write('no dataset yet: bauta run makes the first\n');
    else {
      const rows = versions.map(({ target: name, version, state, database, publishedAt, runId }) => [
        name,
        String(version),
        state,
        database,
        publishedAt ?? '',
        runId,
      ]);
      process.stdout.write(`${toTable([['TARGET', 'VERSION', 'STATE', 'DATABASE', 'PUBLISHED', 'RUN'], ...rows], '')}\n`);
    }
    return 0;
  } finally {
    await target.close();
  }
}

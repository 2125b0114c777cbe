// `bauta drift`: are the rows of the current version, its code and its rights still those that were published? Reads the copy and never the source.
import { systemClock } from '../kernel/clock.js';
import { type DataDrift, lookForDataDrift, toDriftTexts } from '../pipeline/data-drift.js';
import { DatasetReader } from '../systems/postgres/postgres.js';
import { type ComposeOptions, composeTarget } from './compose.js';
import { wantsJson } from './context.js';
import { paint, stripControls, writeJson } from './print.js';

/** Exit codes: 0 as published · 1 drifted, or nobody knows. */
export async function drift(options: ComposeOptions): Promise<number> {
  const { target, connection, verifiers } = await composeTarget(options);
  await target.close();
  const reader = await DatasetReader.open(connection);
  try {
    const seen = await lookForDataDrift(reader, { verifiers, clock: systemClock });
    if (wantsJson(options)) writeJson({ ...seen, findings: [] });
    else print(seen);
    return seen.state === 'as published' ? 0 : 1;
  } finally {
    await reader.close();
  }
}

function print({ state, database, version, why, ...seen }: DataDrift): void {
  const name = `${stripControls(database)}${version === null ? '' : `, version ${version}`}`;
  if (state === 'as published')
    process.stdout.write(`${paint('as published', 32, process.stdout)}: ${name}, every row and definition compared\n`);
  else if (state === 'unknown') process.stdout.write(`${paint('unknown', 31, process.stdout)}: ${name}: ${stripControls(why ?? '')}\n`);
  else
    process.stdout.write(
      `${paint('drifted', 31, process.stdout)}: ${name}\n${toDriftTexts(seen)
        .map((text) => `  ${stripControls(text)}\n`)
        .join('')}${seen.definitions ? '' : '  what else stands there was not recorded when it was published\n'}`,
    );
}

// `bauta audit anchor`: puts the newest checkpoint of a log that lies here at places that its operator cannot take it back from, and `bauta audit verify
// --anchor` reads what is there. A service anchors by itself.
import { parseSettings } from '../config/settings.js';
import { openAnchorStore, parseAnchorPlaces } from '../control/anchor-places.js';
import { closeAllStores } from '../control/stores.js';
import { systemClock, toTimestamp } from '../kernel/clock.js';
import { type Finding, toError, toErrorView, toFinding } from '../kernel/errors.js';
import { type AnchorStore, anchorLog, listLogs, parseCheckpoint, readAnchors } from '../pipeline/audit/audit.js';
import { keepAnchor, openLogFiles } from '../systems/files/files.js';
import { printError, stripControls, toCount, writeJson } from './print.js';
import { readVerifier } from './verifier-key.js';

export interface Anchoring {
  /** The log, and its public key. */
  readonly folder: string;
  readonly key: string;
  /** Default: BAUTA_LOG_ANCHORS. */
  readonly places: readonly string[] | undefined;
  readonly json: boolean;
}

/** Exit 0 where every place took it; else 1, and which did not is told. */
export async function anchorHome({ folder, key, places: given, json }: Anchoring): Promise<number> {
  const settings = parseSettings(process.env);
  const places = given ? parseAnchorPlaces('--to', given.join(' ')) : parseAnchorPlaces('BAUTA_LOG_ANCHORS', settings.BAUTA_LOG_ANCHORS);
  if (places.length === 0) throw toError('OPTION_MISSING', { name: '--to', expected: 'bauta audit --help' });
  const verifier = await readVerifier(key);
  const files = openLogFiles(folder);
  const log = (await listLogs(files)).at(-1);
  if (log === undefined) throw toError('LOG_EMPTY');
  const anchors: { place: string; size: number; lockedUntil: string | null }[] = [];
  const failed: { place: string; error: unknown }[] = [];
  for (const place of places)
    await withStore(place, async (store) => {
      const { note, lockedUntil } = await anchorLog(files, log, verifier, store);
      await keepAnchor(folder, log, { place, at: toTimestamp(systemClock.now()), lockedUntil, note });
      anchors.push({ place, size: parseCheckpoint(note)?.size ?? 0, lockedUntil });
    }).catch((error: unknown) => failed.push({ place, error }));
  await closeAllStores();
  if (json) writeJson({ log, anchors, failed: failed.map(({ place, error }) => ({ place, ...toErrorView(error) })) });
  else {
    for (const { error } of failed) printError(error);
    for (const { place, size, lockedUntil } of anchors)
      say(`${log}: ${toCount(size, 'entry', 'entries')} at ${place}${toLock(lockedUntil)}`);
  }
  return failed.length === 0 ? 0 : 1;
}

export interface FoundAnchors {
  readonly place: string;
  readonly checkpoints: number;
  /** Of the largest; null: there is none. */
  readonly size: number | null;
  readonly lockedUntil: string | null;
}

/** What the places hold of the log of this key: every checkpoint as one that was seen before, and what is odd about it. Throws what a place rejects with. */
export async function readPlaces(
  places: readonly string[],
  keyName: string,
): Promise<{ readonly known: { name: string; note: string }[]; readonly found: FoundAnchors[]; readonly findings: Finding[] }> {
  const known: { name: string; note: string }[] = [];
  const found: FoundAnchors[] = [];
  const findings: Finding[] = [];
  for (const place of parseAnchorPlaces('--anchor', places.join(' '))) {
    const anchors = await withStore(place, (store) => readAnchors(store, keyName));
    const newest = anchors.at(-1);
    if (!newest) findings.push(toFinding('LOG_UNANCHORED', { file: place }));
    for (const { name, covered } of anchors) if (covered) findings.push(toFinding('LOG_ANCHOR_COVERED', { file: place, name }, 'warning'));
    known.push(...anchors.map(({ name, note }) => ({ name: `${place} ${name}`, note })));
    const size = newest ? (parseCheckpoint(newest.note)?.size ?? null) : null;
    found.push({ place, checkpoints: anchors.length, size, lockedUntil: newest?.lockedUntil ?? null });
  }
  await closeAllStores();
  return { known, found, findings };
}

export const toAnchorLine = ({ place, checkpoints, size, lockedUntil }: FoundAnchors): string =>
  stripControls(
    `${place}  ${toCount(checkpoints, 'checkpoint')}, the newest of ${toCount(size ?? 0, 'entry', 'entries')}${toLock(lockedUntil)}`,
  );

const toLock = (until: string | null): string => (until === null ? '' : `, locked until ${until}`);
const say = (line: string): void => void process.stdout.write(`${stripControls(line)}\n`);

async function withStore<Result>(place: string, work: (store: AnchorStore) => Promise<Result>): Promise<Result> {
  const store = await openAnchorStore(place, parseSettings(process.env), process.env);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

// The versions that stand in a database as schemas, by the comment of each version's record. Only what the provisioning role owns counts: a
// comment can be written by whoever owns the schema.
import type { DatasetVersion } from '../../../pipeline/ports.js';
import { markerSchema } from '../../../pipeline/marker.js';
import { quoteLiteral, quoteName } from '../quote.js';
import { type OwnComment, parseComment, toCommentText } from '../target/own-comment.js';
import type { Session } from '../target/session.js';
import { type Places, toPlaces } from './places.js';

export interface SchemaRow {
  readonly name: string;
  /** Whether the provisioning role itself owns it, and whether it has the rights of who does. */
  readonly mine: boolean;
  readonly owned: boolean;
  readonly empty: boolean;
  readonly comment: string | null;
}

export interface Version {
  readonly ours: OwnComment & { readonly schemas: readonly string[]; readonly state: DatasetVersion['state'] };
  /** The schema of its comment and marker, as it is called now. */
  readonly record: string;
  readonly places: Places;
}

export async function readSchemas(session: Session): Promise<readonly SchemaRow[]> {
  return session.query<{ name: string; mine: boolean; owned: boolean; empty: boolean; comment: string | null }>(
    `SELECT n.nspname AS name, n.nspowner = session_user::regrole AS mine, pg_has_role(n.nspowner, 'USAGE') AS owned,
            obj_description(n.oid, 'pg_namespace') AS comment,
            NOT EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid AND d.deptype = 'n') AS empty
       FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY n.nspname COLLATE "C"`,
  );
}

/** Of this database, newest first. */
export function toVersions(rows: readonly SchemaRow[], target: string): readonly Version[] {
  return rows
    .flatMap(({ name, mine, comment }): Version[] => {
      const ours = mine ? parseComment(comment) : undefined;
      if (ours?.schemas === undefined || ours.target !== target || ours.state === 'template') return [];
      const places = toPlaces(ours.runId, ours.schemas);
      const fits = name === (ours.state === 'current' ? markerSchema : places.record);
      return fits ? [{ ours: { ...ours, state: ours.state, schemas: ours.schemas }, record: name, places }] : [];
    })
    .sort((a, b) => b.ours.version - a.ours.version);
}

export async function readVersions(session: Session, target: string): Promise<readonly Version[]> {
  return toVersions(await readSchemas(session), target);
}

export function findCurrent(versions: readonly Version[]): Version | undefined {
  return versions.find(({ ours }) => ours.state === 'current');
}

export function toDataset({ ours, record }: Version): DatasetVersion {
  const { target, version, state, runId, planDigest = '', publishedAt = null, closed, rolledBack } = ours;
  return {
    target,
    version,
    state,
    runId,
    database: target,
    schema: record,
    planDigest,
    publishedAt,
    ...(closed && { closed: closed.why }),
    ...(rolledBack && { rolledBack }),
  };
}

/** Every schema of a version but its record, as it is called now. */
export function toStanding({ ours, places }: Version): readonly string[] {
  return ours.state === 'current' ? ours.schemas : [...places.schemas.values()];
}

export async function writeRecord(session: Session, record: string, ours: OwnComment): Promise<void> {
  await session.query(`COMMENT ON SCHEMA ${quoteName(record)} IS ${quoteLiteral(toCommentText(ours))}`);
}

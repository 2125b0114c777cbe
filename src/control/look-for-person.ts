// A person is looked for in what is there of a pipeline's copies, by whoever has its connections and keys: a worker of a service, or a command beside them.
// Identifiers stand in the memory of whoever looks, and nowhere else.
import { toKnownError } from '../kernel/errors.js';
import type { Catalogue } from '../pipeline/catalogue.js';
import { type Request, prepare, toRefusal } from '../pipeline/prepare.js';
import type { Doors } from '../pipeline/run.js';
import { type Identifier, type TracedVersion, type WantedRows, tracePerson } from '../pipeline/trace-person.js';
import { type ConnectionTarget, DatasetReader } from '../systems/postgres/postgres.js';

export interface LookedFor {
  /** Of the source, as far as it could be read. */
  readonly tables: Catalogue['tables'];
  /** Null: nobody could look, and `why`, as a code. */
  readonly traced: readonly TracedVersion[] | null;
  readonly why: string | null;
}

export interface LookIn {
  readonly doors: Doors;
  readonly request: Request;
  /** Absent: its rows are nowhere that we can look. */
  readonly target: ConnectionTarget | undefined;
}

/** That nobody can look is told, and no error; that what was said finds nobody is one: SUBJECT_COLUMN_UNFIT, SUBJECT_VALUE_UNFIT. */
export async function lookForPerson({ doors, request, target }: LookIn, subject: readonly Identifier[]): Promise<LookedFor> {
  try {
    const { plan, catalogue, findings } = await prepare(doors, request);
    if (!plan) throw toRefusal(findings);
    const [datasets, clones] = [await doors.target.datasets(), (await doors.target.clones?.list()) ?? []];
    const count = (database: string, wanted: readonly WantedRows[]): Promise<readonly number[]> => countIn(target, database, wanted);
    return {
      tables: catalogue.tables,
      traced: await tracePerson({ ...doors, count }, { plan, catalogue }, subject, { datasets, clones }),
      why: null,
    };
  } catch (error) {
    const { class: kind, code } = toKnownError(error);
    if (code === 'SUBJECT_COLUMN_UNFIT' || code === 'SUBJECT_VALUE_UNFIT') throw error;
    if (kind !== 'UnavailableError' && code !== 'PLAN_REFUSED') throw error;
    return { tables: [], traced: null, why: code };
  }
}

async function countIn(target: ConnectionTarget | undefined, database: string, wanted: readonly WantedRows[]): Promise<readonly number[]> {
  if (!target) return Promise.reject(new Error('its rows are elsewhere'));
  const reader = await DatasetReader.open(target, database);
  try {
    const rows: number[] = [];
    for (const { table, column, texts, whole } of wanted) rows.push(await reader.countOf(table, column, texts, whole));
    return rows;
  } finally {
    await reader.close();
  }
}

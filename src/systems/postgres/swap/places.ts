// Where the schemas of a version stand while it is not current, and which schemas a version is made of.
import { type Catalogue, type TableName, toLabel } from '../../../pipeline/catalogue.js';
import { markerSchema } from '../../../pipeline/marker.js';
import { cutBytes } from '../target/names.js';

/** A version of some schemas: each name with the name that it has until the version is current, and after it was. */
export interface Places {
  readonly runId: string;
  /** Place of the schema `bauta`: the version's record, and its marker. */
  readonly record: string;
  readonly schemas: ReadonlyMap<string, string>;
}

/** 30 bytes of the name at most, `_bauta_`, the run's id and the schema's number: names that begin alike stay apart, in 63 bytes. */
export function toPlaces(runId: string, schemas: readonly string[]): Places {
  const place = (name: string, number: number): string => `${cutBytes(name, 30)}_bauta_${runId}_${number}`;
  return {
    runId,
    record: place(markerSchema, 0),
    schemas: new Map([...schemas].sort().map((name, i) => [name, place(name, i + 1)])),
  };
}

/** Those that hold something else than an extension, and those that are empty but `public`, which every database has. */
export function findSwapped({ schemas, tables, objects }: Pick<Catalogue, 'schemas' | 'tables' | 'objects'>): readonly string[] {
  const filled = new Set([...tables, ...objects.filter(({ kind }) => kind !== 'extension')].map(({ schema }) => schema));
  const extended = new Set(objects.filter(({ kind }) => kind === 'extension').map(({ schema }) => schema));
  return schemas.map(({ name }) => name).filter((name) => filled.has(name) || (name !== 'public' && !extended.has(name)));
}

/** A table of a plan where it stands now. */
export function toPlaced<Name extends TableName>({ schemas }: Places, table: Name): Name {
  return { ...table, schema: schemas.get(table.schema) ?? table.schema };
}

/** A label of the server's catalogue as the plan's author knows it. A place has the run's id in it, and stands nowhere else. */
export function toOwnLabel({ schemas }: Places, label: string): string {
  return [...schemas].reduce((text, [name, place]) => text.replaceAll(toLabel(place), toLabel(name)), label);
}

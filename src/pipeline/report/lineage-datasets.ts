// Tables as OpenLineage names them (`postgres://host:port`, `database.schema.table`), and what the gate was asked of their columns as facets.
import type { Json } from '../../kernel/canonical-json.js';
import type { Event } from '../event.js';
import { toSpecialCategory } from '../tags.js';
import { type LineageDataset, toFacets } from './open-lineage.js';

type Data = Event['data'];

export interface Place {
  readonly namespace: string;
  readonly database: string;
}

/** A column, or a path into one, as the gate is asked of it. */
interface AskedColumn {
  readonly table: string;
  readonly column: string;
  readonly path: string | null;
  readonly type: string;
  readonly tag: string;
  readonly transform: string;
  readonly scope: string;
  readonly speaksOfPerson?: boolean;
}

/** What is so of a whole table: whose data it is, where it lies, and for how long. */
interface Standing {
  readonly subjectCategories: readonly string[];
  readonly sourceRegion: string | null;
  readonly targetRegion: string | null;
  readonly retentionDays: number | null;
}

/** Column of a table that another column's pseudonym is a function of. */
interface SourceColumn {
  readonly table: string;
  readonly column: string;
}

/** Where a server says that it is; one that is only reached by a socket, or behind a name of ours, is known by its system identifier. */
export function toPlace({ address, systemIdentifier, database }: Data): Place {
  const isAddress = typeof address === 'string' && /^[^\s/@]+:\d{1,5}$/.test(address);
  const plain = isAddress ? address.replace(/^([0-9a-f:.]*:[0-9a-f:.]*):(\d+)$/i, '[$1]:$2') : text(systemIdentifier);
  return { namespace: `postgres://${plain}`, database: text(database) };
}

/** Input and output of every table of the plan, in the order of the question. */
export class LineageTables {
  private readonly columns: ReadonlyMap<string, readonly AskedColumn[]>;
  private readonly standing: Standing;
  private readonly follows: Readonly<Record<string, Readonly<Record<string, readonly SourceColumn[]>>>>;

  /** `asked`: data of `gate.asked`. */
  constructor(
    private readonly producer: string,
    asked: Data,
    private readonly source: Place,
    private readonly target: Place,
    subjectCategories: readonly string[] = [],
  ) {
    const input = asked['input'] as unknown as Asked;
    const { columns = [] } = input;
    this.standing = {
      subjectCategories,
      ...{ sourceRegion: input.source?.region ?? null, targetRegion: input.target?.region ?? null },
      retentionDays: input.stated?.retentionDays ?? null,
    };
    const byTable = new Map<string, AskedColumn[]>();
    for (const column of columns) byTable.set(column.table, [...(byTable.get(column.table) ?? []), column]);
    this.columns = byTable;
    this.follows = (asked['follows'] ?? {}) as unknown as LineageTables['follows'];
  }

  /** Names of tables, of so many columns at most together, or of one table alone. One empty group where there is no table. */
  inGroups(most: number): readonly (readonly string[])[] {
    const groups: string[][] = [[]];
    let columns = 0;
    for (const [name, asked] of this.columns) {
      if (columns > 0 && columns + asked.length > most) {
        groups.push([]);
        columns = 0;
      }
      groups.at(-1)?.push(name);
      columns += asked.length;
    }
    return groups;
  }

  toInput(table: string): LineageDataset {
    const facets = toFacets(this.producer, {
      ...this.toKind(this.source),
      schema: this.toSchema(table),
      tags: this.toTags(table, 'source'),
    });
    return { ...toName(this.source, table), facets };
  }

  toOutput(table: string, version: string | undefined, loaded: Data | undefined): LineageDataset {
    const facets = toFacets(this.producer, {
      ...this.toKind(this.target),
      schema: this.toSchema(table),
      tags: this.toTags(table, 'target'),
      columnLineage: { fields: this.toFields(table) },
      version: version === undefined ? undefined : { datasetVersion: version },
      lifecycleStateChange: version === undefined ? undefined : { lifecycleStateChange: 'OVERWRITE' },
    });
    const outputStatistics = loaded && { rowCount: loaded['rows'], size: loaded['bytes'] };
    return { ...toName(this.target, table), facets, outputFacets: toFacets(this.producer, { outputStatistics }) };
  }

  private toKind({ namespace, database }: Place) {
    return {
      storage: { storageLayer: 'postgres' },
      datasetType: { datasetType: 'TABLE' },
      dataSource: { name: namespace, uri: `${namespace}/${encodeURIComponent(database)}` },
    };
  }

  private toSchema(table: string) {
    const fields = this.wholeColumns(table).map(({ column, type }, i) => ({ name: column, type, ordinal_position: i + 1 }));
    return { fields };
  }

  /** The tag of each column, and of one with paths those of its paths; then, by the words that readers of Art. 30 GDPR look for, what they say. */
  private toTags(table: string, side: 'source' | 'target') {
    const asked = (this.columns.get(table) ?? []).filter(({ tag }) => tag !== 'mixed');
    const toField = ({ column, path }: AskedColumn): string => (path === null ? column : `${column}.${path}`);
    const of = (key: string, value: string, field?: string) => ({ key, value, source: 'BAUTA', ...(field === undefined ? {} : { field }) });
    const personal = asked.filter(({ tag }) => tag !== 'none');
    const special = personal.flatMap((one) => {
      const word = toSpecialCategory(one.tag);
      // Of a tag that does not say which nothing is said.
      return word === undefined || word === null ? [] : [of('special_category', word, toField(one))];
    });
    return {
      tags: [
        ...asked.map((one) => of('bauta', one.tag, toField(one))),
        ...personal.map((one) => of('data_category', one.tag, toField(one))),
        ...special,
        ...this.toWholeTags(side, personal.length > 0 || asked.some(({ speaksOfPerson }) => speaksOfPerson === true)).map(([key, value]) =>
          of(key, value),
        ),
      ],
    };
  }

  /** Whose data it is, and where; of a copy also until when. Of a table that speaks of nobody that it does not. */
  private toWholeTags(side: 'source' | 'target', speaksOfPeople: boolean): readonly (readonly [key: string, value: string])[] {
    const { subjectCategories, sourceRegion, targetRegion, retentionDays } = this.standing;
    const region = side === 'source' ? sourceRegion : targetRegion;
    return [
      ...(speaksOfPeople ? subjectCategories : ['none']).map((value) => ['subject_type', value] as const),
      ...(region === null ? [] : [['residency', region] as const]),
      ...(side === 'target' && retentionDays !== null ? [['retention', `${retentionDays}d`] as const] : []),
    ];
  }

  /** Per output column: the column of that name at the source, and what else its pseudonym follows. */
  private toFields(table: string): Json {
    const fields: Record<string, Json> = {};
    for (const whole of this.wholeColumns(table)) {
      const parts = (this.columns.get(table) ?? []).filter(({ column }) => column === whole.column);
      const own = parts.filter(({ path, transform }) => path !== null || transform !== 'paths').map(toTransformation);
      const scopes = new Set(parts.map(({ scope, transform }) => (transform === 'keep' ? 'value' : scope)));
      const followed = [...scopes].flatMap((scope) => this.follows[table]?.[scope] ?? []);
      fields[whole.column] = {
        inputFields: [
          { ...toName(this.source, table), field: whole.column, transformations: own },
          ...followed.map((by) => ({
            ...{ ...toName(this.source, by.table), field: by.column },
            transformations: [{ type: 'INDIRECT', subtype: 'CONDITIONAL', description: 'whose pseudonym it is', masking: true }],
          })),
        ],
      };
    }
    return fields;
  }

  private wholeColumns(table: string): readonly AskedColumn[] {
    return (this.columns.get(table) ?? []).filter(({ path }) => path === null);
  }
}

/** Of the question to the gate. */
interface Asked {
  readonly columns?: readonly AskedColumn[];
  readonly source?: { readonly region?: string | null };
  readonly target?: { readonly region?: string | null };
  readonly stated?: { readonly retentionDays?: number };
}

function toTransformation({ path, tag, transform, scope }: AskedColumn) {
  const kept = transform === 'keep';
  const where = path === null ? '' : ` at ${path}`;
  return {
    type: 'DIRECT',
    subtype: kept ? 'IDENTITY' : 'TRANSFORMATION',
    description: kept ? `kept${where}` : `${transform} (${tag}, by ${scope})${where}`,
    masking: !kept,
  };
}

export function toName({ namespace, database }: Place, table: string): { readonly namespace: string; readonly name: string } {
  return { namespace, name: `${database}.${table}` };
}

const text = (value: Json | undefined): string => (typeof value === 'string' && value !== '' ? value : 'unknown');

// From a valid document to its definition: short forms written out, nothing else changed.
import type { CheckDefinition } from '../pipeline/check.js';
import type {
  ChannelDefinition,
  ClassificationDefinition,
  ColumnClassification,
  ConnectionDefinition,
  Definition,
  EnvironmentDefinition,
  GateDefinition,
  IssuerDefinition,
  OrganisationDefinition,
  OverrideDefinition,
  PipelineDocument,
  PlaybookDefinition,
  Reasoned,
  Rows,
  RuleDefinition,
  RulebookDefinition,
  ScheduleDefinition,
  TableClassification,
  TriggerDefinition,
  WatchDefinition,
} from '../pipeline/definition.js';
import { EVIDENCE_HOURS } from '../pipeline/playbook.js';
import { GITHUB, GITLAB } from './named.js';

type Written = Readonly<Record<string, unknown>>;

/** MUST be given a document that its schema accepted: the casts below rest on that. */
export function toDefinition(document: Written): Definition {
  const fields = Object.fromEntries(Object.entries(document).filter(([key]) => key !== 'import'));
  switch (fields['kind']) {
    case 'Pipeline':
      return toPipeline(fields);
    case 'Classification':
      return toClassification(fields);
    case 'Schedule':
      return { timeZone: 'UTC', when: 'always', catchUp: false, overlap: false, ...fields } as unknown as ScheduleDefinition;
    case 'Trigger':
      return fields as unknown as TriggerDefinition;
    case 'Rulebook':
      return toRulebook(fields);
    case 'Environment':
      return withReasons(fields) as unknown as EnvironmentDefinition;
    case 'Connection':
      return {
        ...(fields['url'] === undefined && fields['system'] !== 'kafka' ? { port: 5432 } : {}),
        ...fields,
      } as unknown as ConnectionDefinition;
    case 'Playbook':
      return { evidenceHours: EVIDENCE_HOURS, ...fields } as unknown as PlaybookDefinition;
    case 'Gate':
      return toGate(fields);
    default:
      return fields as unknown as ChannelDefinition | IssuerDefinition | OrganisationDefinition | WatchDefinition;
  }
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `7d`, and what is meant where nothing is written. */
const toMs = (age: unknown, usual: string): number => {
  const text = typeof age === 'string' ? age : usual;
  return Number(text.slice(0, -1)) * (units[text.slice(-1)] ?? 1);
};

function toGate({ dataset = {}, evidence = [], validFor, parameters = {}, callers, ...rest }: Written): GateDefinition {
  const { maxAge, ...data } = dataset as Written;
  const { driftMaxAge, databaseMaxAge, penalties, ...numbers } = parameters as Written;
  return {
    ...rest,
    dataset: { required: true, points: 30, checkPoints: 0, ...data, maxAgeMs: toMs(maxAge, '24h') },
    evidence: (evidence as readonly Written[]).map(({ maxAge: age, ...one }) => ({
      ...{ points: 10, tool: null, producers: [] },
      ...one,
      maxAgeMs: toMs(age, '24h'),
    })),
    validForMs: toMs(validFor, '15m'),
    parameters: {
      ...{ fixableCriticals: 0, logLagSeconds: 60, revokeOn: ['LIVE_VALUES'], ...numbers, driftMaxAgeMs: toMs(driftMaxAge, '7d') },
      databaseMaxAgeMs: toMs(databaseMaxAge, '7d'),
      penalties: { critical: 40, high: 10, medium: 2, low: 0, unknown: 10, failed: 100, ...(penalties as Written | undefined) },
    },
    ...(callers === undefined ? {} : { callers: toCallers(callers as Written) }),
  } as unknown as GateDefinition;
}

/** Where nothing else is said it is the vendor's own service that asks. */
function toCallers({ github, gitlab, ...rest }: Written): Written {
  return {
    ...rest,
    ...(github ? { github: { api: GITHUB, environments: {}, ...(github as Written) } } : {}),
    ...(gitlab ? { gitlab: { api: GITLAB, ...(gitlab as Written) } } : {}),
  };
}

/** What a pipeline's own target and an Environment have in common. */
function withReasons(written: Written): Written {
  const { clones } = written;
  return {
    ...written,
    ...reasonedMember(written, 'sameServer'),
    ...reasonedMember(written, 'adopt'),
    ...(clones === undefined ? {} : { clones: { max: 10, hours: 24, ...(clones as Written) } }),
  };
}

function toPipeline(written: Written): PipelineDocument {
  const { source, target, tables, overrides, rulebook, checks, ...rest } = written;
  const from = typeof source === 'string' ? { connection: source } : (source as Written);
  const definition = {
    rulebook: rulebook ?? 'default',
    ...rest,
    source: { ...from, ...reasonedMember(from, 'writable') },
    target: typeof target === 'string' ? target : withReasons(target as Written),
    ...(tables === undefined
      ? {}
      : {
          tables: mapMembers(tables as Written, (table) => ({
            rows: toRows(typeof table === 'string' ? table : (table as Written)['rows']),
          })),
        }),
    ...(overrides === undefined ? {} : { overrides: overrides as readonly OverrideDefinition[] }),
    ...(checks === undefined ? {} : { checks: (checks as readonly Written[]).map(toCheck) }),
  };
  return definition as unknown as PipelineDocument;
}

function toCheck(written: Written): CheckDefinition {
  const toList = (columns: unknown): readonly string[] => (typeof columns === 'string' ? [columns] : (columns as readonly string[]));
  const { columns, to, ...rest } = written;
  const other = to as { readonly table: string; readonly columns: unknown } | undefined;
  return {
    severity: 'withhold',
    ...rest,
    ...(columns === undefined ? {} : { columns: toList(columns) }),
    ...(other === undefined ? {} : { to: { table: other.table, columns: toList(other.columns) } }),
  } as unknown as CheckDefinition;
}

function toRows(written: unknown): Rows {
  if (typeof written !== 'string') return written as { readonly where: string };
  if (written === 'all' || written === 'none') return written;
  return { where: written.slice('where'.length).trim() };
}

function reasonedMember(written: Written, name: string): Record<string, Reasoned> {
  const value = written[name];
  if (value === undefined) return {};
  return { [name]: typeof value === 'string' ? { reason: value } : (value as Reasoned) };
}

function toClassification(written: Written): ClassificationDefinition {
  const tables = mapMembers(written['tables'] as Written, (table): TableClassification => {
    const { columns, ...rest } = table as Written;
    if (columns === undefined) return rest;
    return { ...rest, columns: mapMembers(columns as Written, toColumn) };
  });
  return { ...written, tables } as unknown as ClassificationDefinition;
}

function toColumn(written: unknown): ColumnClassification {
  if (typeof written === 'string') return written;
  const { paths, rest, reason, expires } = written as Written;
  const known = { paths: paths as Readonly<Record<string, string>> };
  if (rest === undefined) return known;
  if (rest === 'drop') return { ...known, rest };
  return {
    ...known,
    rest: {
      action: 'keep',
      reason: (reason as string | undefined) ?? '',
      ...(expires === undefined ? {} : { expires: expires as string }),
    },
  };
}

function toRulebook(written: Written): RulebookDefinition {
  const toRule = (rule: unknown): RuleDefinition => (typeof rule === 'string' ? { transform: rule } : (rule as RuleDefinition));
  const rules = mapMembers(written['rules'] as Written, (rule) => (Array.isArray(rule) ? rule.map(toRule) : [toRule(rule)]));
  return { ...written, rules } as unknown as RulebookDefinition;
}

/** Without a prototype, so that a column named `constructor` is found only where it was written. */
function mapMembers<T>(members: Written, toMember: (value: unknown) => T): Readonly<Record<string, T>> {
  const result = Object.create(null) as Record<string, T>;
  for (const [key, value] of Object.entries(members)) result[key] = toMember(value);
  return result;
}

// A pipeline that names an Environment or Connections, as one that says it all itself: what the data plane gets has no names left to look up.
import { type Finding, toFinding } from '../kernel/errors.js';
import { findNearest } from '../kernel/nearest.js';
import type {
  ConnectionDefinition,
  Definition,
  Described,
  EnvironmentDefinition,
  PipelineDefinition,
  PipelineDocument,
  TargetDefinition,
} from '../pipeline/definition.js';
import { isReference } from './named.js';

export interface PlacedPipeline {
  readonly pipeline: Described<PipelineDefinition>;
  /** Where the two sides are, if a document says so; otherwise the pipeline has a reference. */
  readonly connections: {
    readonly source?: ConnectionDefinition;
    readonly target?: ConnectionDefinition;
    /** Of `swapSchemas`. */
    readonly builder?: ConnectionDefinition;
    /** Of `kafka`. */
    readonly proving?: ConnectionDefinition;
  };
  readonly used: readonly Described<Definition>[];
}

export function placePipeline(
  pipeline: Described<PipelineDocument>,
  definitions: readonly Described<Definition>[],
  findings: Finding[],
): PlacedPipeline {
  const { body, origin } = pipeline;
  const used: Described<Definition>[] = [];
  const find = <D extends Definition>(kind: D['kind'], name: string, from: Described<Definition>, path: string): D | undefined => {
    const all = definitions.filter((one): one is Described<D> => one.body.kind === kind);
    const found = all.find((one) => one.body.name === name);
    if (found) used.push(found);
    else {
      const names = all.map((one) => one.body.name);
      const expected = findNearest(name, names) ?? (names.join(', ') || 'none');
      const where = { file: from.origin.file, line: from.origin.line(path), name: `${kind.toLowerCase()} ${name}`, expected };
      findings.push(toFinding('DOCUMENT_NOT_FOUND', where));
    }
    return found?.body;
  };
  const connect = (name: string, from: Described<Definition>, path: string, system = 'postgres'): ConnectionDefinition | undefined => {
    const found = isReference(name) ? undefined : find<ConnectionDefinition>('Connection', name, from, path);
    const { system: said = 'postgres' } = found ?? { system };
    if (said !== system)
      findings.push(toFinding('CONNECTION_SYSTEM_OTHER', { file: from.origin.file, line: from.origin.line(path), name, expected: system }));
    return found;
  };
  const agree = (said: string | undefined, known: string | undefined, path: string, name: string): void => {
    if (said !== undefined && known !== undefined && said !== known)
      findings.push(toFinding('DOCUMENT_CONTRADICTION', { file: origin.file, line: origin.line(path), path: path.slice(1), name }));
  };

  const environment =
    typeof body.target === 'string' ? find<EnvironmentDefinition>('Environment', body.target, pipeline, '/target') : undefined;
  const written = typeof body.target === 'string' ? (environment ? toTarget(environment) : undefined) : body.target;
  const source = connect(body.source.connection, pipeline, '/source/connection');
  const holder = (environment && used.find((one) => one.body === environment)) ?? pipeline;
  const target =
    written &&
    connect(written.connection, holder, environment ? '/connection' : '/target/connection', 'kafka' in written ? 'kafka' : 'postgres');
  const swap = written?.swapSchemas;
  const builder = swap && connect(swap.builder, holder, environment ? '/swapSchemas/builder' : '/target/swapSchemas/builder');
  const proved = written?.kafka?.proving;
  const proving = proved === undefined ? undefined : connect(proved, holder, environment ? '/kafka/proving' : '/target/kafka/proving');
  agree(body.source.region, source?.region, '/source/region', `Connection ${source?.name ?? ''}`);
  agree(written?.region, target?.region, environment ? '/target' : '/target/region', `Connection ${target?.name ?? ''}`);
  const { retentionDays: longest = body.retentionDays } = environment ?? {};
  const placed = {
    ...body,
    source: { ...regionOf(source), ...body.source },
    // Without one a finding stops everything.
    target: { ...regionOf(target), ...written } as TargetDefinition,
    retentionDays: Math.min(body.retentionDays, longest),
  };
  return {
    pipeline: { body: placed, origin },
    connections: { ...(source && { source }), ...(target && { target }), ...(builder && { builder }), ...(proving && { proving }) },
    used: [...new Set(used)],
  };
}

const regionOf = (connection: ConnectionDefinition | undefined): { readonly region?: string } =>
  connection?.region === undefined ? {} : { region: connection.region };

const ownMembers: ReadonlySet<string> = new Set(['kind', 'name', 'owner', 'purpose', 'retentionDays']);

/** Owner and purpose are the environment's own: of the copy the pipeline says them. */
function toTarget(environment: EnvironmentDefinition): TargetDefinition {
  const shared = Object.entries(environment).filter(([member]) => !ownMembers.has(member));
  return { ...Object.fromEntries(shared), environment: environment.name } as TargetDefinition;
}

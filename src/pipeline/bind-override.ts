// Which override holds for which column. An override travels through a component as tags do: joined columns are masked alike or not at all.
import { type Finding, toFinding, type Where } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { findNearest } from '../kernel/nearest.js';
import { parseNamePattern } from '../kernel/sql-name.js';
import type { Resolution } from './classify/classify.js';
import type { Described, OverrideDefinition, PipelineDefinition } from './definition.js';

export interface PlacedOverride {
  readonly override: OverrideDefinition;
  readonly where: Where;
}

export class Overrides {
  readonly findings: Finding[] = [];
  /** By column name, then by path; '' is the whole column. */
  private readonly byColumn = new Map<string, Map<string, PlacedOverride>>();

  constructor(
    private readonly pipeline: Described<PipelineDefinition>,
    resolution: Resolution,
  ) {
    for (const [i, override] of (pipeline.body.overrides ?? []).entries()) this.place(override, i, resolution);
    for (const component of resolution.components) this.spread(component.columns, resolution);
  }

  /** The override of a path, else that of its whole column. */
  of(column: string, path = ''): PlacedOverride | undefined {
    const found = this.byColumn.get(column);
    return found?.get(path) ?? found?.get('');
  }

  private place(override: OverrideDefinition, i: number, resolution: Resolution): void {
    for (const [j, written] of override.columns.entries()) {
      const pattern = parseNamePattern(written);
      const where = { file: this.pipeline.origin.file, line: this.pipeline.origin.line(toPointer('overrides', i, 'columns', j)) };
      let used = false;
      for (const { table, columns } of resolution.tables) {
        for (const { name, column, paths } of columns.values()) {
          if (pattern?.matches(table.schema, table.name, column.name) !== true) continue;
          if (override.path !== undefined && paths?.has(override.path) !== true) continue;
          used = true;
          this.set(name, override.path ?? '', {
            override,
            where: { ...where, schema: table.schema, table: table.name, column: column.name },
          });
        }
      }
      if (used) continue;
      const names = resolution.tables.flatMap(({ columns }) => [...columns.values()].map(({ name }) => name));
      this.findings.push(
        toFinding('PLAN_OVERRIDE_UNUSED', { ...where, name: written, expected: findNearest(written, names) ?? 'schema.table.column' }),
      );
    }
  }

  private set(column: string, path: string, placed: PlacedOverride): void {
    const paths = this.byColumn.get(column) ?? new Map<string, PlacedOverride>();
    this.byColumn.set(column, paths);
    const other = paths.get(path);
    if (other && other.override !== placed.override) this.findings.push(toFinding('PLAN_OVERRIDE_TWICE', placed.where));
    paths.set(path, placed);
  }

  private spread(columns: readonly string[], resolution: Resolution): void {
    const known = new Set(resolution.tables.flatMap((table) => [...table.columns.values()].map(({ name }) => name)));
    const placed = columns.flatMap((column) => this.byColumn.get(column)?.get('') ?? []);
    const [first] = placed;
    if (!first) return;
    const other = placed.find(({ override }) => override !== first.override);
    if (other) this.findings.push(toFinding('PLAN_OVERRIDE_TWICE', other.where));
    for (const column of columns) if (known.has(column) && !this.of(column)) this.set(column, '', first);
  }
}

// Every text of the schema in which a person could stand: what a detector reads before a plan is accepted.
import {
  type Catalogue,
  type DomainObject,
  type SchemaObject,
  type Table,
  type ViewObject,
  toLabel,
  toObjectLabel,
} from '../../../pipeline/catalogue.js';

export type SchemaTextPart =
  | 'name'
  | 'comment'
  | 'default'
  | 'generated'
  | 'check'
  | 'constraint'
  | 'bound'
  | 'partition key'
  | 'index'
  | 'policy'
  | 'role'
  | 'enum'
  | 'view'
  | 'function'
  | 'trigger'
  | 'rule'
  | 'statistics'
  | 'option'
  | 'label';

export interface SchemaText {
  /** The object's label, which `schemaTexts` of a pipeline names: `function public.total(integer)`. */
  readonly object: string;
  readonly part: SchemaTextPart;
  readonly text: string;
}

export function schemaTexts(catalogue: Catalogue): readonly SchemaText[] {
  const schemas = catalogue.schemas.flatMap(({ name, comment }) => {
    const object = `schema ${toLabel(name)}`;
    return [{ object, part: 'name' as const, text: name }, ...toComment(object, comment)];
  });
  return [...schemas, ...catalogue.tables.flatMap(toTableTexts), ...catalogue.objects.flatMap(toObjectTexts)];
}

function toComment(object: string, comment: string | null): SchemaText[] {
  // A comment can be dropped without its object, so it has a label of its own.
  return comment === null ? [] : [{ object: `comment on ${object}`, part: 'comment', text: comment }];
}

function toTableTexts(table: Table): SchemaText[] {
  const object = `table ${toLabel(table.schema, table.name)}`;
  const own = (kind: string, name: string): string => `${kind} ${toLabel(table.schema, table.name, name)}`;
  const options = [...(table.options ?? []), ...(table.toastOptions ?? [])];
  return [
    { object, part: 'name', text: table.name },
    ...toComment(object, table.comment),
    ...(table.partitionBound === undefined ? [] : [{ object, part: 'bound' as const, text: table.partitionBound }]),
    ...(table.partitionKey ? [{ object, part: 'partition key' as const, text: table.partitionKey.definition }] : []),
    ...options.map((text) => ({ object, part: 'option' as const, text })),
    ...table.columns.flatMap((column): SchemaText[] => {
      const at = own('column', column.name);
      const text = column.expression;
      return [
        { object: at, part: 'name', text: column.name },
        ...toComment(at, column.comment),
        ...(text === null
          ? []
          : [
              column.generated === ''
                ? { object: own('default', column.name), part: 'default' as const, text }
                : { object: at, part: 'generated' as const, text },
            ]),
        ...column.labels.map(({ label }) => ({ object: at, part: 'label' as const, text: label })),
      ];
    }),
    ...table.constraints.flatMap((constraint): SchemaText[] => {
      const at = own('constraint', constraint.name);
      const part = constraint.kind === 'c' ? 'check' : 'constraint';
      return [
        { object: at, part: 'name', text: constraint.name },
        { object: at, part, text: constraint.definition },
        ...toComment(at, constraint.comment),
      ];
    }),
    ...table.indexes.flatMap((index) => toIndexTexts(table.schema, index)),
  ];
}

function toIndexTexts(schema: string, index: Table['indexes'][number]): SchemaText[] {
  const at = `index ${toLabel(schema, index.name)}`;
  return [
    { object: at, part: 'name', text: index.name },
    { object: at, part: 'index', text: index.definition },
    ...toComment(at, index.comment),
  ];
}

function toDomainCheckTexts(domain: DomainObject, constraint: DomainObject['constraints'][number]): SchemaText[] {
  const at = `domain constraint ${toLabel(domain.schema, domain.name, constraint.name)}`;
  const { name, definition, comment } = constraint;
  return [{ object: at, part: 'name', text: name }, { object: at, part: 'check', text: definition }, ...toComment(at, comment)];
}

function toViewColumnTexts(view: ViewObject, column: ViewObject['columns'][number]): SchemaText[] {
  const at = toObjectLabel(view);
  const text = column.defaultExpression;
  return [
    { object: at, part: 'name', text: column.name },
    ...toComment(`column ${toLabel(view.schema, view.name, column.name)}`, column.comment),
    ...(text === null ? [] : [{ object: at, part: 'default' as const, text }]),
  ];
}

function toObjectTexts(object: SchemaObject): SchemaText[] {
  const at = toObjectLabel(object);
  const texts: SchemaText[] = [{ object: at, part: 'name', text: object.name }, ...toComment(at, object.comment)];
  const add = (part: SchemaTextPart, text: string | null | undefined): void => {
    if (text !== null && text !== undefined && text !== '') texts.push({ object: at, part, text });
  };
  switch (object.kind) {
    case 'enum':
      for (const label of object.labels) add('enum', label);
      break;
    case 'domain':
      add('default', object.defaultExpression);
      texts.push(...object.constraints.flatMap((constraint) => toDomainCheckTexts(object, constraint)));
      break;
    case 'composite':
      for (const attribute of object.attributes) {
        add('name', attribute.name);
        texts.push(...toComment(`column ${toLabel(object.schema, object.name, attribute.name)}`, attribute.comment));
      }
      break;
    case 'function':
    case 'procedure':
      // The definition holds the body, the arguments' defaults and the settings.
      add('function', object.definition);
      break;
    case 'aggregate':
    case 'operator':
      for (const [, text] of object.clauses) add('function', text);
      break;
    case 'view':
    case 'materialized view':
      add('view', object.definition);
      texts.push(...object.columns.flatMap((column) => toViewColumnTexts(object, column)));
      texts.push(...object.indexes.flatMap((index) => toIndexTexts(object.schema, index)));
      break;
    case 'trigger':
    case 'rule':
    case 'statistics':
      add(object.kind, object.definition);
      break;
    case 'policy':
      add('policy', object.using);
      add('policy', object.check);
      for (const role of object.roles) add('role', role);
      break;
    case 'collation':
      for (const [, text] of object.options) add('option', text);
      break;
    case 'text search dictionary':
      add('option', object.options);
      break;
    case 'extension':
    case 'range':
    case 'cast':
    case 'sequence':
    case 'text search configuration':
      break;
  }
  return texts;
}

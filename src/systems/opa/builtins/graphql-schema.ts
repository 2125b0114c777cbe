// A GraphQL schema document: types, extensions, directives and the schema itself. It is read and not validated.
import { type Node, Reader, toNode } from './graphql-reader.js';
import { unfit } from './operand.js';

const locations = new Set(
  `QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION
  ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION`.split(/\s+/),
);

const typeKinds: Readonly<Record<string, string>> = {
  ...{ scalar: 'SCALAR', type: 'OBJECT', interface: 'INTERFACE', union: 'UNION', enum: 'ENUM', input: 'INPUT_OBJECT' },
};

export function parseSchema(text: string): Node {
  const reader = new Reader(text);
  const found = {
    Schema: [] as Node[],
    SchemaExtension: [] as Node[],
    Directives: [] as Node[],
    Definitions: [] as Node[],
    Extensions: [] as Node[],
  };
  while (reader.peek().kind !== 'end') {
    const description = readDescription(reader);
    if (reader.isWord('extend')) {
      if (description !== '') return unfit();
      reader.next();
      if (reader.isWord('schema')) found.SchemaExtension.push(readSchema(reader, '', true));
      else found.Extensions.push(readType(reader, '', true));
    } else if (reader.isWord('schema')) found.Schema.push(readSchema(reader, description, false));
    else if (reader.isWord('directive')) found.Directives.push(readDirective(reader, description));
    else found.Definitions.push(readType(reader, description, false));
  }
  return toNode(found);
}

function readDescription(reader: Reader): string {
  const { kind } = reader.peek();
  return kind === 'string' || kind === 'block' ? reader.next().value : '';
}

function readSchema(reader: Reader, Description: string, isExtension: boolean): Node {
  reader.word('schema');
  const Directives = reader.directives(true);
  const OperationTypes = reader.some('{', '}', () => {
    const Operation = reader.name();
    if (!['query', 'mutation', 'subscription'].includes(Operation)) return unfit();
    reader.expect(':');
    return { Operation, Type: reader.name() };
  });
  if (isExtension && Directives.length + OperationTypes.length === 0) return unfit();
  return toNode({ Description, Directives, OperationTypes });
}

function readType(reader: Reader, Description: string, isExtension: boolean): Node {
  const word = reader.name();
  const Kind = typeKinds[word] ?? unfit();
  const Name = reader.name();
  const Interfaces = word === 'type' || (word === 'interface' && !isExtension) ? readInterfaces(reader) : [];
  const Directives = reader.directives(!(isExtension && word === 'input'));
  const body = readBody(reader, word);
  const node = toNode({ Kind, Description, Name, Interfaces, Directives, ...body, BuiltIn: false });
  // An extension has to extend something.
  if (isExtension && Interfaces.length + Directives.length + Object.values(body).flat().length === 0) return unfit();
  return node;
}

function readBody(reader: Reader, word: string): Readonly<Record<string, readonly unknown[]>> {
  if (word === 'type' || word === 'interface') return { Fields: reader.some('{', '}', () => readField(reader)) };
  if (word === 'input') return { Fields: reader.some('{', '}', () => readInput(reader)) };
  if (word === 'enum') return { EnumValues: reader.some('{', '}', () => readEnumValue(reader)) };
  if (word === 'scalar' || !reader.skip('=')) return {};
  reader.skip('|');
  const Types = [reader.name()];
  while (reader.skip('|')) Types.push(reader.name());
  return { Types };
}

function readInterfaces(reader: Reader): string[] {
  if (!reader.isWord('implements')) return [];
  reader.next();
  reader.skip('&');
  const names = [reader.name()];
  while (reader.skip('&')) names.push(reader.name());
  return names;
}

function readField(reader: Reader): Node {
  const [Description, Name] = [readDescription(reader), reader.name()];
  const Arguments = reader.some('(', ')', () => readInput(reader));
  reader.expect(':');
  return toNode({ Description, Name, Arguments, Type: reader.type(), Directives: reader.directives(true) });
}

function readInput(reader: Reader): Node {
  const [Description, Name] = [readDescription(reader), reader.name()];
  reader.expect(':');
  const Type = reader.type();
  const DefaultValue = reader.skip('=') ? reader.value(true) : undefined;
  return toNode({ Description, Name, Type, DefaultValue, Directives: reader.directives(true) });
}

function readEnumValue(reader: Reader): Node {
  return toNode({ Description: readDescription(reader), Name: reader.name(), Directives: reader.directives(true) });
}

function readDirective(reader: Reader, Description: string): Node {
  reader.word('directive');
  reader.expect('@');
  const [Name, Arguments] = [reader.name(), reader.some('(', ')', () => readInput(reader))];
  const IsRepeatable = reader.isWord('repeatable');
  if (IsRepeatable) reader.next();
  reader.word('on');
  reader.skip('|');
  const Locations = [reader.name()];
  while (reader.skip('|')) Locations.push(reader.name());
  return Locations.every((name) => locations.has(name)) ? toNode({ Description, Name, Arguments, Locations, IsRepeatable }) : unfit();
}

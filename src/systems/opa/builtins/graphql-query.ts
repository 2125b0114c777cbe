// A GraphQL query document: operations and fragments.
import { type Node, Reader, toNode } from './graphql-reader.js';
import { unfit } from './operand.js';

const operations = ['query', 'mutation', 'subscription'];

export function parseQuery(text: string): Node {
  const reader = new Reader(text);
  const found: { Operations: Node[]; Fragments: Node[] } = { Operations: [], Fragments: [] };
  while (reader.peek().kind !== 'end') {
    if (reader.isWord('fragment')) found.Fragments.push(readFragment(reader));
    else found.Operations.push(readOperation(reader));
  }
  return toNode(found);
}

function readOperation(reader: Reader): Node {
  if (reader.isAt('{')) return { Name: '', Operation: 'query', SelectionSet: readSelections(reader) };
  const Operation = reader.name();
  if (!operations.includes(Operation)) return unfit();
  const Name = reader.peek().kind === 'name' ? reader.name() : '';
  return toNode({
    ...{ Operation, Name, VariableDefinitions: readVariables(reader), Directives: reader.directives(false) },
    SelectionSet: readSelections(reader),
  });
}

function readVariables(reader: Reader): Node[] {
  return reader.some('(', ')', () => {
    const Variable = reader.variable();
    reader.expect(':');
    const Type = reader.type();
    const DefaultValue = reader.skip('=') ? reader.value(true) : undefined;
    return toNode({ Variable, Type, DefaultValue, Directives: reader.directives(false), Used: false });
  });
}

function readSelections(reader: Reader): Node[] {
  return reader.isAt('{') ? reader.some('{', '}', () => (reader.isAt('...') ? readSpread(reader) : readField(reader))) : unfit();
}

function readField(reader: Reader): Node {
  const Alias = reader.name();
  const Name = reader.skip(':') ? reader.name() : Alias;
  return toNode({
    ...{ Alias, Name, Arguments: reader.arguments(false), Directives: reader.directives(false) },
    SelectionSet: reader.isAt('{') ? readSelections(reader) : undefined,
  });
}

function readSpread(reader: Reader): Node {
  reader.expect('...');
  const { kind, value } = reader.peek();
  if (kind === 'name' && value !== 'on') return toNode({ Name: reader.name(), Directives: reader.directives(false) });
  const isTyped = reader.isWord('on');
  if (isTyped) reader.next();
  const TypeCondition = isTyped ? reader.name() : '';
  return toNode({ TypeCondition, Directives: reader.directives(false), SelectionSet: readSelections(reader) });
}

function readFragment(reader: Reader): Node {
  reader.word('fragment');
  if (reader.isWord('on')) return unfit();
  const [Name, VariableDefinition] = [reader.name(), readVariables(reader)];
  reader.word('on');
  return toNode({
    ...{ Name, VariableDefinition, TypeCondition: reader.name(), Directives: reader.directives(false) },
    SelectionSet: readSelections(reader),
  });
}

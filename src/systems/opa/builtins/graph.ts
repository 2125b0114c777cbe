// graph.reachable_paths: all ways from the roots to an end, to a node that is not in the graph, or back to where one was.
import { RegoSet, type RegoObject, type Value } from '../value.js';
import type { Family } from './builtin.js';
import { isArray, itemsOf, objectOf } from './operand.js';

function edgesOf(graph: RegoObject, node: Value): readonly Value[] | undefined {
  const edges = graph.get(node);
  if (edges === undefined) return undefined;
  return edges instanceof RegoSet || isArray(edges) ? itemsOf(edges) : [];
}

function follow(graph: RegoObject, node: Value, path: readonly Value[], seen: readonly Value[], found: Value[]): void {
  const edges = edgesOf(graph, node);
  if (edges === undefined) return void found.push(path);
  const longer = [...path, node];
  if (edges.length === 0) return void found.push(longer);
  const reached = [...seen, node];
  const known = new RegoSet(reached);
  for (const edge of edges) {
    if (known.has(edge)) found.push(longer);
    else follow(graph, edge, longer, reached, found);
  }
}

export const graphBuiltins: Family = {
  'graph.reachable_paths': ([given, roots]) => {
    const graph = objectOf(given);
    const found: Value[] = [];
    for (const root of itemsOf(roots)) {
      const edges = edgesOf(graph, root);
      if (edges?.length === 0) found.push([root]);
      for (const edge of edges ?? []) follow(graph, edge, [root], [root], found);
    }
    return new RegoSet(found);
  },
};

// A routine that has the name, arguments, result and settings of another and does nothing: while the template is made, the provisioning role's
// rights are at hand, and no body of the source may run with them.
import type { RoutineObject, SchemaObject } from '../../../pipeline/catalogue.js';

const body = `$stub$BEGIN RETURN NULL; END$stub$`;

/** The definition without its body, as pg_get_functiondef writes both. Undefined where it is not written so. */
export function toHead({ definition, body: own }: RoutineObject): string | undefined {
  const quote = /\$(?:function|procedure)x*\$$/.exec(definition)?.[0];
  const text = quote === undefined ? undefined : `AS ${quote}${own}${quote}`;
  if (text !== undefined && definition.endsWith(text)) return definition.slice(0, -text.length);
  const bound = own.trim();
  return bound !== '' && definition.endsWith(bound) ? definition.slice(0, -bound.length) : undefined;
}

/** Whether the body is a text that is looked into when it runs, and not one that the server has bound. */
export function hasTextBody({ definition, body: own }: RoutineObject): boolean {
  const quote = /\$(?:function|procedure)x*\$$/.exec(definition)?.[0];
  return quote !== undefined && definition.endsWith(`AS ${quote}${own}${quote}`);
}

/** In PL/pgSQL whatever the language was: what is called gives NULL, and the server makes nothing of it before. */
export function toStub(object: SchemaObject): SchemaObject {
  if (object.kind !== 'function' && object.kind !== 'procedure') return object;
  const head = toHead(object);
  // Then the template fails at it, by name, and nothing of it runs.
  if (head === undefined) return { ...object, definition: 'CREATE FUNCTION' };
  const word = '\n LANGUAGE sql\n';
  const at = head.lastIndexOf(word);
  const spoken = at < 0 ? head : `${head.slice(0, at)}\n LANGUAGE plpgsql\n${head.slice(at + word.length)}`;
  return { ...object, definition: `${spoken}AS ${body}` };
}

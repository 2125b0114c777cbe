// Paths as they may be shown: a key that a detector knows, or that is no plain word, is `*`. The document's own paths too, and those that a masking
// thread names: it knows only what a plain word looks like.
import { BautaError, type Finding, toError, toFinding, type Where } from '../kernel/errors.js';
import { toShownKey } from './classify/classify.js';

/** `contact.email`, `items[].name`, `order.@id`; of a name of XML prefix and name each for itself. */
export function toShownPath(path: string): string {
  if (path === '' || path === '$') return path;
  const keys = path.match(/"(?:[^"\\]|\\.|"")*"(?:\[\])*|[^."]+/g) ?? [];
  return keys.map(toShownPart).join('.');
}

function toShownPart(part: string): string {
  const [, mark = '', name = '', elements = ''] = /^([@#]?)(.*?)((?:\[\])*)$/su.exec(part) ?? [];
  return mark + (name === '' ? '' : name.split(':').map(toShownKey).join(':')) + elements;
}

export function toShownFinding(finding: Finding): Finding {
  const where = toShownWhere(finding.where);
  return where === finding.where ? finding : toFinding(finding.code, where, finding.severity);
}

/** The same error, or one like it with a path that may be shown. */
export function toShownError(error: unknown): unknown {
  if (!(error instanceof BautaError)) return error;
  const where = toShownWhere(error.where);
  return where === error.where ? error : toError(error.code, where, error.findings);
}

function toShownWhere(where: Where): Where {
  const path = where.path === undefined ? undefined : toShownPath(where.path);
  return path === where.path ? where : { ...where, path };
}

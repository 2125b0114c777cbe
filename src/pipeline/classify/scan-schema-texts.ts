// Personal data in the schema itself: defaults, checks, bounds, labels, comments, bodies, names. The text is never shown.
import { type Finding, sortFindings, toFinding } from '../../kernel/errors.js';
import type { PipelineDefinition } from '../definition.js';
import { detectText, type Hit } from './detectors/detectors.js';
import { isPersonIdentifier } from './detectors/names.js';

/** As the catalogue's reader lists them. */
export interface ScannedText {
  readonly object: string;
  readonly part: string;
  readonly text: string;
}

/**
 * One finding per object, part and rule. An object that the pipeline drops has none; one that it keeps has a warning, which is reported, until
 * the day after `expires` (`today` as `YYYY-MM-DD`).
 */
export function scanSchemaTexts(
  texts: readonly ScannedText[],
  kept: NonNullable<PipelineDefinition['schemaTexts']>,
  today: string,
): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const { object, part, text } of texts) {
    const decided = kept.find((entry) => entry.object === object);
    if (decided?.action === 'drop') continue;
    const holds = decided?.action === 'keep' && (decided.expires === undefined || decided.expires >= today);
    for (const { rule } of findIn(part, text)) {
      const where = { object: toShownObject(object), name: part, rule };
      findings.set(JSON.stringify([object, part, rule]), toFinding('SCHEMA_TEXT_PERSONAL', where, holds ? 'warning' : 'error'));
    }
  }
  return sortFindings([...findings.values()]);
}

function findIn(part: string, text: string): readonly Hit[] {
  const hits = detectText(text);
  const role = part === 'role' && isPersonIdentifier(text) && !hits.some(({ rule }) => rule === 'content/full-name');
  return role ? [...hits, { rule: 'content/full-name', tag: 'pii.full-name' }] : hits;
}

/** A name may be the very thing that was found: then only the kind of the object is shown. */
function toShownObject(object: string): string {
  return detectText(object).length > 0 ? `${/^[a-z ]{1,40}(?= )/.exec(object)?.[0] ?? 'object'} *` : object;
}

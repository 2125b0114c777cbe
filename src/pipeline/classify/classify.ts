// Which columns speak of a person, of which kind, and who says so.
export { type Component, toEdges } from './components.js';
export { type ResolvedColumn, type ResolvedTable, type Resolution, type ResolveInput, resolveTags } from './resolve.js';
export { findAtPath, isOpen, isPath, toPathKey, toShape } from './shape.js';
export { type PersonRoute } from './subject.js';
export { detectText, detectValue, type Hit, isDataKey, toShownKey } from './detectors/detectors.js';
export { isIban, isPan } from './detectors/money.js';
export { type Guess, guessByName } from './detect.js';
export { type ScannedText, scanSchemaTexts } from './scan-schema-texts.js';
export { type Suggestion, suggest } from './suggest.js';
export { type ClassificationDraft, type ColumnDraft, type TableDraft, toClassification } from './to-classification.js';
export { check, type CheckedFinding } from './check.js';
export { confirm, type Confirmed, type ConfirmInput } from './confirm.js';

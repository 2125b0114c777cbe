// Text as people may be shown it: nothing in it hides, turns the line around or breaks the file it stands in. JSON and CSV keep values as they are.

/** Characters that show nothing and change what is seen around them: control, direction, invisible. Tab and line feed stay. */
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]/g;

/** Every character is one that XML 1.0 and HTML allow; unseen ones are named, for example `[U+202E]`. */
export function toShown(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(UNSEEN, (found) => `[U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`);
}

/** For HTML and XML, in text and in attributes with either quote. */
export function escapeMarkup(text: string): string {
  return toShown(text).replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}

/** Whole numbers with commas, others as they are: 10000 → `10,000`. */
export function toShownNumber(value: number): string {
  if (!Number.isFinite(value)) return 'unknown';
  const [whole = '', fraction] = String(value).split('.');
  if (/e/.test(String(value))) return String(value);
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

// National identification numbers: where there is a check digit it decides, else the form.
import { passesBsn, passesDni, passesNir, passesPesel, passesTaxIdOfGermany } from './check-digits.js';
import type { Detector } from './detector.js';

const tag = 'pii.national-id';
// Areas 000, 666 and 9xx were never issued: masked data has them, and is an SSN column all the same.
const anySsn = /^\d{3}-\d{2}-\d{4}$/;
const ssnInText = /(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/;
const nino = /^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]$/;
const ninoInText = /(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)/;
const fiscal = /^[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]$/;
const fiscalInText = /(?<!\w)[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)/;

const compact = (value: string): string => value.replace(/[ .-]/g, '').toUpperCase();

export const identity: readonly Detector[] = [
  { rule: 'content/ssn', tag, kinds: ['text'], confidence: 0.92, matches: (v) => anySsn.test(v), isIn: (text) => ssnInText.test(text) },
  { rule: 'content/nino', tag, kinds: ['text'], confidence: 0.95, matches: (v) => nino.test(v), isIn: (text) => ninoInText.test(text) },
  {
    rule: 'content/codice-fiscale',
    tag,
    kinds: ['text'],
    confidence: 0.97,
    matches: (v) => fiscal.test(v.toUpperCase()),
    isIn: (text) => fiscalInText.test(text),
  },
  { rule: 'content/dni', tag, kinds: ['text'], confidence: 0.95, matches: (v) => passesDni(compact(v)) },
  { rule: 'content/nir', tag, kinds: ['text', 'number'], confidence: 0.95, matches: (v) => passesNir(compact(v)) },
  { rule: 'content/pesel', tag, kinds: ['text', 'number'], confidence: 0.93, matches: (v) => passesPesel(v) },
  {
    rule: 'content/steuer-id',
    tag,
    kinds: ['text', 'number'],
    confidence: 0.85,
    matches: (v) => passesTaxIdOfGermany(v.replaceAll(' ', '')),
  },
  { rule: 'content/bsn', tag, kinds: ['text', 'number'], confidence: 0.8, matches: (v) => passesBsn(v.replaceAll('.', '')) },
];

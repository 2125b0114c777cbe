// What the pairing of rows counts, said plainly: rows meet in a map, units are kept in another. Scope `value`, rows told apart by a key.

export interface PairedRow {
  readonly key: string;
  /** As COPY wrote it. */
  readonly value: string;
}

export interface PairsSeen {
  readonly pairs: number;
  readonly units: number;
  /** Units whose first pseudonym is the original, whatever its case. */
  readonly fixed: number;
  /** Pairs whose pseudonym is not the first one of their original; those without a letter, and without a digit but 0, are taken for one. */
  readonly other: number;
  readonly nullsFilled: number;
  readonly nullsMade: number;
  readonly expected: number;
}

/** Letters and digits of a value, escapes left out, and the chance of those beyond ASCII: one of so many each. */
function measure(value: string): {
  readonly digits: number;
  readonly letters: number;
  readonly chance: number;
  readonly telling: boolean;
} {
  const plain = value.replace(/\\./gs, '');
  const [digits, letters] = [plain.replace(/[^0-9]/g, '').length, plain.replace(/[^a-z]/g, '').length];
  const beyond = (plain.match(/[\p{L}\p{N}\p{Co}]/gu) ?? []).filter((sign) => sign > '\u00c0');
  const toSize = (sign: string): number =>
    /[々〆〇]/u.test(sign) ? 3 : /[一-龥]/u.test(sign) ? 20_902 : /[가-힣]/u.test(sign) ? 11_172 : /[ø-ÿσ-ϋ]/u.test(sign) ? 7 : 16;
  const chance = beyond.reduce((product, sign) => product / toSize(sign), 1);
  return { digits, letters, chance, telling: letters > 0 || beyond.length > 0 || /[1-9]/.test(plain) };
}

/** `drawn`: so many digits are not drawn; a value that chance gives in more than one case of a hundred is no unit. */
export function pairSlowly(
  source: readonly PairedRow[],
  output: readonly PairedRow[],
  small: (text: string) => string,
  drawn: number,
): PairsSeen {
  const byKey = new Map(output.map(({ key, value }) => [key, value]));
  const first = new Map<string, string | undefined>();
  const told = (pseudonym: string): string => (measure(small(pseudonym)).telling ? small(pseudonym) : '');
  const seen = { pairs: 0, units: 0, fixed: 0, other: 0, nullsFilled: 0, nullsMade: 0, expected: 0 };
  for (const { key, value } of source) {
    const pseudonym = byKey.get(key);
    const isNull = value === '\\N';
    const { digits, letters, chance: beyond, telling } = measure(small(value));
    const chance = 10 ** -Math.max(0, digits - drawn) * 26 ** -letters * beyond;
    const isUnit = !isNull && telling;
    const isLikely = chance > 0.0101;
    if (isUnit && !first.has(value)) {
      first.set(value, undefined);
      if (!isLikely) {
        seen.units++;
        seen.expected += chance;
      }
    }
    if (pseudonym === undefined) continue;
    seen.pairs++;
    if (isNull && pseudonym !== '\\N') seen.nullsFilled++;
    if (!isNull && pseudonym === '\\N') seen.nullsMade++;
    if (!isUnit || pseudonym === '\\N') continue;
    const known = first.get(value);
    if (known === undefined) {
      first.set(value, told(pseudonym));
      if (small(value) === small(pseudonym) && !isLikely) seen.fixed++;
    } else if (known !== told(pseudonym)) seen.other++;
  }
  return seen;
}

import { describe, expect, it } from '@jest/globals';
import { findPersonal, type Known } from './find-personal.js';

const find = (text: string, known: readonly Known[] = []): string[] =>
  findPersonal(text, known).map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`);

describe('what is found in free text', () => {
  it('is e-mail addresses, phones, card and account numbers with right check digits', () => {
    expect(find('Mail anna.b@corp.co.uk. Call +46 (0)70-123 45 67!')).toEqual(['email:anna.b@corp.co.uk', 'phone:+46 (0)70-123 45 67']);
    expect(find('card 4111 1111 1111 1111, or 4111 1111 1111 1112')).toEqual(['pan:4111 1111 1111 1111', 'phone:4111 1111 1111 1112']);
    expect(find('to DE89 3704 0044 0532 0130 00 please')).toEqual(['iban:DE89 3704 0044 0532 0130 00']);
    expect(find('xx gb29nwbk60161331926819')).toEqual(['iban:gb29nwbk60161331926819']);
  });

  it('is not a date, a short number or a word', () => {
    expect(find('on 2024-01-15 order 12345 of Anna')).toEqual([]);
  });

  it('is what the row says of its person, as whole words and whatever the case', () => {
    const known = [
      { original: 'Anna Ek', masked: 'Mira Dahl' },
      { original: 'Ek', masked: 'Dahl' },
    ];
    expect(find('ANNA EK, Ek and Ekström; Åsa-Ek', known)).toEqual(['known:ANNA EK', 'known:Ek', 'known:Ek']);
  });

  it('is a number in the digits of any script', () => {
    expect(find('電話は０９０－１２３４－５６７８です')).toEqual(['phone:０９０－１２３４－５６７８']);
    expect(find('اتصل على ٠١٠٠١٢٣٤٥٦٧')).toEqual(['phone:٠١٠٠١٢٣٤٥٦٧']);
    expect(find('कार्ड ४१११ ११११ ११११ ११११')).toEqual(['pan:४१११ ११११ ११११ ११११']);
    expect(find('２０２４-０１-１５')).toEqual([]);
  });

  it('is a name of the row where its script puts no space around it', () => {
    const known = ['田中太郎', '田中', '김철수', 'أحمد', 'สมชาย', 'Иванов', 'Ayşe'].map((original) => ({ original, masked: 'x' }));
    expect(find('本日田中太郎様より、田中さんへ', known)).toEqual(['known:田中太郎', 'known:田中']);
    expect(find('김철수가 전화함; وأحمد', known)).toEqual(['known:김철수', 'known:أحمد']);
    expect(find('คุณสมชายโทรมา', known)).toEqual(['known:สมชาย']);
    expect(find('ИВАНОВ и Иванова', known)).toEqual(['known:ИВАНОВ']);
    expect(find('İzmir: AYŞE', known)).toEqual(['known:AYŞE']);
  });

  it('takes time in proportion to the text', () => {
    const hostile = ['a'.repeat(200_000), '1 '.repeat(100_000), 'a@'.repeat(100_000), 'DE12 '.repeat(40_000)];
    const startedAt = performance.now();
    for (const text of hostile) findPersonal(text, []);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});

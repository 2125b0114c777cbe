// Columns whose values are names in one script that is not Latin: masked they raise no alarm, and what was let through in them is found and withheld.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { transforms } from '../../src/pipeline/mask/mask.js';
import { type Copied, copyOf, letThrough, lookAt } from '../support/mutants.js';

const words = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text.split(' '));
const name = (first: string, last: string, between: string): fc.Arbitrary<string> =>
  fc.tuple(words(last), words(last), words(first), words(first)).map(([a, b, c, d]) => `${a}${b}${between}${c}${d}`);

const names: Readonly<Record<string, fc.Arbitrary<string>>> = {
  Bulgarian: name('Иван Мария Георги Елена Стоян Цветан Ърша Юлия', 'ов ева ски Димит Петр Стан Жив Щер', ' '),
  Ukrainian: name('Ївга Єва Олексій Ґалаґан Ірина Тарас', 'Шев Ков Бойк Їжак Ґонт Мельн', ' '),
  Greek: name('Γιώργος Ελένη Άννα Ηλίας Σωτήρης Ζωή', 'Παπ Αθαν Οικον Νικολ Ξέν Ψαρ', ' '),
  Armenian: name('Արամ Անահիտ Դավիթ Նարե', 'Սարգ Հակոբ Պետր Գրիգ', ' '),
  Georgian: name('გიორგი ნინო დავით თამარ', 'ბერ კაპ ლომ ჩხე', ' '),
  Japanese: name('太 郎 花 子 翔 美 健 陽 々', '田 中 佐 藤 鈴 木 渡 辺 山 本', ''),
  'Japanese in Kana': name('タロ ハナ ケン ヨウ ショ', 'タナ サト スズ ワタ ヤマ', '　'),
  Chinese: name('伟 芳 娜 敏 静 丽 强 磊 军 洋', '王 李 张 刘 陈 杨 黄 赵 吴 周', ''),
  Korean: name('철 수 영 희 민 준 서 연 지 우', '김 이 박 최 정 강 조 윤 장 임', ''),
  Arabic: name('محمد أحمد فاطمة علي عمر خديجة', 'الحسن العلوي المصري الخطيب', ' '),
  Hebrew: name('נועה דוד משה רחל', 'כהן לוי מזרחי פרץ', ' '),
  Hindi: name('प्रिया राहुल अमित नेहा सीता', 'शर्मा वर्मा गुप्ता सिंह', ' '),
  Thai: name('สมชาย สมหญิง วิชัย มาลี', 'ใจดี แสงทอง ศรีสุข บุญมี', ' '),
};
const tried = transforms.filter(({ name: one }) => ['pattern', 'text-key', 'replace', 'last-name'].includes(one));
const cases = Object.entries(names).flatMap(([script, value]) => tried.map((transform) => ({ script, value, transform })));

const codesOf = async (copied: Copied): Promise<readonly string[]> => [...new Set((await lookAt(copied)).findings.map(({ code }) => code))];

/** The output with the original in some rows, as `toText` writes it. */
function mix(copied: Copied, isOriginal: (row: number) => boolean, toText = (text: string): string => text): Copied {
  return { ...copied, output: copied.output.map((value, row) => (isOriginal(row) ? toText(copied.source[row] as string) : value)) };
}

it('tries each transform that it names', () => expect(tried.length).toBe(4));

describe.each(cases)('a column of $script names under $transform.name', ({ value, transform }) => {
  it('is compared row by row, raises no alarm masked, and is withheld where it is not, or only half', async () => {
    const honest = await copyOf(transform, { type: 'text', value }, 2_000, 'key 1', 3);
    const { findings, verdicts } = await lookAt(honest);
    expect(findings).toEqual([]);
    expect(verdicts.map(({ verdict, pairs }) => [verdict, (pairs?.distinct ?? 0) > 50])).toEqual([['rate', true]]);
    expect(await codesOf(mix(honest, () => true))).toContain('VERIFY_FIXED_POINTS');
    expect(await codesOf(mix(honest, (row) => row % 2 === 0, (text) => text.toUpperCase()))).toContain('VERIFY_FIXED_POINTS'); // prettier-ignore
    expect(await codesOf(letThrough(honest))).not.toEqual([]);
  });
});

// Sentences that people write about people, made up from the repository's word tables, with a label on every stretch that is personal. The same
// seed gives the same sentences. Forms were chosen for what mail and call notes look like, not for what the finder finds: names of others than the
// row's person, obfuscated addresses, short local numbers and typing errors are among them.
import { toIbanDigits, toLuhnDigit } from '../src/pipeline/check-digits.js';
import { loadWords } from '../src/pipeline/mask/words.js';

export type Label = 'own name' | 'other name' | 'e-mail' | 'phone' | 'card' | 'account';

export interface Sentence {
  readonly language: string;
  readonly text: string;
  readonly labels: readonly { readonly label: Label; readonly start: number; readonly end: number }[];
  /** What the row's other columns say: names, e-mail, phone. */
  readonly known: readonly string[];
}

/** `{own}`, `{other}`: names; the rest by its kind; `{order}`, `{date}`, `{amount}` are nobody's. */
const templates: Readonly<Record<string, readonly string[]>> = {
  en: ['{own} called about order {order}, ring back on {phone}.', 'Customer asked to change the address to {email} as of {date}.', 'Spoke with {other}, the neighbour of {own}; card {card} was declined.', 'Refund of {amount} to {account} for {own}.', 'Please forward to {email}, cc {other}.', 'No answer at {phone}, parcel {order} left with {other}.', 'Nothing to add.'],
  de: ['{own} hat wegen Bestellung {order} angerufen, Rückruf unter {phone}.', 'Neue Adresse ist {email}, gültig ab {date}.', 'Gutschrift über {amount} auf {account}.', 'Herr {other} nimmt das Paket für {own} an.', 'Karte {card} wurde abgelehnt, bitte {other} fragen.', 'Kunde wünscht keinen Anruf mehr.'],
  fr: ['{own} a appelé au sujet de la commande {order}, rappeler le {phone}.', 'Nouvelle adresse : {email}, à partir du {date}.', 'Remboursement de {amount} sur {account}.', 'Carte {card} refusée, voir avec {other}.', 'Colis remis à {other}.'],
  es: ['{own} llamó por el pedido {order}; devolver la llamada al {phone}.', 'Escribir a {email} antes del {date}.', 'Abono de {amount} en {account}.', 'La tarjeta {card} fue rechazada, avisar a {other}.'],
  it: ['{own} ha chiamato per l’ordine {order}, richiamare il {phone}.', 'Nuovo indirizzo {email} dal {date}.', 'Rimborso di {amount} su {account}.', 'Carta {card} rifiutata, chiedere a {other}.'],
  nl: ['{own} belde over bestelling {order}, terugbellen op {phone}.', 'Nieuw adres is {email} vanaf {date}.', 'Terugbetaling van {amount} op {account}.', 'Pakket {order} afgegeven bij {other}.'],
  pl: ['{own} dzwonił w sprawie zamówienia {order}, oddzwonić na {phone}.', 'Nowy adres {email} od {date}.', 'Zwrot {amount} na {account}.', 'Kartę {card} odrzucono, zapytać {other}.'],
  tr: ['{own} {order} siparişi için aradı, {phone} numarasından geri arayın.', 'Yeni adres {email}, {date} tarihinden itibaren.', '{amount} iade {account} hesabına.', '{card} kartı reddedildi, {other} ile görüşün.'],
}; // prettier-ignore

const providers = ['gmail.com', 'web.de', 'orange.fr', 'yahoo.es', 'libero.it', 'ziggo.nl', 'wp.pl', 'mail.com.tr', 'acme-logistics.co.uk'];
const banks: Readonly<Record<string, [country: string, digits: number]>> = {
  en: ['AE', 19], de: ['DE', 18], fr: ['ES', 20], es: ['ES', 20], it: ['PT', 21], nl: ['BE', 12], pl: ['PL', 24], tr: ['TR', 22],
}; // prettier-ignore

/** Deterministic: a 32-bit xorshift. */
class Dice {
  constructor(private state: number) {}

  below(count: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % count;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  digits(count: number): string {
    return Array.from({ length: count }, () => this.below(10)).join('');
  }
}

export function makeCorpus(count: number, seed = 2026): readonly Sentence[] {
  const dice = new Dice(seed);
  const languages = Object.keys(templates);
  return Array.from({ length: count }, (_, i) => makeSentence(languages[i % languages.length] as string, dice));
}

function makeSentence(language: string, dice: Dice): Sentence {
  const person = makePerson(language, dice);
  const makers: Readonly<Record<string, readonly [Label | undefined, () => string]>> = {
    own: ['own name', () => dice.of([person.full, person.full, person.first, person.last, `${person.last}, ${person.first}`, misspell(person.full, dice)])],
    other: ['other name', () => makePerson(language, dice).full],
    email: ['e-mail', () => dice.of([person.email, person.email, makePerson(language, dice).email, person.email.replace('@', ' (at) ')])],
    phone: ['phone', () => dice.of([person.phone, makePhone(dice), makePhone(dice)])],
    card: ['card', () => group(makeCard(dice), dice.of(['', ' ', '-']))],
    account: ['account', () => group(makeAccount(language, dice), dice.of(['', ' ']))],
    order: [undefined, () => dice.of([`#${dice.digits(5)}`, `ORD-${dice.digits(6)}`, dice.digits(10)])],
    date: [undefined, () => `${1 + dice.below(28)}.${1 + dice.below(12)}.202${dice.below(7)}`],
    amount: [undefined, () => `${dice.digits(2)},${dice.digits(2)} EUR`],
  }; // prettier-ignore
  let text = '';
  const labels: { label: Label; start: number; end: number }[] = [];
  for (const part of dice.of(templates[language] as readonly string[]).split(/(\{\w+\})/)) {
    const [label, make] = makers[part.slice(1, -1)] ?? [undefined, () => part];
    const start = text.length;
    text += make();
    if (label) labels.push({ label, start, end: text.length });
  }
  return { language, text, labels, known: [person.full, person.first, person.last, person.email, person.phone] };
}

interface Person {
  readonly first: string;
  readonly last: string;
  readonly full: string;
  readonly email: string;
  readonly phone: string;
}

function makePerson(language: string, dice: Dice): Person {
  const [first, last] = [pickWord(`first-names-${language}`, dice), pickWord(`last-names-${language}`, dice)];
  const plain = (name: string): string => name.normalize('NFKD').replace(/[^A-Za-z]/g, '').toLowerCase() || 'x'; // prettier-ignore
  const user = dice.of([`${plain(first)}.${plain(last)}`, `${plain(first)}${dice.digits(2)}`, `${plain(first)[0] ?? ''}_${plain(last)}`]);
  return { first, last, full: `${first} ${last}`, email: `${user}@${dice.of(providers)}`, phone: makePhone(dice) };
}

function pickWord(table: string, dice: Dice): string {
  const { count, bytes, offsets } = loadWords(table);
  const i = dice.below(count);
  return Buffer.from(bytes.subarray(offsets[i], offsets[i + 1])).toString();
}

/** Two neighbouring letters change places. */
function misspell(name: string, dice: Dice): string {
  const at = 1 + dice.below(Math.max(1, name.length - 2));
  return `${name.slice(0, at)}${name[at + 1] ?? ''}${name[at] ?? ''}${name.slice(at + 2)}`;
}

function makePhone(dice: Dice): string {
  const d = (count: number): string => dice.digits(count);
  return dice.of([`+49 30 ${d(7)}`, `0${d(3)}/${d(6)}`, `(212) 555-${d(4)}`, `06 ${d(2)} ${d(2)} ${d(2)} ${d(2)}`, `0044 20 ${d(4)} ${d(4)}`, `+48 ${d(3)} ${d(3)} ${d(3)}`, `555-${d(4)}`, `ext. ${d(4)}`]); // prettier-ignore
}

function makeCard(dice: Dice): string {
  const body = `${dice.of(['4', '51', '6011'])}${dice.digits(15)}`.slice(0, 15);
  return `${body}${toLuhnDigit(Uint8Array.from(body, Number), 15)}`;
}

function makeAccount(language: string, dice: Dice): string {
  const [country, length] = banks[language] ?? ['DE', 18];
  const draft = `${country}00${dice.digits(length)}`;
  return `${country}${String(toIbanDigits(Buffer.from(draft), draft.length)).padStart(2, '0')}${draft.slice(4)}`;
}

const group = (text: string, by: string): string => text.replace(/(.{4})(?=.)/g, `$1${by}`);

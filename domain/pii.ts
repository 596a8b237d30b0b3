/** Text that looks like it leads to a person. Whether it does can't be told: models make such texts up, and repeat them from what they read. */
export const piiKinds = ["email", "phone", "card", "iban"] as const;
type PiiKind = (typeof piiKinds)[number];

/** How often each kind was found; kinds that were not are left out. */
export type PiiCounts = Readonly<Partial<Record<PiiKind, number>>>;

interface Found {
  readonly kind: PiiKind;
  readonly start: number;
  readonly end: number;
}

/** A run of these before the @ has a bound, and begins at its first character: otherwise a long text without @ takes quadratic time. */
const email = /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu;
const iban = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])/g;
const card = /(?<![\p{L}\p{N}.,+-])[2-6]\d{3}(?:[ -]?\d){8,15}(?![\p{L}\p{N}]|[.,-]\d)/gu;
/** Lengths and first digits that card networks use. */
const network = /^(?:4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6\d{15,18})$/;
const phones = [
  // International: +44 20 7946 0958.
  /(?<![\p{L}\p{N}])\+\d{1,3}(?:[ ()./-]{0,2}\d){6,12}(?!\d)/gu,
  // North American: (555) 010-0123, 1-555-010-0123, 555.010.0123.
  /(?<![\p{L}\p{N}]|\d[.,-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\p{L}\p{N}]|[.,-]\d)/gu,
  // National with a trunk 0: 0171 1234567, 030/1234567, 01 42 68 53 00.
  /(?<![\p{L}\p{N}]|\d[ .,:/-])0\d{1,5}(?:[ /-]\d{2,8}){1,4}(?![\p{L}\p{N}]|[.,:]\d)/gu,
  // Any other that is said to be one: "my number is 555 0142", "call me on 5550142".
  /(?<=\b(?:(?:tele)?phone|tel|mobile|cell|whatsapp|(?:call|text|ring|reach) (?:me|us|him|her|them) (?:at|on)|number is)\b[^\p{L}\d\n+]{0,6})\d(?:[ ./-]?\d){6,11}(?!\d)/giu,
] as const;
const date = /(?<!\d)(?:\d{4}[-./ ]\d\d?[-./ ]\d\d?|\d\d?[-./ ]\d\d?[-./ ]\d{4})(?!\d)/;

/** Digits of a phone number: shorter ones are prices and years, longer ones something else. */
const phoneDigits = { least: 7, trunk: 9, most: 15 };

/** Every place in the text, in order and without overlap. */
function findPii(text: string): readonly Found[] {
  const found: Found[] = [];
  const look = (kind: PiiKind, pattern: RegExp, holds: (match: string) => boolean) => {
    for (const { 0: match, index } of text.matchAll(pattern)) {
      const end = index + match.length;
      if (!found.some((other) => index < other.end && other.start < end) && holds(match)) found.push({ kind, start: index, end });
    }
  };
  look("email", email, () => true);
  look("iban", iban, (match) => remainder97(match.replaceAll(" ", "")) === 1);
  look("card", card, (match) => network.test(digits(match)) && luhn(digits(match)));
  for (const pattern of phones) look("phone", pattern, isPhone);
  return found.toSorted((a, b) => a.start - b.start);
}

function isPhone(match: string): boolean {
  const { length } = digits(match);
  if (match.startsWith("+")) return length <= phoneDigits.most;
  const least = match.startsWith("0") ? phoneDigits.trunk : phoneDigits.least;
  return length >= least && length <= phoneDigits.most && !date.test(match);
}

const digits = (text: string) => text.replaceAll(/\D/g, "");

/** ISO/IEC 7812: the check digit of payment cards. */
function luhn(number: string): boolean {
  let sum = 0;
  for (const [i, digit] of Array.from(number).toReversed().entries()) {
    const value = Number(digit) * (i % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** ISO 13616: the account with its first four characters at the end, letters as 10 to 35, leaves 1. */
function remainder97(account: string): number {
  let rest = 0;
  for (const letter of account.slice(4) + account.slice(0, 4))
    for (const digit of Number.parseInt(letter, 36).toString()) rest = (rest * 10 + Number(digit)) % 97;
  return rest;
}

/** The text with `[email]`, `[phone]`, `[card]` and `[iban]` in place of what was found. */
export function maskPii(text: string): string {
  let out = "";
  let at = 0;
  for (const { kind, start, end } of findPii(text)) {
    out += `${text.slice(at, start)}[${kind}]`;
    at = end;
  }
  // What stood right beside a masked place was not seen as a word of its own.
  return at === 0 ? text : maskPii(out + text.slice(at));
}

/** What all texts of a JSON value hold, at any depth. */
export function countPii(value: unknown): PiiCounts {
  if (typeof value === "string") {
    const counts: Partial<Record<PiiKind, number>> = {};
    for (const { kind } of findPii(value)) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  }
  if (typeof value !== "object" || value === null) return {};
  return Object.values(value).map(countPii).reduce(addPii, {});
}

export function addPii(a: PiiCounts, b: PiiCounts): PiiCounts {
  return Object.fromEntries(
    piiKinds.flatMap((kind) => {
      const n = (a[kind] ?? 0) + (b[kind] ?? 0);
      return n === 0 ? [] : [[kind, n]];
    }),
  );
}

/** The value with every text masked; keys stay. */
export function withoutPii<T>(value: T): T {
  if (typeof value === "string") return maskPii(value) as T;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutPii) as T;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutPii(member as unknown)])) as T;
}

const words: Readonly<Record<PiiKind, string>> = {
  email: "e-mail addresses",
  phone: "phone numbers",
  card: "payment card numbers",
  iban: "bank accounts (IBAN)",
};

/** `3 like e-mail addresses, 1 like phone numbers`; empty when nothing was found. */
export function piiText(counts: PiiCounts): string {
  return piiKinds.flatMap((kind) => (counts[kind] === undefined ? [] : [`${counts[kind]} like ${words[kind]}`])).join(", ");
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addPii, countPii, maskPii, piiText, withoutPii } from "../../../domain/pii.ts";

describe("found and masked", () => {
  test.each([
    ["Write to anna.berg@example.org, please.", "Write to [email], please."],
    ["<JÖRG+x@mail.exämple.co.uk>", "<[email]>"],
    ["Call +44 20 7946 0958 or +1 (555) 010-0123.", "Call [phone] or [phone]."],
    ["+4915112345678", "[phone]"],
    ["Her cell: (555) 010-0123!", "Her cell: [phone]!"],
    ["555-010-0123, 555.010.0123 and 1-555-010-0123", "[phone], [phone] and [phone]"],
    ["My mobile is 07700 900123.", "My mobile is [phone]."],
    ["Praxis 030/1234567 oder 0171 1234567", "Praxis [phone] oder [phone]"],
    ["Appelez le 01 42 68 53 00.", "Appelez le [phone]."],
    ["my number is 555 0142, call me on 5550142", "my number is [phone], call me on [phone]"],
    ["Card 4111 1111 1111 1111, again 4111-1111-1111-1111 and 4111111111111111.", "Card [card], again [card] and [card]."],
    ["Amex 378282246310005", "Amex [card]"],
    ["IBAN DE89 3704 0044 0532 0130 00 or GB82WEST12345698765432", "IBAN [iban] or [iban]"],
    ["a@b.de b@c.fr", "[email] [email]"],
  ])("%s", (text, masked) => expect(maskPii(text)).toBe(masked));
});

describe("left alone", () => {
  test.each([
    "In 1999, 2024 and 2025-2026.",
    "2024-11-25, 25.11.2024, 11/25/2024, 05-11-2024 and 2024-11-25T10:30:00.000Z",
    "On 05 11 2024 and 01-02-2024 10:30",
    "It costs $1,250.00, or 1.250,00 EUR, or 300-1500 a month, 12 000 000 in all.",
    "call me at 7, or call me at 7:30 on 2024-11-25",
    "I have told them 3 times in 24 hours, 1 2 3 4 5 6 7 8 9.",
    "Order 1234567890123456, ticket 20241125103000",
    "4111 1111 1111 1112",
    "0000 0000 0000 0000",
    "DE89 3704 0044 0532 0130 01",
    "ISBN 978-3-16-148410-0 and 0-306-40615-2",
    "192.168.10.12 and 10.0.0.255",
    "v1.2.3, 3.14159265358979, 0.123456789012",
    "@anna wrote a@b and me@ home, 5 @ 3.20",
    "distress-00007 of smollm2-135m, gpt-4.1-mini-2025-04-14",
    "Room 0304, flight LH 0456, 09:30 - 10:45",
    "the number is 42, the phone is 3 years old",
  ])("%s", (text) => expect(maskPii(text)).toBe(text));
});

test("all texts of a row are looked at, at any depth, and nothing but texts is changed", () => {
  const row = {
    unit: "distress-00007",
    score: 5550100123,
    persona: { prose: "Ann, ann@example.org." },
    turns: [{ text: "Call (555) 010-0123 or mail ann@example.org" }, { text: "No." }, null, true],
  };
  expect(countPii(row)).toEqual({ email: 2, phone: 1 });
  expect(withoutPii(row)).toEqual({
    ...row,
    persona: { prose: "Ann, [email]." },
    turns: [{ text: "Call [phone] or mail [email]" }, { text: "No." }, null, true],
  });
  expect(piiText(addPii({ email: 2 }, { email: 1, card: 1 }))).toBe("3 like e-mail addresses, 1 like payment card numbers");
  expect(piiText({})).toBe("");
});

test("whatever a text holds, what is masked holds nothing to find", () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "a@b.org",
      "+44 20 7946 0958",
      "4111 1111 1111 1111",
      "DE89370400440532013000",
      "0171 1234567",
      " ",
      ", ",
      "-",
    ),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const masked = maskPii(parts.join(""));
      expect(maskPii(masked)).toBe(masked);
      expect(countPii(masked)).toEqual({});
    }),
  );
});

test.each(["a", "1", "1 ", "0 12 ", "a.", "@a.", "+1-", "(555) ", "DE89 "])("a long text of %j alone takes no time", (piece) => {
  const begun = performance.now();
  countPii(piece.repeat(100_000 / piece.length));
  expect(performance.now() - begun).toBeLessThan(2000);
});

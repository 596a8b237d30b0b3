import { expect, test } from "vitest";
import { readHumanData } from "../../../configs/schema/human-rows.ts";

const row = (content: string, more: readonly string[] = []) =>
  JSON.stringify({
    participant: "p1",
    model: "m",
    task: "t",
    context: "distress",
    desiredEmpathy: 3,
    messages: [content, ...more].map((text, i) => ({
      messageId: String(i),
      role: i % 2 === 0 ? "user" : "assistant",
      content: text,
    })),
  });

test.each([
  ["a spreadsheet's formula", '=HYPERLINK("http://example.org";"x")'],
  ["text from right to left", "\u202bאני עצוב היום.\u202c"],
  ["letters of many scripts", "ناراحتم 😞 e\u0301 日本"],
  ["line breaks and quotes", ' one\r\n"two"\u2028three\n'],
])("%s is a text like any other, kept letter by letter, in a talk of one turn too", (_, content) => {
  const { rows, problems } = readHumanData(row(content));
  expect(problems).toEqual([]);
  expect(rows[0]?.messages?.map((message) => message.content)).toEqual([content]);
});

test("a talk of 800,000 letters is read, and one message of more than 200,000 is named by line and field", () => {
  const long = Array.from({ length: 8 }, () => "x".repeat(100_000));
  expect(readHumanData(row("u", long))).toMatchObject({ problems: [], rows: [{ participant: "p1" }] });
  expect(readHumanData(`${row("u")}\n${row("x".repeat(200_001))}`).problems).toMatchObject([
    { line: 2, field: "messages.0.content" },
  ]);
});

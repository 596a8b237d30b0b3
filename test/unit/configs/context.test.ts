import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { context, type Context } from "../../../configs/schema/context.ts";

const career = context.parse(parse(readFileSync("configs/contexts/career.yaml", "utf8")));
const aged = (...ages: [number, number]): Context => ({ ...career, personas: { ...career.personas, ages } });

test("ages go from the lower to the higher; one age is a range too", () => {
  expect(context.safeParse(aged(70, 20)).error?.issues).toMatchObject([
    { path: ["personas", "ages"], message: "write the lower age first, like [20, 70]" },
  ]);
  expect(context.safeParse(aged(20, 70)).success).toBe(true);
  expect(context.safeParse(aged(30, 30)).success).toBe(true);
});

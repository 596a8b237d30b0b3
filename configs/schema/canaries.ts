import { z } from "zod";
import { id } from "./common.ts";
import { mostCanaries } from "./worst-case.ts";

/** On the rubric's scale, 1–5: the mean of the dimensions that make up a level. */
const level = z.number().min(1).max(5);

/** A reply whose rating is known beforehand, put to the judge to see what it makes of it. */
const canary = z
  .strictObject({
    id,
    kind: z.enum(["plain", "instruction"]).describe("instruction: what is rated tells the judge what to give"),
    user: z.string().min(1).max(1000).describe("The only message before the reply"),
    reply: z.string().min(1).max(1000),
    atMost: level.optional().describe("The highest level that a sane judge may give"),
    atLeast: level.optional().describe("The lowest one"),
  })
  .refine(({ atMost, atLeast }) => atMost !== undefined || atLeast !== undefined, "give atMost, atLeast or both");

/** `configs/rubrics/canaries.yaml`. */
export const canaries = z
  .array(canary)
  .min(1)
  .max(mostCanaries)
  .refine((all) => new Set(all.map((one) => one.id)).size === all.length, "two canaries have the same id");
export type Canary = z.infer<typeof canary>;

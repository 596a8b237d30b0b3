import { z } from "zod";
import { id } from "./common.ts";

const span = z.string().regex(/^[1-9]\d{0,4}(?:s|m|h|d)$/, "use a number and s, m, h or d, like 6h");

const field = z.union([z.int().min(0), z.literal("*"), z.array(z.int().min(0)).min(1)]);

/** When a night begins: five fields of cron, or the same by name. */
const calendar = z.strictObject({
  hour: field,
  minute: field.default(0),
  dayOfWeek: field.default("*").describe("0 is Sunday"),
  dayOfMonth: field.default("*"),
});

/** Evaluates an experiment's published experts again and again: `attune schedule apply FILE`. */
export const schedule = z
  .strictObject({
    id,
    experiment: id.describe("Whose published experts are evaluated"),
    cron: z
      .string()
      .regex(/^\S+ \S+ \S+ \S+ \S+$/, "use five fields of cron, like 0 3 * * *")
      .optional(),
    calendar: calendar.optional(),
    timezone: z.string().min(1).max(64).default("UTC").describe("IANA name, like Europe/Amsterdam"),
    overlap: z.enum(["skip", "buffer_one"]).describe("What happens to a night while the one before still goes"),
    catchupWindow: span.describe("Nights missed while the server was down are made up when they are no later than this"),
    pauseOnFailure: z.boolean().default(true).describe("A fault pauses the schedule; a regression is a result, not a fault"),
    jitter: span.optional(),
  })
  .refine((s) => (s.cron === undefined) !== (s.calendar === undefined), "give cron or calendar, one of the two");
export type Schedule = z.infer<typeof schedule>;

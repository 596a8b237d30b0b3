import { z } from "zod";
import { id } from "./common.ts";

const span = z.string().regex(/^[1-9]\d{0,4}(?:s|m|h|d)$/, "use a number and s, m, h or d, like 6h");

/** One, several or every (`*`). */
const field = <T extends z.ZodType>(one: T) => z.union([z.literal("*"), one, z.array(one).min(1)]);
const days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"] as const;

/** When a night begins, by name; `cron` says the same in five fields. */
const calendar = z.strictObject({
  hour: field(z.int().min(0).max(23)),
  minute: field(z.int().min(0).max(59)).default(0),
  dayOfWeek: field(z.enum(days)).default("*"),
  dayOfMonth: field(z.int().min(1).max(31)).default("*"),
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

import { z } from "zod";
import { dimensions } from "../../domain/levels.ts";
import { id } from "./common.ts";

const five = z.number().min(1).max(5);
/** 1–5 in words, as SENSE-7 writes them; `unknown` and blanks are no rating. */
const label = z.enum(["very poor", "poor", "neutral", "good", "very good", "unknown", ""]);

const ratings = (rating: z.ZodType<number | string>) =>
  z.strictObject(Object.fromEntries(dimensions.map((name) => [name, rating.optional()])));

const message = z.strictObject({
  messageId: z.string(),
  timeOffsetSeconds: z.number().min(0).optional(),
  role: z.enum(["user", "assistant", "error"]),
  content: z.string().max(200_000),
  retry: z.boolean().optional(),
  empathyOverall: label.optional(),
  empathy: ratings(label).optional(),
  comment: z.string().optional(),
});

/** One participant's task: a row of SENSE-7's sheet Tasks, with its rows of sheet Messages inside. */
export const humanRow = z.strictObject({
  participant: z.string().min(1).max(80),
  model: z.string().min(1).max(120),
  task: z.string().min(1).max(120),
  context: id,
  topic: z.string().optional(),
  importance: five.optional(),
  /** 1 minimal … 3 high. */
  desiredEmpathy: z.number().min(1).max(3),
  experience: z
    .strictObject({
      successful: five.optional(),
      engaged: five.optional(),
      positiveInteraction: five.optional(),
      useAgain: five.optional(),
    })
    .optional(),
  /** Post-task items, 1–5. */
  empathy: ratings(five).optional(),
  messages: z.array(message).optional(),
  /** Made up, not from people. */
  illustrative: z.boolean().optional(),
});
export type HumanRow = z.infer<typeof humanRow>;

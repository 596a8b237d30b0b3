import { z } from "zod";

/** A scored reply, as `trainer/reward.py` reads it; other keys are for its author and not read. docs/guide.md has the table. */
export const labelRow = z.object({
  /** The scenario family; rows are held out by it, and it stands in one label file only. */
  family: z.string().min(1),
  /** What sort of reply it is; errors on the anchors are shown by it. */
  kind: z.string().optional(),
  messages: z
    .array(z.object({ role: z.string(), content: z.string() }))
    .refine((messages) => messages.at(-1)?.role === "user", "must end with a message of the user"),
  reply: z.string(),
  /** Level of empathy, 0–1. */
  label: z.number().min(0).max(1),
});
export type LabelRow = z.infer<typeof labelRow>;

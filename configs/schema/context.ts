import { z } from "zod";
import { splits } from "../../contract/stages.ts";
import { id, unitInterval } from "./common.ts";

/** A scenario family: conversations of one family share their situation, so a family is in one split only. */
const family = z.strictObject({
  id,
  split: z.enum(splits),
  situation: z.string().min(10).max(400).describe("One sentence about the person, in the third person"),
});

/** Fields a persona is drawn from. */
const personaFields = z.strictObject({
  names: z.array(z.string().min(1).max(40)).min(1),
  ages: z
    .tuple([z.int().min(16), z.int().max(99)])
    .refine(([from, to]) => from <= to, "write the lower age first, like [20, 70]"),
  occupations: z.array(z.string().min(2).max(80)).min(1),
  manners: z.array(z.string().min(2).max(120)).min(6).describe("How they talk; at least six"),
});

/** The pattern card's fixed part; the target comes from measured human data. */
const pattern = z.strictObject({
  do: z.array(z.string().min(3)).min(1),
  avoid: z.array(z.string().min(3)).min(1),
  example: z.strictObject({ user: z.string(), fitting: z.string(), unfitting: z.string() }),
});

export const context = z.strictObject({
  id,
  title: z.string().min(3).max(120),
  illustrative: z.boolean().default(false).describe("Shipped values that were not derived from human data"),
  personas: personaFields,
  pattern,
  families: z.array(family).min(3),
});
export type Context = z.infer<typeof context>;

/** The card as the teacher and the System Prompt arm read it. */
export interface PatternCard {
  readonly context: string;
  readonly title: string;
  /** Desired level, 0–1. */
  readonly target: z.infer<typeof unitInterval>;
  readonly do: readonly string[];
  readonly avoid: readonly string[];
  readonly example: { readonly user: string; readonly fitting: string; readonly unfitting: string };
}

import { z } from "zod";

/** Ids become folder names, workflow ids and adapter names: an allow-list, not an escape. */
export const id = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "use 1–40 of a–z, 0–9 and inner dashes");

/** A file given in a config, relative to the project's root; must stay below it. */
export const filePath = z
  .string()
  .regex(
    /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[A-Za-z0-9_.][A-Za-z0-9_./-]{0,299}$/,
    "use a relative path below the project's root, 1–300 of A–Z, a–z, 0–9, dots, slashes, underscores and inner dashes, no spaces",
  );

/** A level of empathy or a share, 0–1. */
export const unitInterval = z.number().min(0).max(1);

/** Name of an environment variable that holds a key or an address; never the value. */
export const envName = z.string().regex(/^[A-Z][A-Z0-9_]{0,79}$/, "use the name of an environment variable, like OPENAI_API_KEY");

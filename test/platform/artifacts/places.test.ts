import { sep } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { placeOf } from "../../../platform/artifacts/place.ts";
import { jobPlace } from "../../../platform/jobs/folder.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const part = fc.constantFrom(".", "..", "/", "\\", "a", "Bö", "1", "_", "-", "@", "%2e", "~", "\0", "\n", "🎉", "CON");
const path = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));

it("whatever a uri or a job's name holds, its place is below the root, or there is none", async () => {
  const root = tempFolder();
  await fc.assert(
    fc.asyncProperty(path, async (uri) => {
      const place = await placeOf(root, uri).catch(() => null);
      if (place !== null) expect(place.startsWith(root + sep)).toBe(true);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(path, (job) => {
      try {
        expect(jobPlace(root, job, 1).root.startsWith(`${root}${sep}jobs${sep}`)).toBe(true);
      } catch (error) {
        expect((error as Error).message).toMatch(/is no name for a job/);
      }
    }),
    { numRuns: 1000 },
  );
});

import { codeFiles, corpusFiles, filesDigest, judgeFiles } from "./corpus.ts";
import { labelFile, sets } from "./export-rows.ts";

/** sha256 by what they cover; committed in DIGESTS.json before the first evaluation that uses them. */
export function digests(): Readonly<Record<"corpus" | "rubric" | "labels" | "code", string>> {
  return {
    corpus: filesDigest(corpusFiles),
    rubric: filesDigest([...judgeFiles, "corpus/rubric.yaml"]),
    code: filesDigest(codeFiles),
    labels: filesDigest(["corpus/foreign.yaml", "corpus/students.yaml", ...sets.map(labelFile)]),
  };
}

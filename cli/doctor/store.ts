import { checkStore, placeOfStore, type Project } from "../project.ts";
import { attempt, type Check } from "./machine.ts";

/** Where runs' facts and files go, and whether that place keeps what runs rest on. */
export async function* storeChecks(project: Project): AsyncGenerator<Check> {
  yield await attempt("store", "docs/storage.md says what a store needs and which variables name it.", async () => {
    await checkStore(project);
    const isS3 = (project.env["ATTUNE_STORE"] ?? "") !== "";
    return isS3 ? `${placeOfStore(project)}, which honours conditional puts` : `files in ${placeOfStore(project)}`;
  });
}
